"""One trial: a training, evaluated at the end of each epoch, as a row of plain values."""

import hashlib
import json
import pickle
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from time import perf_counter
from typing import Any

import torch

from ..config import Config
from ..environment import PACKAGE
from ..evaluation import Evaluation, evaluate
from ..losses import LOSSES
from ..training.events import EpochDone, Report, Started, StepDone
from ..training.loop import train
from .data import SweepData

# The columns that differ when a trial is run again.
TIMES = ("seconds", "evaluation_seconds", "finished_at")
# What a trial has no number for until it ends well.
RESULTS = ("training_loss", "epochs", "steps", "targets", "ran_on", "ran_step", *TIMES, "error")
# A row, JSON-ready: the settings, the metrics, `RESULTS`, and the history as a list.
Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A trial as a worker gets it.

    Attributes:
        config: the trial.
        k: cut-offs of the metrics.
        settings: all that the result depends on, JSON-ready.
        own_loss: the learner's own loss of this trial, if it has one, for `add_loss`.
    """

    config: Config
    k: tuple[int, ...]
    settings: dict[str, Any]
    own_loss: bytes | None = None

    @property
    def address(self) -> str:
        """Equal for trials of the same config, data, cut-offs, own loss and library version."""
        text = json.dumps([self.settings, self.k], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def tasks_of(trials: Iterable[Config], data: SweepData, k: tuple[int, ...]) -> list[Task]:
    """The trials as tasks, each once; their own losses do not travel yet."""
    basis = {"data": data.fingerprint, "version": library_version()}
    return [Task(config, k, settings(config) | basis) for config in dict.fromkeys(trials)]


def library_version() -> str:
    """The version of this library here."""
    return metadata.version(PACKAGE)


def settings(config: Config) -> dict[str, Any]:
    """The fields of a config as JSON gives them back, and a digest of an own loss."""
    loss = LOSSES[config.loss]
    digest = None if loss.given is None else _digest(loss.name)
    return asdict(config) | {"layers": list(config.layers), "own_loss": digest}


def _digest(name: str) -> str:
    """Equal for own losses of equal values: a changed one is another loss, whatever its name."""
    loss, random = LOSSES[name], torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(64, 9, generator=random, dtype=torch.float64)
    target, negatives = scores[:, 0], scores[:, 1:]
    parts = loss.value(target, negatives), *loss.gradient(target, negatives)
    # As float32: the last digits of float64 differ between machines.
    numbers = torch.cat([part.flatten() for part in parts]).float().numpy().tobytes()
    flags = bytes([loss.corrects_logq, loss.shapes_scores])
    return hashlib.sha256(numbers + flags).hexdigest()[:16]


_ADDED: dict[str, bytes] = {}


def add_loss(own_loss: bytes | None) -> None:
    """Add a learner's own loss, pickled, to this process's `LOSSES`, unless it is there."""
    if own_loss is None or own_loss in _ADDED.values():
        return
    name, functions, flags = pickle.loads(own_loss)
    LOSSES.add(name, *functions, **flags)
    _ADDED[name] = own_loss


def run_trial(task: Task, data: SweepData, stop: Callable[[], bool]) -> Row | None:
    """The row of a trial; None once `stop()` is true between two steps.

    One torch thread, so that the numbers do not depend on the worker. A trial that fails has its
    error in the row, and the history until then.
    """
    torch.set_num_threads(1)
    trial = _Trial(task)
    try:
        ended = trial.run(data, stop)
    except Exception as error:
        return trial.row(error)
    return trial.row(None) if ended else None


def failed(task: Task, error: BaseException) -> Row:
    """The row of a trial that no worker could finish."""
    return _Trial(task).row(error)


class _Trial:
    """What is known of a trial so far."""

    def __init__(self, task: Task):
        self._task, self._history, self._evaluation_seconds = task, [], 0.0
        self._facts: dict[str, Any] = dict.fromkeys(RESULTS)
        self._metrics: dict[str, float | None] = dict.fromkeys(
            f"{metric}@{k}{error}"
            for k in task.k
            for metric in ("recall", "mrr")
            for error in ("", "_se")
        )

    def run(self, data: SweepData, stop: Callable[[], bool]) -> bool:
        """Train to the end and evaluate; False if it was stopped."""
        add_loss(self._task.own_loss)
        config, facts, quality, began = self._task.config, self._facts, None, perf_counter()
        facts |= {"epochs": 0, "steps": 0}
        for event in train(config, data.train):
            if stop():
                return False
            if isinstance(event, Started):
                model = event.model
                facts |= {"ran_on": event.device, "ran_step": event.step}
            elif isinstance(event, StepDone) and event.step == 1:
                began = perf_counter()  # a process loads compiled code for its first step
            elif isinstance(event, Report):
                at = {"epoch": event.epoch, "step": event.step, "loss": event.loss}
                self._history.append(at)
            elif isinstance(event, EpochDone):
                quality = self._evaluate(model, data)
                metrics = {"recall": quality.recall, "mrr": quality.mrr}
                at |= {f"{name}@{k}": value[k] for name, value in metrics.items() for k in value}
                facts |= {"epochs": event.epoch, "steps": event.step, "training_loss": event.loss}
        self._measure(quality or self._evaluate(model, data))
        facts["seconds"] = perf_counter() - began - self._evaluation_seconds
        facts["evaluation_seconds"] = self._evaluation_seconds
        return True

    def _evaluate(self, model: Any, data: SweepData) -> Evaluation:
        began = perf_counter()
        try:
            return evaluate(model, data.test, self._task.k)
        finally:
            self._evaluation_seconds += perf_counter() - began

    def _measure(self, quality: Evaluation) -> None:
        self._facts["targets"] = quality.n_targets
        for metric, values in (("recall", quality.recall), ("mrr", quality.mrr)):
            for k, value in values.items():
                error = quality.standard_error(metric, k)
                self._metrics[f"{metric}@{k}"] = value
                self._metrics[f"{metric}@{k}_se"] = error if error == error else None  # not nan

    def row(self, error: BaseException | None) -> Row:
        """The row as it stands, with that error."""
        what = None if error is None else f"{type(error).__name__}: {error}"
        now = datetime.now(UTC).isoformat(timespec="seconds")
        facts = self._facts | {"finished_at": now, "error": what}
        return self._task.settings | self._metrics | facts | {"history": self._history}
