"""What the lab sees of the model while it trains, and how often it looks."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from time import perf_counter

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
from ...evaluation.full_ranking import evaluate
from ...recommend import Recommender
from ...training.controls import ControlChanged, Settings
from ...training.events import EpochDone, Event, Observed, Started, StepDone
from .probe import Probe, Recommended

# Rows times columns of the scores looked at: some 15 ms for the gradients of all losses.
N_SCORES = 120_000
SCORE_BINS = {"low": -10.0, "high": 20.0, "n_bins": 120}
# Share of the time that looks may take, and that they may take where they are worth more.
USUAL, AT_A_CHANGE = 0.06, 0.3


@dataclass(frozen=True, eq=False)
class View:
    """What the lab sees of the model after some step.

    Attributes:
        recall_20, recall_1, mrr_20: on the probe sessions, over the whole catalogue.
        loss: the loss in force.
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
    loss: str
    gradients: GradientByRank
    weights: SoftmaxWeights | None
    scores: ScoreHistogram | None
    n_negatives: int
    effective: float
    recommended: Recommended


def look(model: Recommender, data: LabData, settings: Settings, probe: Probe) -> View | None:
    """The view of the model as it is now; runs in the training thread, between two steps.

    It draws from a generator of its own, so that a run is the same however often it is looked at.
    None if its weights or scores are not finite.
    """
    if not all(weight.isfinite().all() for weight in model.network.state_dict().values()):
        return None
    target, negatives = probe_scores(
        model,
        data.probe,
        settings=settings,
        support=torch.from_numpy(data.training.support),
        max_targets=max(1, N_SCORES // (model.config.batch_size + settings.n_sample)),
    )
    # Absent negatives are at -inf.
    if not (target.isfinite().all() and (negatives < torch.inf).all()):
        return None
    target, negatives = seen_by_loss(model.config, target, negatives, settings=settings)
    quality = evaluate(model, data.probe, k=(1, 20))
    return View(
        recall_20=quality.recall[20],
        recall_1=quality.recall[1],
        mrr_20=quality.mrr[20],
        loss=settings.loss,
        gradients=gradient_by_rank(target, negatives),
        weights=softmax_weights(negatives),
        scores=score_histogram(target, negatives, **SCORE_BINS),
        n_negatives=negatives.shape[1],
        effective=effective_negatives(negatives),
        recommended=probe.recommend(model, data.validation),
    )


class Pace:
    """After which steps to look, so that looking takes a small share of the time.

    Every `every` steps if the last look is long enough ago, and soon after a changed control or
    when `soon` is set, from any thread; more often `at_leisure`, when the training waits anyway.
    Which steps that are depends on the machine; with `at`, the steps of an earlier run, it is after
    these and no others.
    """

    def __init__(self, every: int, at: Collection[int] | None = None):
        self._every, self._at = every, at
        self.soon = self.at_leisure = False
        self._took, self._ended = 0.0, perf_counter()

    def due(self, step: int) -> bool:
        """Whether to look now, after step number `step`."""
        if self._at is not None:
            return step in self._at
        share = AT_A_CHANGE if self.soon or self.at_leisure else USUAL
        rested = perf_counter() - self._ended >= self._took * (1 / share - 1)
        return rested and (self.soon or step % self._every == 0)

    def timed(self, see: Callable[[Recommender], View | None], model: Recommender) -> View | None:
        """What `see` gives for the model; the next look waits according to the time it took."""
        self.soon, began = False, perf_counter()
        view = see(model)
        self._ended = perf_counter()
        self._took = self._ended - began
        return view


def looked(
    events: Iterator[Event], see: Callable[[Recommender], View | None], pace: Pace
) -> Iterator[Event]:
    """The events, and `Observed` views: at the start, at `pace`, and at the ends of epochs."""
    model, n_steps, step, epoch, settings = None, 1, 0, 1, None
    for event in events:
        yield event
        due = isinstance(event, Started | EpochDone)
        if isinstance(event, Started):
            model, n_steps, settings = event.model, event.n_steps, event.settings
        elif isinstance(event, ControlChanged):
            pace.soon, settings = True, event.settings
        elif isinstance(event, StepDone):
            step, epoch = event.step, event.epoch
            # After the last step of an epoch there is a look anyway.
            due = step % n_steps != 0 and pace.due(step)
        if due:
            yield Observed(step, epoch, settings, pace.timed(see, model))
