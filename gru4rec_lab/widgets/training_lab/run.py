"""A lab run: data that loads in its thread, a training at a pace to follow, looks at the model."""

import threading
from collections.abc import Callable, Iterator
from time import perf_counter

from ...config import Config
from ...data.lab_split import LabData
from ...training.controls import Controls, Settings
from ...training.events import Event, Observed, StepDone
from ...training.live import LiveRun
from ...training.loop import NonFiniteLoss, train
from .history import Course
from .observation import Pace, look, looked
from .probe import Probe

CATCH_UP = 0.25


class SpeedLimit:
    """Holds steps back, since a small model has learned all it can before a learner has looked.

    Attributes:
        steps_per_second: as many at most, 0 for no limit; set from any thread.

    Raises:
        ValueError: a limit that is no whole number, or below 0.
    """

    def __init__(self, steps_per_second: int):
        if not isinstance(steps_per_second, int) or steps_per_second < 0:
            raise ValueError(
                f"speed_limit must be 0 (none) or a whole number, got {steps_per_second!r}"
            )
        self.steps_per_second = steps_per_second
        self._due = perf_counter()
        self._freed = threading.Event()

    def free(self) -> None:
        """Hold nothing back any more: whoever waits goes on."""
        self._freed.set()

    def wait(self) -> bool:
        """Wait until the next step is due; whether there was time to.

        A quarter of a second lost to a look is made up for, longer ones and pauses are not.
        """
        if not self.steps_per_second or self._freed.is_set():
            return False
        self._due = max(self._due + 1 / self.steps_per_second, perf_counter() - CATCH_UP)
        early = self._due - perf_counter()
        self._freed.wait(max(0.0, early))
        return early > 0


def lab_events(
    config: Config,
    controls: Controls,
    load: Callable[[], LabData],
    pace: Pace,
    probe: Probe,
    stepping: threading.Lock,
    limit: SpeedLimit,
) -> Iterator[Event]:
    """The events of a lab run; loads the data first, so that a live run does it in its thread.

    `stepping` is held while the model may change, so that whoever holds it sees a whole step.

    Raises:
        NonFiniteLoss: from the generator, when the loss or the scores stop being finite.
    """
    data = load()
    events = train(config, data.training, controls=controls, validation=data.validation)
    events = looked(events, lambda model: look(model, data, controls.settings, probe), pace)
    while True:
        with stepping:
            event = next(events, None)
        if event is None:
            return
        if isinstance(event, Observed) and event.value is None:
            raise NonFiniteLoss(_not_finite(event.step, controls.settings))
        if isinstance(event, StepDone):
            pace.at_leisure = limit.wait()
        yield event


def state_of(run: LiveRun | None, course: Course) -> str:
    """idle, loading, running, paused, stopped, finished, or "failed: " and why."""
    if run is None:
        return "idle"
    if run.state == "failed":
        return f"failed: {run.error}"
    loading = run.state == "running" and course.started is None
    return "loading" if loading else run.state


def _not_finite(step: int, settings: Settings) -> str:
    # Scores can overflow where the loss of a batch does not.
    return (
        f"the model's scores are not finite at step {step} with the {settings.loss} loss and "
        f"learning_rate {settings.learning_rate:g}; try a smaller learning_rate or momentum"
    )
