"""The explorer's picture as plain data: what stands still for its settings, and what it says."""

from typing import Any

from ...diagnostics import GradientByRank
from ...plots.loss_panes import (
    pull_in_words,
    pull_lines,
    pull_pane,
    push_lines,
    push_pane,
    score_lines,
    score_pane,
    weight_lines,
    weight_pane,
)
from ...plots.picture import Picture
from .numbers import Numbers
from .scores import MOST_NEGATIVES

SCORE_BINS: dict[str, Any] = {"low": -20, "high": 30, "n_bins": 100}
HEIGHT = 360
LEFT, RIGHT = (0, 0, 0.54, 1), (0.54, 0, 1, 1)


def picture_for(settings: dict[str, Any]) -> Picture:
    """Pull against rank on the left, on the right what `pane` names; a line a ticked loss."""
    losses = settings["losses"]
    pull = pull_pane(LEFT, MOST_NEGATIVES, relative=settings["scale"] == "relative")
    lines = pull_lines("pull", losses, dots=True)
    if settings["pane"] == "weights":
        right = weight_pane(RIGHT, MOST_NEGATIVES)
        lines |= weight_lines("right", effective=True)
    elif settings["pane"] == "pushes":
        right = push_pane(RIGHT, MOST_NEGATIVES)
        lines |= push_lines("right", losses)
    else:
        right = score_pane(RIGHT, **SCORE_BINS)
        lines |= score_lines("right")
    return Picture(HEIGHT, {"pull": pull, "right": right}, lines)


def told(curves: GradientByRank, numbers: Numbers, settings: dict[str, Any]) -> str:
    """The picture in words, for those who do not see it."""
    pulls = pull_in_words(curves, curves.curves)
    relative = (
        " relative to that on badly ranked targets" if settings["scale"] == "relative" else ""
    )
    left = f"Pull on the target{relative} by its rank: {pulls or 'no loss shown'}."
    of = f"{numbers.negatives:,} negatives"
    right = {
        "weights": f"softmax weights of {of}, which weigh like {numbers.effective:.3g} equal ones; "
        f"the 5 best carry {numbers.top_5:.0%}.",
        "pushes": f"push on each of {of}; pushed up: "
        + (", ".join(f"{name} {share:.0%}" for name, share in numbers.pushed_up.items() if share)
           or "none") + ".",
        "scores": f"histogram of the scores of {of}, spread {numbers.spread:.3g}, and of the "
        f"target, {numbers.target:.3g}.",
    }  # fmt: skip
    return f"{left} On the right: {right[settings['pane']]}"
