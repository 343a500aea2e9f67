"""What a training tells: one frozen event for each thing that happens, in order."""

from dataclasses import dataclass
from typing import Any

from .controls import ControlChanged
from .evaluation import Evaluation
from .recommend import Recommender


@dataclass(frozen=True)
class Started:
    """The run exists: its live model, the steps of an epoch, its device."""

    model: Recommender
    n_steps: int
    device: str


@dataclass(frozen=True)
class StepDone:
    """Step number `step` (1-based, over all epochs) of epoch number `epoch` (1-based) is done."""

    step: int
    epoch: int


@dataclass(frozen=True)
class Report:
    """Mean loss of a target since the last report, how many they were and the seconds it took."""

    step: int
    epoch: int
    loss: float
    clicks: int
    seconds: float


@dataclass(frozen=True)
class EpochDone:
    """The end of an epoch: its mean loss of a target, and the evaluation on validation sessions."""

    step: int
    epoch: int
    loss: float
    evaluation: Evaluation | None


@dataclass(frozen=True)
class Observed:
    """What an observer saw of the model after `step` steps."""

    step: int
    epoch: int
    value: Any


@dataclass(frozen=True)
class Finished:
    """The last epoch has ended."""

    step: int
    epoch: int


Event = Started | StepDone | Report | ControlChanged | EpochDone | Observed | Finished
