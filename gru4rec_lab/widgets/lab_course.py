"""What is known of a lab run: its events so far, sorted into what the picture and words show."""

from dataclasses import dataclass, field, replace

from ..controls import ControlChanged
from ..events import EpochDone, Event, Observed, Report, Started
from .lab_look import View


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
