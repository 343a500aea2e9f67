"""Losses on a handful of scores: values and gradients in a table, and curves over the target.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..losses import LOSSES
from .gradients import target_pulls

if TYPE_CHECKING:
    import pandas as pd

One = Float[Tensor, "1"]
Row = Float[Tensor, "1 negatives"]


def loss_table(target: One, negatives: Row, losses: Iterable[str] = LOSSES) -> "pd.DataFrame":
    """A row a loss: its value, dL/dr_i of the target, dL/dr_j of each negative.

    The columns of gradients are named by the score that they belong to.

    Raises:
        ValueError: an unknown loss.
    """
    import pandas as pd

    columns = ["loss", f"target {target.item():g}"]
    columns += [f"negative {score:g}" for score in negatives[0].tolist()]
    rows = {}
    for name in losses:
        by_target, by_negative = LOSSES[name].gradient(target, negatives)
        value = LOSSES[name](target, negatives)
        rows[name] = torch.cat([value, by_target, by_negative[0]]).tolist()
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


@dataclass(frozen=True, eq=False)
class TargetCurves:
    """What the losses make of a target as its score moves past its negatives.

    Attributes:
        score: [points] score of the target.
        negatives: [N] scores of the negatives, which stay.
        value: loss name to [points] the loss.
        pull: loss name to [points] -dL/dr_i.
    """

    score: np.ndarray
    negatives: np.ndarray
    value: dict[str, np.ndarray]
    pull: dict[str, np.ndarray]


def target_curves(
    negatives: Row,
    *,
    low: float = -8,
    high: float = 8,
    losses: Iterable[str] = LOSSES,
    n_points: int = 161,
) -> TargetCurves:
    """Loss and pull of a target with these negatives at `n_points` scores from `low` to `high`.

    Raises:
        ValueError: an unknown loss.
    """
    negatives = negatives.cpu()
    target = torch.linspace(low, high, n_points, dtype=negatives.dtype)
    rows = negatives.expand(n_points, -1)
    value = {name: LOSSES[name](target, rows).numpy() for name in losses}
    pull = {name: pull.numpy() for name, pull in target_pulls(target, rows, value).items()}
    return TargetCurves(target.numpy(), negatives[0].numpy(), value, pull)
