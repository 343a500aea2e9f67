"""What the explorer says about its picture, what to try next, and the formula it shows."""

from html import escape
from math import isnan
from typing import Any

from ...diagnostics.stored import N_TARGETS
from ...losses import LOSSES
from ..markup import advice
from .numbers import NEAR, THEORY_HOLDS, Numbers

WIDE, MANY = 1.5, 256


def sentences(numbers: Numbers, settings: dict[str, Any], batch_size: int) -> str:
    """The numbers of the explorer in words, as HTML."""
    lines = [_negatives(numbers, settings, batch_size), *_gradients(numbers, settings)]
    text = "<br>".join(lines + _by_alpha(numbers, settings))
    return f'<div style="line-height:1.5;max-width:960px">{text}</div>'


def brief(numbers: Numbers) -> str:
    """The one sentence of the explorer with its controls folded, as HTML."""
    pulls = " and ".join(
        f"{numbers.gradient[name]:.3g} by <b>{name}</b>"
        for name in ("bpr", "bpr-max")
        if name in numbers.gradient
    )
    return (
        f"Among {numbers.negatives:,} negatives, the pull on a target of rank "
        f"{numbers.rank:,.0f} (the dots): {pulls or 'no loss shown'}."
    )


def silent_controls(settings: dict[str, Any]) -> dict[str, str]:
    """Setting name to why its control changes nothing that is seen; only such settings."""
    told = {}
    if settings["pane"] != "pushes":
        told["bpreg"] = "changes the pushes only: choose pushes on the right"
    elif "bpr-max" not in settings["losses"]:
        told["bpreg"] = "changes bpr-max only: show this loss"
    if settings["source"] == "trained" and not settings["n_sample"]:
        told["sample_alpha"] = "no extra negatives are drawn: raise extra negatives"
    if not settings["losses"]:
        told["scale"] = "no loss is shown: tick one"
    return told


def _negatives(numbers: Numbers, settings: dict[str, Any], batch_size: int) -> str:
    theory = ""
    if numbers.effective_theory is not None:
        count = _count(numbers.effective_theory)
        theory = f", <b>{count}</b> by the theory N e<sup>&minus;v/2</sup>"
    elif settings["source"] == "gaussian":
        theory = f"; N e<sup>&minus;v/2</sup> holds for a spread below {THEORY_HOLDS:g} only"
    made = ""
    if settings["source"] != "pasted":
        extra = numbers.negatives - batch_size + 1
        made = f" = {batch_size - 1} in the batch + {extra:,} extra"
    return (
        f"<b>{numbers.negatives:,}</b> negatives{made}, spread {numbers.spread:.3g}. They weigh "
        f"like <b>{_count(numbers.effective)}</b> equal ones (effective negatives{theory}); the 5 "
        f"best carry <b>{numbers.top_5:.0%}</b> of the weight."
    )


def _gradients(numbers: Numbers, settings: dict[str, Any]) -> list[str]:
    pulls = ", ".join(f"{name} <b>{pull:.3g}</b>" for name, pull in numbers.gradient.items())
    ups = ", ".join(f"{name} {share:.0%}" for name, share in numbers.pushed_up.items() if share)
    # NaN where nothing is pushed at all.
    shares = {name: share for name, share in numbers.push_top_5.items() if not isnan(share)}
    tops = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    target = f"A target scoring {numbers.target:.3g}"
    if settings["source"] != "gaussian":
        target = f"The target, scoring {numbers.target:.3g},"
    among = ""
    if numbers.median_rank is not None:
        among = f"; the median of the {N_TARGETS} test targets is at {numbers.median_rank:,.0f}"
    return [
        f"{target} is at rank {numbers.rank:,.0f} (the dots){among}. "
        f"&sigma;(r<sub>j</sub> &minus; r<sub>i</sub>) exceeds {NEAR:g} for "
        f"<b>{numbers.near:.2%}</b> of the negatives.",
        f"Its gradient &minus;&part;L/&part;r<sub>i</sub>: {pulls or 'none shown'}.",
        f"Negatives pushed up (&part;L/&part;r<sub>j</sub> &lt; 0): {ups or 'none'}. Share of the "
        f"push on the 5 best: {tops or 'none'}.",
    ]


def _by_alpha(numbers: Numbers, settings: dict[str, Any]) -> list[str]:
    """What other values of `sample_alpha` would draw; nothing where nothing is drawn."""
    if numbers.by_alpha is None or not settings["n_sample"]:
        return []
    uniform, popular = (
        f"{_count(at['effective'])} effective negatives and {at['median_rank']:,.0f} above the "
        "median test target"
        for at in numbers.by_alpha.values()
    )
    return [
        f"Extra negatives are drawn with probability ~ clicks<sup>{settings['sample_alpha']:.2g}"
        f"</sup>. Uniform draws (0) would give {uniform}; popular ones (1) {popular}."
    ]


def _count(number: float) -> str:
    """A count with three digits, but never as a power of ten."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def hint(numbers: Numbers, settings: dict[str, Any]) -> str:
    """What to try next, as HTML."""
    if not settings["losses"]:
        return advice("tick a loss to see how hard it pulls.")
    to_try = {"gaussian": _on_gaussian, "trained": _on_trained, "pasted": _on_pasted}
    return advice(to_try[settings["source"]](numbers, settings))


def _on_gaussian(numbers: Numbers, settings: dict[str, Any]) -> str:
    if numbers.spread < WIDE:
        return (
            f"raise <b>score spread</b> to 4. {_narrow(numbers)} The -max losses need spread to "
            "differ."
        )
    if settings["n_sample"] < MANY:
        return (
            "raise <b>extra negatives</b> and watch the dashed lines fall on the left, where the "
            "target is ranked well: BPR and TOP1 let go, the -max losses do not."
        )
    return f"lower <b>score spread</b> to 0.5 and compare. {_average(numbers)}"


def _on_trained(numbers: Numbers, settings: dict[str, Any]) -> str:
    if settings["epoch"] == 0:
        return (
            f"raise <b>trained for</b>. {_narrow(numbers)} As the model learns, its scores "
            "spread and BPR's pull fades."
        )
    if settings["model"] == "e-shop-bpr-max" and numbers.effective > numbers.negatives / 2:
        return (
            f"choose the <b>model</b> e-shop BPR. {_narrow(numbers)} BPR-max learned from the same "
            "clicks, and kept its scores together."
        )
    if settings["n_sample"] < MANY:
        return "raise <b>extra negatives</b> and watch the dashed lines fall on the left."
    return f"change <b>test target</b> or <b>sample_alpha</b>. {_average(numbers)}"


def _on_pasted(_numbers: Numbers, _settings: dict[str, Any]) -> str:
    return "append low scores to the row: BPR's pull falls with each, BPR-max's stays."


def _narrow(numbers: Numbers) -> str:
    return f"Here {numbers.negatives:,} negatives weigh almost alike, as in BPR."


def _average(numbers: Numbers) -> str:
    share = f"{'Only' if numbers.near < 0.5 else 'As many as'} {numbers.near:.1%}"
    return (
        f"{share} of the negatives are near the target or above it; BPR and TOP1 "
        "average over all, the -max losses weigh by softmax."
    )


def formula(name: str) -> str:
    """The loss of one row, for MathJax."""
    loss = LOSSES[name]
    shown = f"${escape(loss.equation)}$" if loss.equation else "no equation was given"
    return f"<b>{name}</b>{loss.source and ' ' + loss.source}: {shown}"
