"""What the explorer says about its picture, and the formula it shows."""

from ..diagnostics import gaussian_effective
from ..diagnostics.trained import N_TARGETS
from ..losses import LOSSES

THEORY_HOLDS = 1.5


def sentences(numbers: dict, settings: dict, batch_size: int) -> str:
    """The numbers of the explorer in words, as HTML."""
    return "<br>".join((_negatives(numbers, settings, batch_size), *_gradients(numbers, settings)))


def formula(loss: str) -> str:
    """The loss of one row, for MathJax."""
    return f"<b>{loss}</b> {LOSSES[loss].source}: ${LOSSES[loss].equation}$"


def _negatives(of: dict, settings: dict, batch_size: int) -> str:
    theory = ""
    if "effective_theory" in of:
        theory = f", {of['effective_theory']:,.3g} by the theory N e<sup>&minus;v/2</sup>"
    elif settings["source"] == "gaussian":
        theory = f"; N e<sup>&minus;v/2</sup> holds for a spread below {THEORY_HOLDS:g} only"
    made = ""
    if settings["source"] != "pasted":
        extra = of["negatives"] - batch_size + 1
        made = f" = {batch_size - 1} in the batch + {extra:,} extra"
    return (
        f"<b>{of['negatives']:,}</b> negatives{made}, spread {of['spread']:.3g}. They weigh like "
        f"<b>{of['effective']:,.3g}</b> equal ones (effective negatives{theory}); the 5 best "
        f"carry <b>{of['top_5']:.0%}</b> of the weight."
    )


def _gradients(of: dict, settings: dict) -> list[str]:
    pulls = ", ".join(f"{name} <b>{pull:.3g}</b>" for name, pull in of["gradient"].items())
    ups = ", ".join(f"{name} {share:.0%}" for name, share in of["pushed_up"].items() if share)
    tops = ", ".join(f"{name} {share:.0%}" for name, share in of["push_top_5"].items())
    who = "A target" if settings["source"] == "gaussian" else "The target,"
    has = f"scoring {of['target']:.3g}{'' if settings['source'] == 'gaussian' else ','} has"
    among = ""
    if "median_rank" in of:
        among = f"; the median of the {N_TARGETS} test targets has {of['median_rank']:,.0f}"
    return [
        f"{who} {has} {of['rank']:,.0f} negatives above it (the dots){among}. Its gradient "
        f"&minus;dL/dr<sub>i</sub>: {pulls or 'none shown'}.",
        f"Negatives pushed up (dL/dr<sub>j</sub> &lt; 0): {ups or 'none'}. Share of the push on "
        f"the 5 best: {tops or 'none shown'}.",
    ]


def effective_by_theory(source: str, n_negatives: int, spread: float) -> dict[str, float]:
    """`effective_theory` where the theory holds: Gaussian scores of a spread below 1.5."""
    if source != "gaussian" or spread >= THEORY_HOLDS:
        return {}
    return {"effective_theory": gaussian_effective(n_negatives, spread)}
