"""What the explorer says about its picture, the formula it shows, and what to try next."""

from html import escape

from ...diagnostics.stored import N_TARGETS
from ...losses import LOSSES
from ..markup import advice
from .numbers import NEAR, THEORY_HOLDS

WIDE, MANY = 1.5, 256


def sentences(numbers: dict, settings: dict, batch_size: int) -> str:
    """The numbers of the explorer in words, as HTML."""
    lines = [_negatives(numbers, settings, batch_size), *_gradients(numbers, settings)]
    text = "<br>".join(lines + _by_alpha(numbers, settings))
    return f'<div style="line-height:1.5;max-width:960px">{text}</div>'


def count(number: float) -> str:
    """A count with three digits, but never as a power of ten."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def formula(loss: str) -> str:
    """The loss of one row, for MathJax."""
    of_loss = LOSSES[loss]
    shown = f"${escape(of_loss.equation)}$" if of_loss.equation else "no equation was given"
    return f"<b>{loss}</b>{of_loss.source and ' ' + of_loss.source}: {shown}"


def _negatives(of: dict, settings: dict, batch_size: int) -> str:
    theory = ""
    if "effective_theory" in of:
        theory = f", <b>{count(of['effective_theory'])}</b> by the theory N e<sup>&minus;v/2</sup>"
    elif settings["source"] == "gaussian":
        theory = f"; N e<sup>&minus;v/2</sup> holds for a spread below {THEORY_HOLDS:g} only"
    made = ""
    if settings["source"] != "pasted":
        extra = of["negatives"] - batch_size + 1
        made = f" = {batch_size - 1} in the batch + {extra:,} extra"
    return (
        f"<b>{of['negatives']:,}</b> negatives{made}, spread {of['spread']:.3g}. They weigh like "
        f"<b>{count(of['effective'])}</b> equal ones (effective negatives{theory}); the 5 best "
        f"carry <b>{of['top_5']:.0%}</b> of the weight."
    )


def _gradients(of: dict, settings: dict) -> list[str]:
    pulls = ", ".join(f"{name} <b>{pull:.3g}</b>" for name, pull in of["gradient"].items())
    ups = ", ".join(f"{name} {share:.0%}" for name, share in of["pushed_up"].items() if share)
    tops = ", ".join(f"{name} {share:.0%}" for name, share in of["push_top_5"].items())
    score = f"{of['target']:.3g}"
    target = f"A target scoring {score}"
    if settings["source"] != "gaussian":
        target = f"The target, scoring {score},"
    among = ""
    if "median_rank" in of:
        among = f"; the median of the {N_TARGETS} test targets is at {of['median_rank']:,.0f}"
    return [
        f"{target} is at rank {of['rank']:,.0f} (the dots){among}. "
        f"&sigma;(r<sub>j</sub> &minus; r<sub>i</sub>) exceeds {NEAR:g} for "
        f"<b>{of['near']:.2%}</b> of the negatives.",
        f"Its gradient &minus;&part;L/&part;r<sub>i</sub>: {pulls or 'none shown'}.",
        f"Negatives pushed up (&part;L/&part;r<sub>j</sub> &lt; 0): {ups or 'none'}. Share of the "
        f"push on the 5 best: {tops or 'none shown'}.",
    ]


def _by_alpha(of: dict, settings: dict) -> list[str]:
    """What other values of `sample_alpha` would draw; nothing where nothing is drawn."""
    if "by_alpha" not in of or not settings["n_sample"]:
        return []
    uniform, popular = (
        f"{count(at['effective'])} effective negatives and {at['median_rank']:,.0f} above the "
        "median test target"
        for at in of["by_alpha"].values()
    )
    return [
        f"Extra negatives are drawn with probability ~ clicks<sup>{settings['sample_alpha']:.2g}"
        f"</sup>. Uniform draws (0) would give {uniform}; popular ones (1) {popular}."
    ]


def hint(numbers: dict, settings: dict) -> str:
    """The line as HTML."""
    shown = settings["losses"]
    if not shown:
        return advice("tick a loss to see how hard it pulls.")
    return {"gaussian": _gaussian, "trained": _trained, "pasted": _pasted}[settings["source"]](
        numbers, settings
    )


def _gaussian(of: dict, settings: dict) -> str:
    if of["spread"] < WIDE:
        return advice(
            f"raise <b>score spread</b> to 4. {_narrow(of)} The -max losses need spread to differ."
        )
    if settings["n_sample"] < MANY:
        return advice(
            "raise <b>extra negatives</b> and watch the dashed lines fall on the left, where the "
            "target is ranked well: BPR and TOP1 let go, the -max losses do not."
        )
    return advice(f"lower <b>score spread</b> to 0.5 and compare. {_average(of)}")


def _trained(of: dict, settings: dict) -> str:
    if settings["epoch"] == 0:
        return advice(
            f"raise <b>trained for</b>. {_narrow(of)} As BPR learns, its scores spread and its own "
            "pull fades."
        )
    if settings["n_sample"] < MANY:
        return advice("raise <b>extra negatives</b> and watch the dashed lines fall on the left.")
    return advice(f"change <b>test target</b> or <b>sample_alpha</b>. {_average(of)}")


def _pasted(of: dict, settings: dict) -> str:
    return advice("append low scores to the row: BPR's pull falls with each, BPR-max's stays.")


def _narrow(of: dict) -> str:
    return f"Here {of['negatives']:,} negatives weigh almost alike, as in BPR."


def _average(of: dict) -> str:
    return (
        f"Only {of['near']:.1%} of the negatives are near the target or above it; BPR and TOP1 "
        "average over all, the -max losses weigh by softmax."
    )
