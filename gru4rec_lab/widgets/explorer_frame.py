"""The numbers behind the explorer's picture as a table."""

from typing import TYPE_CHECKING

import numpy as np

from ..diagnostics import GradientByRank, NegativeGradients, ScoreHistogram, SoftmaxWeights

if TYPE_CHECKING:
    import pandas as pd


def frame_of(
    curves: GradientByRank,
    weights: SoftmaxWeights,
    pushes: NegativeGradients,
    histogram: ScoreHistogram,
) -> "pd.DataFrame":
    """One row a number, with the columns `quantity`, `loss`, `place` and `value`.

    `pull` is -dL/dr_i by the target's rank (0 the best), `push` is dL/dr_j by the negative's place
    (1 the best); `weight` and `mass` are softmax weights by place, `negatives`, `negatives_weight`
    and `targets` shares by score (the middle of the bin): those are of no loss ("").
    """
    import pandas as pd

    parts = [_part("pull", name, curves.rank, curve) for name, curve in curves.curves.items()]
    parts += [_part("push", name, pushes.place, curve) for name, curve in pushes.curves.items()]
    place = np.arange(1, len(weights.weight) + 1)
    parts += [_part("weight", "", place, weights.weight)]
    parts += [_part("mass", "", place, weights.cumulated)]
    middle = (histogram.edges[1:] + histogram.edges[:-1]) / 2
    parts += [_part("negatives", "", middle, histogram.negatives)]
    parts += [_part("negatives_weight", "", middle, histogram.weight)]
    parts += [_part("targets", "", middle, histogram.targets)]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


def _part(quantity: str, loss: str, place: np.ndarray, value: np.ndarray) -> dict:
    seen = np.isfinite(place) & np.isfinite(value)
    names = {"quantity": quantity, "loss": loss}
    return names | {"place": place[seen].astype(float), "value": value[seen].astype(float)}
