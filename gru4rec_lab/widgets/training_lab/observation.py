"""What the lab observes of its model while it trains."""

from dataclasses import dataclass

import torch

from ...data.lab_split import LabData
from ...diagnostics import (
    GradientByRank,
    ScoreHistogram,
    SoftmaxWeights,
    effective_negatives,
    gradient_by_rank,
    probe_scores,
    score_histogram,
    seen_by_loss,
    softmax_weights,
)
from ...evaluation import evaluate
from ...recommender import Recommender
from ...training.controls import Settings
from .probe import Probe, Recommended

# Rows times columns of the scores observed: some 15 ms for the gradients of all losses.
N_SCORES = 120_000
SCORE_BINS = {"low": -10.0, "high": 20.0, "n_bins": 120}


@dataclass(frozen=True, eq=False)
class Observation:
    """The model after some step.

    Attributes:
        recall_20, recall_1, mrr_20: on the probe sessions, over the whole catalogue.
        gradients: of all losses, on the scores as the loss in force sees them.
        weights: softmax weights of the negatives on these scores; None once it is old.
        scores: how these scores of targets and negatives are distributed; None once it is old.
        n_negatives: negatives of a target.
        effective: effective negatives on these scores.
        recommended: ten recommendations for the probe session.
    """

    recall_20: float
    recall_1: float
    mrr_20: float
    gradients: GradientByRank
    weights: SoftmaxWeights | None
    scores: ScoreHistogram | None
    n_negatives: int
    effective: float
    recommended: Recommended


def observe(
    model: Recommender, settings: Settings, data: LabData, probe: Probe
) -> Observation | None:
    """The model as it is now, its scores as the loss of `settings` sees them.

    Runs in the training thread, between two steps. It draws from a generator of its own, so that a
    run is the same however often it is observed. None if weights or scores are not finite.
    """
    if not all(weight.isfinite().all() for weight in model.network.state_dict().values()):
        return None
    n_columns = model.network.n_items
    if settings.n_sample != "all":
        n_columns = model.config.batch_size + settings.n_sample
    target, negatives = probe_scores(
        model,
        data.probe,
        settings=settings,
        support=torch.from_numpy(data.training.support),
        max_targets=max(1, N_SCORES // n_columns),
    )
    # A negative of -inf is absent; all else that is not finite is a fault.
    if not (target.isfinite().all() and (negatives < torch.inf).all()):
        return None
    target, negatives = seen_by_loss(model.config, target, negatives, settings=settings)
    quality = evaluate(model, data.probe, k=(1, 20))
    return Observation(
        recall_20=quality.recall[20],
        recall_1=quality.recall[1],
        mrr_20=quality.mrr[20],
        gradients=gradient_by_rank(target, negatives),
        weights=softmax_weights(negatives),
        scores=score_histogram(target, negatives, **SCORE_BINS),
        n_negatives=negatives.shape[1],
        effective=effective_negatives(negatives),
        recommended=probe.recommend(model, data.validation),
    )
