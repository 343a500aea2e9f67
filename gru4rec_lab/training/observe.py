"""Observing a model while it trains: on a schedule, or at chosen moments; no model is kept."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from time import perf_counter
from typing import Any, NamedTuple

from ..config import Config
from ..data.sessions import Sessions
from ..recommender import Recommender
from .controls import ControlChanged, Settings
from .events import EpochDone, Event, Observed, Started, StepDone
from .loop import train

# Share of the time that observations may take; the larger one soon after a change, and where the
# training waits anyway.
USUAL, WORTH_MORE = 0.06, 0.3


class ObservationSchedule:
    """After which steps to observe, so that it takes a small share of the time.

    At the start, at the ends of epochs, every `every` steps if the time for it was saved up since
    the last ones, and soon after a control was changed. Which steps that are depends on the
    machine; with `at`, the steps of an earlier run, it is after these, and as usual after the last
    of them.

    Attributes:
        each_step: all steps are observed, as for a learner who goes step by step; set from any
            thread.
        throttled: the training waits between its steps, so that observations may take more time.
    """

    def __init__(self, every: int = 1, at: Collection[int] = ()):
        self._every, self._at, self._last = every, frozenset(at), max(at, default=-1)
        self.each_step = self.throttled = self._changed = False
        self._took, self._began, self._paid = 0.0, perf_counter(), 0.0

    def changed(self) -> None:
        """A control was changed: observe soon after the next step."""
        self._changed = True

    def due(self, step: int, *, ends_epoch: bool = False) -> bool:
        """Whether to observe the model now, after step number `step` (0: before the first)."""
        if step <= self._last and not self.each_step:
            return step in self._at
        if step == 0 or ends_epoch or self.each_step:
            return True
        if self._changed or self.throttled:
            rested = perf_counter() >= self._began + self._took / WORTH_MORE
        else:
            rested = perf_counter() >= self._paid
        return rested and (self._changed or step % self._every == 0)

    def timed(self, observe: Callable[..., Any], *of_the_run: Any) -> Any:
        """What `observe` returns; the next observation waits according to the time it took."""
        share = WORTH_MORE if self._changed or self.throttled else USUAL
        self._changed, self._began = False, perf_counter()
        value = observe(*of_the_run)
        self._took = perf_counter() - self._began
        # Those that come early, as at the ends of short epochs, are paid for as well.
        self._paid = max(self._paid, self._began) + self._took / share
        return value


def observed(
    events: Iterator[Event],
    observe: Callable[[Recommender, Settings], Any],
    schedule: ObservationSchedule,
) -> Iterator[Event]:
    """The events, with `Observed` ones among them where `schedule` says so.

    `observe` is given the model and the settings that its last step was trained with. What it
    returns comes before the `StepDone` of that step, where runs are held: whoever pauses has
    seen the model as it is.
    """
    model, settings, ends_epoch = None, None, False

    def observation(step: int, epoch: int) -> Iterator[Observed]:
        if schedule.due(step, ends_epoch=ends_epoch):
            yield Observed(step, epoch, settings, schedule.timed(observe, model, settings))

    for event in events:
        if isinstance(event, StepDone):
            yield from observation(event.step, event.epoch)
            ends_epoch = False
        yield event
        if isinstance(event, Started):
            model, settings = event.model, event.settings
            yield from observation(0, 1)
        elif isinstance(event, ControlChanged):
            settings = event.settings
            schedule.changed()
        elif isinstance(event, EpochDone):
            ends_epoch = True


class AtEpoch(NamedTuple):
    """What was observed of a model after so many epochs and steps."""

    epoch: float
    step: int
    value: Any


def at_epochs(
    config: Config,
    sessions: Sessions,
    observe: Callable[[Recommender], Any],
    epochs: Iterable[float],
) -> Iterator[AtEpoch]:
    """What `observe(model)` returns after each of these epochs; fractions become whole steps.

    0 is the untrained model. Training ends with the last of them, whatever `config.n_epochs`.

    Raises:
        ValueError: no moment, or one before 0.
        NonFiniteLoss: the loss stopped being finite.
    """
    moments = sorted(set(epochs))
    if not moments or moments[0] < 0:
        raise ValueError(f"epochs must be numbers from 0 on, got {moments}; for example (0, .5, 1)")
    whole = config.with_changes(n_epochs=max(1, -int(-moments[-1] // 1)))
    return _at(moments, train(whole, sessions), observe)


def _at(moments: list[float], events: Iterator[Event], observe) -> Iterator[AtEpoch]:
    started = next(events)
    steps = [round(moment * started.n_steps) for moment in moments]
    schedule = ObservationSchedule(at=steps)
    seen = observed(chain([started], events), lambda model, _settings: observe(model), schedule)
    for event in (event for event in seen if isinstance(event, Observed)):
        for moment, step in zip(moments, steps, strict=True):
            if step == event.step:
                yield AtEpoch(moment, step, event.value)
        if event.step == steps[-1]:
            return
