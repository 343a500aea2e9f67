"""What a training tells: one frozen event for each thing that happens, in order."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch

from ..evaluation import Evaluation
from ..recommend import Recommender
from .controls import ControlChanged


@dataclass(frozen=True)
class Started:
    """The run exists: its live model, the steps of an epoch, its device, which step it takes.

    `step` is "plain" or "numba"; see `Config.step`.
    """

    model: Recommender
    n_steps: int
    device: str
    step: str


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


class Tally:
    """Sums over the steps of an epoch, kept on the device until a report reads them."""

    def __init__(self, batch_size: int):
        self._batch_size = batch_size
        self._epoch_total, self._epoch_clicks = 0.0, 0
        self._clear()

    def _clear(self) -> None:
        self._losses: torch.Tensor | float = 0.0
        self.clicks, self._seconds = 0, 0.0

    def add(self, loss: torch.Tensor | float, clicks: int, seconds: float) -> None:
        """Take in a step: its loss (sum of its rows over `batch_size`), targets and seconds."""
        if isinstance(loss, torch.Tensor):
            # MPS has no float64.
            loss = loss.cpu().double() if loss.device.type == "mps" else loss.double()
        self._losses += loss
        self.clicks += clicks
        self._seconds += seconds

    def report(self, number: int, epoch: int, began: float) -> Report:
        """What was added since the last report; `began` is when reading the device began."""
        # A step's loss is its sum over `batch_size`, also where fewer rows are left.
        total = float(self._losses) * self._batch_size
        seconds = self._seconds + perf_counter() - began
        made = Report(number, epoch, total / self.clicks, self.clicks, seconds)
        self._epoch_total += total
        self._epoch_clicks += self.clicks
        self._clear()
        return made

    @property
    def epoch_loss(self) -> float:
        """Mean loss of a target over all reports."""
        return self._epoch_total / max(self._epoch_clicks, 1)
