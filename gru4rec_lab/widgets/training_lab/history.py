"""What is known of a lab run: its events so far, sorted into what picture and words show."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...config import Config
from ...training.controls import ControlChanged, Settings
from ...training.events import EpochDone, Event, Observed, Report, Started
from .observation import Observation

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["step", "event", "loss name", "loss", "recall@1", "recall@20", "mrr@20", "change"]


@dataclass(eq=False)
class History:
    """A run from its settings on: all its events and, drawn from them, what the panel shows.

    Attributes:
        config: the settings that it begins with.
        data: the data set that it trains on; None: the sessions given to the panel.
        events: every event told, oldest first.
        settings: the live settings in force in the last step that was told of.
        losses: loss name to (step, mean loss) of each report; one that spans a change of the loss
            is left out, since its mean is of two losses.
        observations: `Observed` events; only the last one keeps its weights and scores.
        epochs: ends of epochs with an evaluation.
        changes: changed controls.
        started, report: the first event and the last report; None before there is one.
        steps_per_second, clicks_per_second: by the last report; 0 before it.
    """

    config: Config
    data: str | None = None
    events: list[Event] = field(default_factory=list)
    losses: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    observations: list[Observed] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    changes: list[ControlChanged] = field(default_factory=list)
    started: Started | None = None
    report: Report | None = None
    steps_per_second: float = 0.0
    clicks_per_second: float = 0.0
    _mixed: bool = False
    _place: int = 0  # of the last observation among the events

    def __post_init__(self) -> None:
        self.settings = Settings.of(self.config)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, EpochDone) and self.epochs:
            event = self._lean(event)
        self.events.append(event)
        match event:
            case Started():
                self.started = event
            case Report():
                self._add_report(event)
            case ControlChanged():
                self.changes.append(event)
                self.settings = event.settings
                first = self.report.step + 1 if self.report else 1
                self._mixed |= event.name == "loss" and event.step > first
            case Observed():
                self._add_observation(event)
            case EpochDone() if event.evaluation is not None:
                self.epochs.append(event)

    def _lean(self, event: EpochDone) -> EpochDone:
        """The same, without a copy of what is the same at each end: who the targets are."""
        first = self.epochs[0].evaluation
        shared = {name: getattr(first, name) for name in ("session", "position", "target")}
        return replace(event, evaluation=replace(event.evaluation, **shared))

    def _add_observation(self, event: Observed) -> None:
        if self.observations:
            # Thousands of observations fit into memory, thousands of distributions would not.
            last = self.observations[-1]
            lean = replace(last, value=replace(last.value, weights=None, scores=None))
            # In this order: another thread may be drawing the last one.
            self.observations.append(event)
            self.observations[-2] = self.events[self._place] = lean
        else:
            self.observations.append(event)
        self._place = len(self.events) - 1

    def _add_report(self, report: Report) -> None:
        before = self.report.step if self.report else 0
        seconds = max(report.seconds, 1e-9)
        self.steps_per_second = (report.step - before) / seconds
        self.clicks_per_second = report.clicks / seconds
        self.report = report
        if not self._mixed:
            self.losses.setdefault(report.settings.loss, []).append((report.step, report.loss))
        self._mixed = False

    @property
    def n_steps(self) -> int:
        """Steps of the whole run; 0 before it has started."""
        return self.started.n_steps * self.config.n_epochs if self.started else 0

    @property
    def last_observation(self) -> Observation | None:
        """What was observed last; None before the first observation."""
        return self.observations[-1].value if self.observations else None

    def frame(self) -> "pd.DataFrame":
        """One row a report, observation, end of an epoch and change of a control, oldest first.

        Columns: step; event ("report", "observation", "epoch end", "change"); name of the loss in
        force; loss (mean of a target: since the last report, or of the epoch); recall@1, recall@20,
        mrr@20 (shares of targets: of the probe in an observation, of the validation sessions at an
        epoch end); change in words. What an event does not tell is missing.
        """
        import pandas as pd

        rows, loss = [], self.config.loss
        for event in self.events:
            if isinstance(event, ControlChanged):
                loss = event.settings.loss
            if row := _row(event):
                rows.append({"step": event.step, "loss name": loss} | row)
        return pd.DataFrame(rows, columns=COLUMNS)


def _row(event: Event) -> dict[str, Any]:
    match event:
        case Report():
            return {"event": "report", "loss": event.loss}
        case ControlChanged():
            return {"event": "change", "change": f"{event.name} {event.old} -> {event.new}"}
        case Observed(value=seen):
            shares = _shares(seen.recall_1, seen.recall_20, seen.mrr_20)
            return {"event": "observation"} | shares
        case EpochDone(evaluation=None):
            return {"event": "epoch end", "loss": event.loss}
        case EpochDone(evaluation=quality):
            shares = _shares(quality.recall[1], quality.recall[20], quality.mrr[20])
            return {"event": "epoch end", "loss": event.loss} | shares
    return {}


def _shares(*values: float) -> dict[str, float]:
    return dict(zip(("recall@1", "recall@20", "mrr@20"), values, strict=True))
