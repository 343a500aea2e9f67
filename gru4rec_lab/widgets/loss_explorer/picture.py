"""The explorer's picture as plain data: what stands still for its settings, and what it says."""

import math
from typing import Any

import torch

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
from .scores import MOST_NEGATIVES, Scores

SCORE_BINS: dict[str, Any] = {"low": -20, "high": 30, "n_bins": 100}
HEIGHT = 360
LEFT, RIGHT = (0, 0, 0.54, 1), (0.54, 0, 1, 1)


def bins_for(scores: Scores, settings: dict[str, Any]) -> dict[str, Any]:
    """The bins of the histogram; those of pasted scores go from the lowest to the highest."""
    if settings["source"] != "pasted":
        return SCORE_BINS
    every = torch.cat([scores.rows.flatten(), scores.target])
    low, high = math.floor(every.min()), math.ceil(every.max())
    more = max(1, math.ceil((10 - high + low) / 2))
    return {"low": low - more, "high": high + more, "n_bins": SCORE_BINS["n_bins"]}


def highest_for(n_negatives: int, settings: dict[str, Any]) -> int:
    """How far the axis of ranks goes; the power of ten above the number of pasted scores."""
    if settings["source"] != "pasted":
        return MOST_NEGATIVES
    return 10 ** max(1, math.ceil(math.log10(n_negatives)))


def picture_for(
    settings: dict[str, Any],
    *,
    highest: int = MOST_NEGATIVES,
    bins: dict[str, Any] = SCORE_BINS,
    brief: bool = False,
) -> Picture:
    """Pull against rank on the left, on the right what `pane` names; a line a ticked loss.

    `highest` is the end of the axis of ranks, `bins` are those of scores; `brief` leaves the pane
    on the right away.
    """
    losses = settings["losses"]
    place = (0, 0, 1, 1) if brief else LEFT
    pull = pull_pane(place, highest, relative=settings["scale"] == "relative")
    lines = pull_lines("pull", losses, dots=True)
    if brief:
        return Picture(HEIGHT, {"pull": pull}, lines)
    if settings["pane"] == "weights":
        right = weight_pane(RIGHT, highest)
        lines |= weight_lines("right", effective=True)
    elif settings["pane"] == "pushes":
        right = push_pane(RIGHT, highest)
        lines |= push_lines("right", losses)
    else:
        right = score_pane(RIGHT, **bins)
        lines |= score_lines("right")
    return Picture(HEIGHT, {"pull": pull, "right": right}, lines)


def told(
    curves: GradientByRank, numbers: Numbers, settings: dict[str, Any], *, brief: bool = False
) -> str:
    """The picture in words, for those who do not see it."""
    pulls = pull_in_words(curves, curves.curves)
    relative = (
        " relative to that on badly ranked targets" if settings["scale"] == "relative" else ""
    )
    left = f"Pull on the target{relative} by its rank: {pulls or 'no loss shown'}."
    if brief:
        return left
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
