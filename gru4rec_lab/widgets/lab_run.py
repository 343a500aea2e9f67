"""What happens behind the lab: the data, the run and what is looked at while it goes on."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from ..config import Config
from ..controls import ControlChanged, Controls, Settings
from ..datasets import load_sessions
from ..diagnostics import (
    GradientByRank,
    SoftmaxWeights,
    effective_negatives,
    gradient_by_rank,
    probe_scores,
    softmax_weights,
)
from ..evaluation import evaluate
from ..events import EpochDone, Event, Observed, Report, Started
from ..losses import LOSSES, elu
from ..recommend import Recommender
from ..sessions import Sessions
from ..training import NonFiniteLoss, observed, train
from .lab_probe import Probe, Recommended

N_VALIDATION, N_PROBE = 1000, 300
# Rows times columns of the scores looked at: some 20 ms for the gradients of all losses.
N_SCORES = 200_000


class LabData(NamedTuple):
    """Sessions to train on, to evaluate on at ends of epochs, and to look at in between."""

    training: Sessions
    validation: Sessions
    probe: Sessions


def lab_data(sessions: Sessions | None, validation: Sessions | None) -> LabData:
    """The lab's parts of `sessions` (flights, if None); its last tenth validates if nothing else.

    Of the flights only the most recent fifth of the training part is used: an epoch of seconds.
    """
    training = sessions
    if sessions is None:
        training, last = load_sessions("flights").filtered().split_last(fraction=0.1)
        training = training.most_recent(0.2)
        validation = last if validation is None else validation
    elif validation is None:
        training, validation = sessions.split_last(fraction=0.1)
    known = validation.with_items(training.item_ids)
    validation = known.take(known.lengths >= 2).sample(N_VALIDATION)
    return LabData(training, validation, validation.sample(N_PROBE))


@dataclass(frozen=True, eq=False)
class View:
    """What the lab sees of the model after some step.

    Attributes:
        recall_20, recall_1, mrr_20: on the probe sessions, over the whole catalogue.
        loss: the loss in force.
        gradients: of all losses, on the scores as the loss in force sees them.
        weights: softmax weights of the negatives on these scores.
        effective: effective negatives on these scores.
        recommended: ten recommendations for the probe session.
    """

    recall_20: float
    recall_1: float
    mrr_20: float
    loss: str
    gradients: GradientByRank
    weights: SoftmaxWeights
    effective: float
    recommended: Recommended


def look(model: Recommender, data: LabData, settings: Settings, probe: Probe) -> View | None:
    """The view of the model as it is now; runs in the training thread, between two steps.

    None if its weights or scores are not finite.
    """
    if not all(weight.isfinite().all() for weight in model.network.state_dict().values()):
        return None
    loss, batch_size = LOSSES[settings.loss], model.config.batch_size
    target, negatives = probe_scores(
        model,
        data.probe,
        n_sample=settings.n_sample,
        sample_alpha=settings.sample_alpha,
        support=torch.from_numpy(data.training.support),
        logq=settings.logq if loss.corrects_logq else 0.0,
        batch_size=batch_size,
        max_targets=max(1, N_SCORES // (batch_size + settings.n_sample)),
    )
    if not (target.isfinite().all() and negatives.isfinite().all()):
        return None
    if loss.shapes_scores or model.config.shape_scores == "all":
        target, negatives = (elu(part, settings.elu_param) for part in (target, negatives))
    quality = evaluate(model, data.probe, k=(1, 20))
    return View(
        recall_20=quality.recall[20],
        recall_1=quality.recall[1],
        mrr_20=quality.mrr[20],
        loss=settings.loss,
        gradients=gradient_by_rank(target, negatives),
        weights=softmax_weights(negatives),
        effective=effective_negatives(negatives),
        recommended=probe.recommend(model, data.validation),
    )


def lab_events(
    config: Config,
    controls: Controls,
    load: Callable[[], LabData],
    look_every: int,
    probe: Probe,
    stepping: threading.Lock,
) -> Iterator[Event]:
    """The events of a lab run; loads the data first, so that a live run does it in its thread.

    `stepping` is held while the model may change, so that whoever holds it sees a whole step.

    Raises:
        NonFiniteLoss: from the generator, when the loss or the scores stop being finite.
    """
    data = load()
    events = train(config, data.training, controls=controls, validation=data.validation)
    events = observed(events, look_every, lambda model: look(model, data, controls.settings, probe))
    while True:
        with stepping:
            event = next(events, None)
        if event is None:
            return
        if isinstance(event, Observed) and event.value is None:
            raise NonFiniteLoss(_not_finite(event.step, controls.settings))
        yield event


def _not_finite(step: int, settings: Settings) -> str:
    # Scores can overflow where the loss of a batch does not.
    return (
        f"the model's scores are not finite at step {step} with the {settings.loss} loss and "
        f"learning_rate {settings.learning_rate:g}; try a smaller learning_rate or momentum"
    )


@dataclass
class Course:
    """All events of a run so far and, drawn from them, what the picture shows.

    Attributes:
        events: every event polled, oldest first.
        loss: the loss in force.
        losses: loss name to (step, mean loss) of each report; one that spans a change of the loss
            is left out, since its mean is of two losses.
        views: (step, view) pairs.
        epochs: ends of epochs with an evaluation.
        marks: changed controls.
    """

    loss: str
    n_epochs: int
    events: list[Event] = field(default_factory=list)
    losses: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    views: list[tuple[int, View]] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    marks: list[ControlChanged] = field(default_factory=list)
    started: Started | None = None
    report: Report | None = None
    steps_per_second: float = 0.0
    _mixed: bool = False

    def add(self, event: Event) -> None:
        """Take in the next event."""
        self.events.append(event)
        match event:
            case Started():
                self.started = event
            case Report():
                self._add_report(event)
            case ControlChanged():
                self.marks.append(event)
                if event.name == "loss":
                    self.loss, self._mixed = event.new, True
            case Observed():
                self.views.append((event.step, event.value))
            case EpochDone() if event.evaluation is not None:
                self.epochs.append(event)

    def _add_report(self, report: Report) -> None:
        before = self.report.step if self.report else 0
        self.steps_per_second = (report.step - before) / max(report.seconds, 1e-9)
        self.report = report
        if not self._mixed:
            self.losses.setdefault(self.loss, []).append((report.step, report.loss))
        self._mixed = False

    @property
    def n_steps(self) -> int:
        """Steps of the whole run; 0 before it has started."""
        return self.started.n_steps * self.n_epochs if self.started else 0

    @property
    def clicks_per_second(self) -> float:
        """Targets trained on a second, by the last report."""
        return self.report.clicks / max(self.report.seconds, 1e-9) if self.report else 0.0
