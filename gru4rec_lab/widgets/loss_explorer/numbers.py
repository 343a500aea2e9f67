"""The numbers that the explorer says in words, its dots, and all it draws as a table."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Numbers:
    """What `LossExplorer.numbers` lists; None where it does not apply."""

    negatives: int
    spread: float
    effective: float
    top_5: float
    near: float
    target: float
    rank: float
    gradient: dict[str, float]
    pushed_up: dict[str, float]
    push_top_5: dict[str, float]
    effective_theory: float | None = None
    median_rank: float | None = None
    by_alpha: dict[float, dict[str, float]] | None = None


def numbers_of(scores: Scores, settings: dict[str, Any], pushes: NegativeGradients) -> Numbers:
    """The numbers of these scores, of negatives that are pushed like this."""
    rows, target = scores.rows, scores.target
    trained = settings["source"] == "trained"
    return Numbers(
        negatives=rows.shape[1],
        spread=float(rows.std(correction=0)),
        effective=effective_negatives(rows),
        top_5=top_share(rows, 5),
        near=_near(scores),
        target=float(target[0]),
        rank=float(ranks(target, rows).double().quantile(0.5)),
        gradient=target_gradients(target, rows, settings["losses"]),
        pushed_up=pushes.pushed_up,
        push_top_5=pushes.top_5,
        effective_theory=_theory(rows.shape[1], settings),
        median_rank=_median_rank(settings, settings["sample_alpha"]) if trained else None,
        by_alpha={alpha: _at_alpha(settings, alpha) for alpha in (0.0, 1.0)} if trained else None,
    )


def _near(scores: Scores) -> float:
    above = torch.tensor(NEAR).logit()
    near = scores.rows > scores.target[:, None] + above
    return int(near.sum()) / near.numel()


def _theory(n_negatives: int, settings: dict[str, Any]) -> float | None:
    spread = settings["spread"] / settings["temperature"]
    holds = settings["source"] == "gaussian" and spread < THEORY_HOLDS
    return gaussian_effective(n_negatives, spread) if holds else None


def _at_alpha(settings: dict[str, Any], alpha: float) -> dict[str, float]:
    scores = trained_scores(settings["epoch"], settings["model"])
    negatives = scores.negatives(settings["number"] - 1, settings["n_sample"], alpha)
    effective = effective_negatives(negatives[None] / settings["temperature"])
    return {"effective": effective, "median_rank": _median_rank(settings, alpha)}


def _median_rank(settings: dict[str, Any], alpha: float) -> float:
    scores = trained_scores(settings["epoch"], settings["model"])
    above = scores.ranks(settings["n_sample"], alpha)
    return float(above.quantile(0.5))


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
