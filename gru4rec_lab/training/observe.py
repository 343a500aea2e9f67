"""Looking at a model at chosen moments of its training, without keeping the models."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..config import Config
from ..data.sessions import Sessions
from ..recommend import Recommender
from .events import Started, StepDone
from .loop import train


class Seen(NamedTuple):
    """What was seen of a model: after how many epochs and steps, and what it was."""

    epoch: float
    step: int
    value: Any


def at_epochs(
    config: Config,
    sessions: Sessions,
    look: Callable[[Recommender], Any],
    epochs: Iterable[float],
) -> Iterator[Seen]:
    """What `look(model)` gives after each of these epochs; fractions are rounded to whole steps.

    0 is the untrained model. Training ends with the last of them, whatever `config.n_epochs`.

    Raises:
        ValueError: no moment, or one before 0.
        NonFiniteLoss: the loss stopped being finite.
    """
    due = sorted(set(epochs))
    if not due or due[0] < 0:
        raise ValueError(f"epochs must be numbers from 0 on, got {due}; for example (0, .5, 1)")
    return _seen(config.with_changes(n_epochs=max(1, -int(-due[-1] // 1))), sessions, look, due)


def _seen(config: Config, sessions: Sessions, look, due: list[float]) -> Iterator[Seen]:
    model, n_steps, step = None, 0, 0
    for event in train(config, sessions):
        if isinstance(event, Started):
            model, n_steps = event.model, event.n_steps
        elif isinstance(event, StepDone):
            step = event.step
        else:
            continue
        while due and round(due[0] * n_steps) == step:
            yield Seen(due.pop(0), step, look(model))
        if not due:
            return
