"""Which negatives a loss pushes, and where to: dL/dr_j, the best-scoring negative first.

A step goes against the gradient, so a negative with dL/dr_j > 0 is pushed down. The -max losses
push some negatives up: a higher weight s_j on a harmless negative lowers the loss too.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..loss_parts import Parts
from ..losses import LOSSES, score_regulariser_grad
from .weights import best_first

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "targets negatives"]


@dataclass(frozen=True, eq=False)
class NegativeGradients:
    """dL/dr_j of the losses, by the place of the negative among those of its row.

    Attributes:
        place: [places] 1 for the best-scoring negative; every one up to 20, fewer further down.
        curves: loss name to [places] median dL/dr_j over the rows.
        pushed_up: loss name to the share of negatives with dL/dr_j < 0.
        top_5: loss name to the share of the sum of |dL/dr_j| on the 5 best-scoring negatives,
            median over the rows; NaN where the sum is 0.
    """

    place: np.ndarray
    curves: dict[str, np.ndarray]
    pushed_up: dict[str, float]
    top_5: dict[str, float]


def negative_gradients(
    target: Target,
    negatives: Negatives,
    losses: Iterable[str] = LOSSES,
    *,
    bpreg: float = 0.0,
) -> NegativeGradients:
    """Median dL/dr_j of each loss against the negative's place.

    `bpreg` times the score regularisation is part of the losses that it acts on, as in training.

    Raises:
        ValueError: an unknown loss.
    """
    rows = best_first(negatives)
    count = rows.shape[1]
    places = np.unique(
        np.r_[np.arange(min(20, count)), np.geomspace(1, count, 150).astype(int) - 1]
    )
    # What the losses have in common is computed once.
    parts = Parts(target, rows)
    curves, pushed_up, top_5 = {}, {}, {}
    for name in losses:
        _, push = LOSSES[name].gradient_of(parts)
        if bpreg and LOSSES[name].shapes_scores:
            push = push + bpreg * score_regulariser_grad(rows, parts)
        curves[name] = np.median(push[:, places].cpu().numpy(), axis=0)
        pushed_up[name] = int((push < 0).sum()) / push.numel()
        size = push.abs()
        share = size[:, :5].sum(dim=1) / size.sum(dim=1)
        top_5[name] = float(np.median(share.cpu().numpy()))
    return NegativeGradients(places + 1, curves, pushed_up, top_5)
