"""What a training tells: one frozen event for each thing that happens, in order.

    Started  (ControlChanged* Report? EpochDone? StepDone)*  Finished

`StepDone` is the last event of its step, and the place where a run is paused. Whoever observes the
model adds `Observed` events before it.
"""

from dataclasses import dataclass
from typing import Any

from ..evaluation import Evaluation
from ..recommender import Recommender
from .controls import ControlChanged, Settings


@dataclass(frozen=True)
class Started:
    """The run exists: its live model, the steps of an epoch, its device, which step it takes.

    `step` is "plain", "numba", "graph" or "compiled"; see `Config.step`. `settings` are those of
    the config, or of the checkpoint that it goes on from; `n_done` steps were done before that.
    """

    model: Recommender
    n_steps: int
    device: str
    step: str
    settings: Settings
    n_done: int = 0


@dataclass(frozen=True)
class StepDone:
    """Step number `step` (1-based, over all epochs) of epoch number `epoch` (1-based) is done."""

    step: int
    epoch: int


@dataclass(frozen=True)
class Report:
    """Mean loss of a target since the last report, how many they were and the seconds it took.

    `settings` are those that its last step trained with.
    """

    step: int
    epoch: int
    loss: float
    clicks: int
    seconds: float
    settings: Settings


@dataclass(frozen=True)
class EpochDone:
    """The end of an epoch: its mean loss of a target, and the evaluation on validation sessions."""

    step: int
    epoch: int
    loss: float
    evaluation: Evaluation | None


@dataclass(frozen=True)
class Observed:
    """What was observed of the model after `step` steps.

    `settings` are those that the last step trained with, before the first those of the config.
    """

    step: int
    epoch: int
    settings: Settings
    value: Any


@dataclass(frozen=True)
class Finished:
    """The last epoch has ended."""

    step: int
    epoch: int


Event = Started | StepDone | Report | ControlChanged | EpochDone | Observed | Finished
