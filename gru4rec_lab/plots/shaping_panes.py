"""The ScoreShaper's picture as plain data: scores, pulls and pushes, before and after shaping.

What is thick and grey is not shaped.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..diagnostics import GradientByRank
from ..losses import LOSSES, elu, elu_grad
from .loss_panes import (
    LEAST_SHARE,
    MASS_COLOUR,
    NEGATIVE_COLOUR,
    PUSH,
    Numbers,
    pull_lines,
    pull_numbers,
    pull_pane,
    share_axis,
)
from .picture import Axis, Line, Pane, Picture, points
from .score_shaping import histogram

N_BINS = 96
# bpreg pushes far harder than a loss alone.
SHAPED_PUSH = replace(PUSH, limits=(-1000, 1000), ticks=(*PUSH.ticks, (100, "100"), (-100, "−100")))
BOXES = ((0, 0, 0.36, 1), (0.36, 0, 0.68, 1), (0.68, 0, 1, 1))


def shaping_picture(loss: str, *, reach: float, n_negatives: int) -> Picture:
    """Scores, pull on the target and push of `loss`, for scores between -`reach` and `reach`."""
    wide = f"share in a bar {2 * reach / N_BINS:.2g} wide"
    score = Axis((-reach, reach), label="score (end bars: all beyond)", name="score")
    share = Axis((LEAST_SHARE, 1.5), "log", wide)
    by_score = Axis((-reach, reach), label="score of the negative", name="score")
    pushed = ("pushed down", "pushed up")
    panes = {
        "scores": Pane(score, share, BOXES[0], "scores", right=share_axis("slope of ELU")),
        "pull": pull_pane(BOXES[1], max(10, round(1.4 * n_negatives))),
        "push": Pane(by_score, SHAPED_PUSH, BOXES[2], "push", corners=pushed),
    }
    lines = {
        "linear": Line("scores", NEGATIVE_COLOUR, "steps", width=5, key="pane"),
        "after ELU": Line("scores", kind="steps", key="pane"),
        "slope of ELU": Line("scores", MASS_COLOUR, axis="right", dash=(4, 2), width=2),
        "alone": Line("push", NEGATIVE_COLOUR, width=5, key="pane", label=f"{loss} alone"),
        "shaped": Line("push", LOSSES[loss].colour, width=2, key="pane"),
    }
    return Picture(360, panes, pull_lines("pull", LOSSES) | lines, narrow=780)


def shaping_numbers(
    rows: Tensor,
    curves: GradientByRank,
    pushes: tuple[Tensor, Tensor],
    *,
    elu_param: float,
    reach: float,
) -> Numbers:
    """The scores of all `rows`, and the pushes on the first: of the loss alone, and shaped."""
    edges = np.linspace(-reach, reach, N_BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    axis = torch.linspace(-reach, reach, 257)
    alone, shaped = (points(rows[0], push) for push in pushes)
    return pull_numbers(curves) | {
        "linear": points(middle, histogram(rows, edges)),
        "after ELU": points(middle, histogram(elu(rows, elu_param), edges)),
        "slope of ELU": points(axis, elu_grad(axis, elu_param)),
        "alone": alone,
        "shaped": shaped,
    }
