"""A lab run without a screen: it trains, can be changed, held, repeated, compared and saved."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

from ...config import Config
from ...data.lab_split import LabData, lab_data
from ...data.sessions import Sessions
from ...recommender import Recommendation, Recommender
from ...training.controls import ControlChanged, Controls
from ...training.events import Event, Observed, Report, StepDone
from ...training.live import LiveRun
from ...training.loop import train
from ...training.observe import ObservationSchedule, observed
from ...training.run import NonFiniteLoss
from .comparison import Comparison, Pinned, pinned_run, run_label
from .history import History
from .observation import observe
from .probe import Probe, Recommended

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
        """Hold nothing back any more; a step that waits goes on."""
        self._freed.set()

    def wait(self) -> bool:
        """Wait until the next step is due; whether there was time to.

        A quarter of a second lost to an observation is made up for, longer ones and pauses are not.
        """
        if not self.steps_per_second or self._freed.is_set():
            return False
        self._due = max(self._due + 1 / self.steps_per_second, perf_counter() - CATCH_UP)
        early = self._due - perf_counter()
        self._freed.wait(max(0.0, early))
        return early > 0


class LabRun:
    """A training that is changed while it goes on, and those that follow it.

    Its thread touches tensors only. What it tells is taken in by `poll`, in the thread of whoever
    calls that. Without `sessions` it trains on the lab's flights.

    Attributes:
        controls: the live settings as asked for: they act from the next step on, and on the next
            run. What trained is in `history`.
        history: what the run told so far, from the settings that it began with.
        probe: the session that gets recommendations.
        limit: the speed limit.
        pinned: the run to compare with; None without one.

    Args:
        observe_every: steps between two observations of the model, at least.
        speed_limit: steps a second at most; 0 for no limit.
        on_event: called in the training thread with each event that `poll` will take in.
        on_set: called after each change of the controls, in the thread that made it.

    Raises:
        ValueError: a config that cannot train here: that of a saved model may name a loss that
            is not in `LOSSES`.
    """

    def __init__(
        self,
        config: Config,
        sessions: Sessions | None = None,
        validation: Sessions | None = None,
        *,
        observe_every: int = 25,
        speed_limit: int = 50,
        on_event: Callable[[Event], None] | None = None,
        on_set: Callable[[], None] | None = None,
    ):
        self.config = config = config.with_changes()
        self._data_of = cache(partial(lab_data, sessions, validation))
        self._observe_every, self._on_event, self._on_set = observe_every, on_event, on_set
        self._polling, self._stepping = threading.RLock(), threading.Lock()
        self._schedule = ObservationSchedule(observe_every)
        self._comparison = Comparison()
        self._live: LiveRun | None = None
        self.probe, self.limit = Probe(), SpeedLimit(speed_limit)
        self.controls, self.history = Controls.of(config, on_set=on_set), History(config)
        self.pinned: Pinned | None = None
        self._asked: tuple[int, Recommended] | None = None

    @property
    def state(self) -> str:
        """idle, loading, running, paused, stopped, finished, or "failed: " and why."""
        if self._live is None:
            return "idle"
        if self._live.state == "failed":
            return f"failed: {self._live.error}"
        loading = self._live.state == "running" and self.history.started is None
        return "loading" if loading else self._live.state

    @property
    def ready(self) -> bool:
        """Whether there is a run that can go on: one that is prepared, running or paused."""
        return self._live is not None and self._live.state in ("idle", "running", "paused")

    @property
    def steps(self) -> int:
        """Steps done."""
        return self._live.steps if self._live else 0

    @property
    def error(self) -> Exception | None:
        """What ended a failed run."""
        return self._live.error if self._live else None

    @property
    def pending(self) -> list[ControlChanged]:
        """What the next step will change: where what is asked for differs from what trained."""
        if not self.ready:
            return []
        trained, asked = asdict(self.history.settings), asdict(self.controls.settings)
        return [
            ControlChanged(self.steps + 1, name, trained[name], value)
            for name, value in asked.items()
            if value != trained[name]
        ]

    @property
    def model(self) -> Recommender | None:
        """The model being trained; None before the run has started."""
        return self.history.started.model if self.history.started else None

    @property
    def recommendations(self) -> list[Recommendation]:
        """The ten best items for the probe session, as last seen; empty before that."""
        return list(self.answer[1].top) if self.answer else []

    @property
    def answer(self) -> tuple[int, Recommended] | None:
        """The step of the model that recommended last, and what; None before there is one."""
        seen = self.history.observations[-1] if self.history.observations else None
        if self._asked and (seen is None or seen.step <= self._asked[0]):
            return self._asked
        return (seen.step, seen.value.recommended) if seen else None

    @property
    def label(self) -> str:
        """What the run is called in comparisons."""
        return run_label(self.history.config, self.history.changes)

    def prepare(self, data: str | None = None, **settings: Any) -> None:
        """A new run, of the live settings asked for and these that need a new run; ends the last.

        Args:
            data: a name of `list_datasets()`; None for the sessions given.
            settings: of `Config`.

        Raises:
            ValueError: a bad setting; the last run is then left as it is.
        """
        config = self.config.with_changes(**settings | asdict(self.controls.settings))
        self.reset()
        self._make(config, data)

    def start(self) -> None:
        """Begin the run that is prepared, or a new one; go on after a pause."""
        if not self.ready:
            self.prepare(self.history.data)
        self._schedule.each_step = False
        (self._live.start if self._live.state == "idle" else self._live.resume)()

    def pause(self) -> None:
        """Pause a running training before its next step, resume a paused one."""
        if self.state == "paused":
            self.start()
        elif self._live is not None:
            self._live.pause()

    def step(self) -> None:
        """Train one step, observe the model and pause; a running training pauses.

        Pressed while such a step is under way, it takes one more.
        """
        if not self.ready:
            self.prepare(self.history.data)
        if self._live.state == "running" and not self._schedule.each_step:
            self._live.pause()
        else:
            self._schedule.each_step = True
            self._live.step()

    def stop(self, timeout: float = 5.0) -> None:
        """End the run after its step under way.

        Raises:
            TimeoutError: the step goes on after `timeout` seconds; stop again later.
        """
        self.limit.free()
        ended = not self.ready or self._live.stop(timeout)
        self.poll()
        if not ended:
            raise TimeoutError(f"the step under way goes on after {timeout:g} s; stop again later")

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the run has ended, for scripts and tests; whether it has."""
        ended = self._live is None or self._live.wait(timeout)
        self.poll()
        return ended

    def reset(self) -> None:
        """End the run and forget it; the controls stay.

        Raises:
            TimeoutError: as of `stop`.
            ValueError: the loss asked for was removed from `LOSSES`; the run is not forgotten.
        """
        self.stop()
        config = self.config.with_changes(**asdict(self.controls.settings))
        self._live, self.history = None, History(config, self.history.data)
        self._asked = None

    def replay(self) -> None:
        """Run again: same settings, same seed, same changes and observations at the same steps.

        A run that was stopped goes on behind its last observation, and is observed as usual there.

        Raises:
            ValueError: there was no run yet.
        """
        if self.history.started is None:
            raise ValueError("there is no run to repeat yet; press Start first")
        self.stop()
        old = self.history
        self._make(old.config, old.data, old.changes, [seen.step for seen in old.observations])
        self.start()

    def poll(self) -> list[Event]:
        """Take in what the run told since the last call; the events, oldest first."""
        with self._polling:
            events = self._live.poll() if self._live is not None else []
            for event in events:
                self.history.add(event)
            return events

    def pin(self, label: str | None = None) -> None:
        """Keep the quality of this run to compare the next one with; replaces a pinned run.

        Raises:
            ValueError: there is no run to pin, or it has not been observed yet.
        """
        self.poll()
        self.pinned = pinned_run(self.history, label)

    def compared(self) -> str:
        """The pinned run beside this one as HTML; empty without a pinned run."""
        return self._comparison.table(self.pinned, self.history)

    def ask(self, choice: int | tuple[str, ...]) -> None:
        """Ask about this session from now on, as `Probe.choice`; `answer` is there at once.

        A running training waits meanwhile.
        """
        self.probe.choice = choice
        self.poll()
        if self.model is not None:
            data = self._data_of(self.history.data)
            with self._stepping:
                found = self.probe.recommend(self.model, data.validation)
            self._asked = self.steps, found

    def save(self, path: str | Path) -> Path:
        """Write the model between two steps, as `load_model` reads it; the path written.

        A running training waits meanwhile.

        Raises:
            ValueError: there is no model yet.
        """
        self.poll()
        if self.model is None:
            raise ValueError("there is no model to save yet; press Start first")
        with self._stepping:
            return self.model.save(Path(path).expanduser())

    def _make(
        self,
        config: Config,
        data: str | None,
        replay: Iterable[ControlChanged] = (),
        at: Collection[int] = (),
    ) -> None:
        """A run that waits for its start; with the changes and observations of an earlier one."""
        self.history, self._asked = History(config, data), None
        self.controls = Controls.of(config, replay=replay, on_set=self._on_set)
        # A lock for each run: one that outlived its `stop` must not hold back the next.
        self._stepping = threading.Lock()
        self._schedule = ObservationSchedule(self._observe_every, at)
        self.limit = SpeedLimit(self.limit.steps_per_second)
        how = self._schedule, self.probe, self._stepping, self.limit
        load = partial(self._data_of, data)
        self._live = LiveRun(lab_events(config, self.controls, load, *how), self._on_event)


