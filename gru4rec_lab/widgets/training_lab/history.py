"""What is known of a lab run: its events so far, as what picture and words show, and as a table."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...training.controls import ControlChanged
from ...training.events import EpochDone, Event, Observed, Report, Started
from .observation import View

if TYPE_CHECKING:
    import pandas as pd
COLUMNS = ["step", "event", "loss name", "loss", "recall@1", "recall@20", "mrr@20", "change"]


@dataclass
class Course:
    """All events of a run so far and, drawn from them, what the picture shows.

    Attributes:
        events: every event polled, oldest first.
        loss: the loss in force.
        losses: loss name to (step, mean loss) of each report; one that spans a change of the loss
            is left out, since its mean is of two losses.
        views: (step, view) pairs; only the last view keeps its weights and scores.
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
    _looked: int = 0

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
                self._add_view(event)
            case EpochDone() if event.evaluation is not None:
                self.epochs.append(event)

    def _add_view(self, event: Observed) -> None:
        if self.views:
            # Thousands of looks fit into memory, thousands of their distributions would not.
            step, view = self.views[-1]
            lean = replace(view, weights=None, scores=None)
            self.views[-1] = step, lean
            self.events[self._looked] = replace(self.events[self._looked], value=lean)
        self.views.append((event.step, event.value))
        self._looked = len(self.events) - 1

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


def history_frame(events: list[Event], loss: str) -> "pd.DataFrame":
    """One row a report, look, end of an epoch and change of a control, oldest first.

    Columns: step; event ("report", "look", "epoch end", "change"); name of the loss in force; loss
    (mean of a target: since the last report, or of the epoch); recall@1, recall@20, mrr@20 (shares
    of targets: of the probe at a look, of the validation sessions at an epoch end); change in
    words. What an event does not tell is missing. `loss` is the name at the start.
    """
    import pandas as pd

    rows = []
    for event in events:
        if isinstance(event, ControlChanged) and event.name == "loss":
            loss = event.new
        if row := _row(event):
            rows.append({"step": event.step, "loss name": loss} | row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(event: Event) -> dict[str, Any]:
    match event:
        case Report():
            return {"event": "report", "loss": event.loss}
        case ControlChanged():
            return {"event": "change", "change": f"{event.name} {event.old} -> {event.new}"}
        case Observed():
            view = event.value
            shares = _shares(view.recall_1, view.recall_20, view.mrr_20)
            return {"event": "look"} | shares
        case EpochDone(evaluation=None):
            return {"event": "epoch end", "loss": event.loss}
        case EpochDone(evaluation=of):
            shares = _shares(of.recall[1], of.recall[20], of.mrr[20])
            return {"event": "epoch end", "loss": event.loss} | shares
    return {}


def _shares(*values: float) -> dict[str, float]:
    return dict(zip(("recall@1", "recall@20", "mrr@20"), values, strict=True))
