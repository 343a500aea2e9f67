"""The numbers that the explorer says in words, its dots, and all it draws as a table."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...diagnostics import (
    GradientByRank,
    NegativeGradients,
    ScoreHistogram,
    SoftmaxWeights,
    effective_negatives,
    gaussian_effective,
    ranks,
    target_gradients,
    top_share,
    trained_scores,
)
from .scores import Scores

if TYPE_CHECKING:
    import pandas as pd

THEORY_HOLDS = 1.5
NEAR = 0.1


def numbers_of(scores: Scores, of: dict[str, Any], pushes: NegativeGradients) -> dict[str, Any]:
    """What `LossExplorer.numbers` lists, for these scores and settings."""
    rows, target = scores.rows, scores.target
    n_negatives = rows.shape[1]
    numbers = {
        "negatives": n_negatives,
        "spread": float(rows.std(correction=0)),
        "effective": effective_negatives(rows),
        "top_5": top_share(rows, 5),
        "near": _near(scores),
        "target": float(target[0]),
        "rank": float(ranks(target, rows).double().quantile(0.5)),
        "gradient": target_gradients(target, rows, of["losses"]),
        "pushed_up": pushes.pushed_up,
        "push_top_5": pushes.top_5,
    }
    if of["source"] == "gaussian":
        numbers |= _theory(n_negatives, of["spread"] / of["temperature"])
    return numbers | (_of_trained(of) if of["source"] == "trained" else {})


def _near(scores: Scores) -> float:
    """Share of the negatives with sigma(r_j - r_i) above `NEAR`."""
    above = torch.tensor(NEAR).logit()
    near = scores.rows > scores.target[:, None] + above
    return int(near.sum()) / near.numel()


def _theory(n_negatives: int, spread: float) -> dict[str, float]:
    if spread >= THEORY_HOLDS:
        return {}
    return {"effective_theory": gaussian_effective(n_negatives, spread)}


def _of_trained(of: dict[str, Any]) -> dict[str, Any]:
    scores = trained_scores(of["epoch"])

    def effective(alpha: float) -> float:
        negatives = scores.negatives(of["number"] - 1, of["n_sample"], alpha)
        return effective_negatives(negatives[None] / of["temperature"])

    return {
        "median_rank": _median_rank(of, of["sample_alpha"]),
        "by_alpha": {
            alpha: {"effective": effective(alpha), "median_rank": _median_rank(of, alpha)}
            for alpha in (0.0, 1.0)
        },
    }


def _median_rank(of: dict[str, Any], alpha: float) -> float:
    return float(trained_scores(of["epoch"]).ranks(of["n_sample"], alpha).quantile(0.5))


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