def lab_events(
    config: Config,
    controls: Controls,
    load: Callable[[], LabData],
    schedule: ObservationSchedule,
    probe: Probe,
    stepping: threading.Lock,
    limit: SpeedLimit,
) -> Iterator[Event]:
    """The events of a lab run; loads the data first, so that a live run does it in its thread.

    `stepping` is held while the model may change, so that whoever holds it sees a whole step.

    Raises:
        NonFiniteLoss: from the generator, when the loss or the scores stop being finite; where the
            loss did not, the model keeps its weights.
    """
    data = load()
    events = train(config, data.training, controls=controls, validation=data.validation)
    events = observed(
        events, lambda model, settings: observe(model, settings, data, probe), schedule
    )
    while True:
        with stepping:
            event = next(events, None)
        if event is None:
            return
        if isinstance(event, Observed) and event.value is None:
            # Where the loss failed too, the next report says at which step, with which settings.
            with stepping:
                any(isinstance(later, Report) for later in events)
            raise NonFiniteLoss(_not_finite(event))
        if isinstance(event, StepDone):
            schedule.throttled = limit.wait()
        yield event


def _not_finite(seen: Observed) -> str:
    # Scores can overflow where the loss of a batch does not.
    return (
        f"the model's scores are not finite at step {seen.step} with the {seen.settings.loss} loss "
        f"and learning_rate {seen.settings.learning_rate:g}; try a smaller learning_rate or "
        f"momentum"
    )
