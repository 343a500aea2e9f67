"""The official PyTorch GRU4Rec, run as it is, a few steps at a time, on any device.

`fit` runs in a thread of its own. Its iterator over mini-batches is a subclass that holds the
thread after as many steps as were asked for, so that another trainer can take its turn in between.
Set-up is outside of the clock. The shims are those of accuracy_vs_official.
"""

import contextlib
import importlib
import io
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

from .accuracy_vs_official import shims

STEPS_OF_SAMPLES = 100  # drawn at a time: few enough that drawing them is in the clock
# The official default; a draw on a GPU waits some 20 times, and most measurements meet none.
STORE_ON_GPU = 10_000_000


class OfficialTrainer:
    """An official `fit` that takes steps when told to."""

    def __init__(
        self, path: str, clicks: pd.DataFrame, settings: Mapping[str, Any], device: str = "cpu"
    ):
        self._module = module = module_at(path)
        self._left, self._error = 0, None
        self._go, self._held = threading.Semaphore(0), threading.Semaphore(0)
        self._fit = threading.Thread(
            target=self._work, args=(clicks, settings, torch.device(device)), daemon=True
        )
        held = self._holding(module.SessionDataIterator)
        with shims(module, 0), patch.object(module, "SessionDataIterator", held):
            self._fit.start()
            self._wait()

    def __call__(self, n: int) -> None:
        """Take `n` steps."""
        self._left = n
        self._go.release()
        self._wait()

    def close(self) -> None:
        """End the thread."""
        self._left = -1
        self._go.release()
        self._fit.join()

    def _wait(self) -> None:
        self._held.acquire()
        if self._error:
            raise self._error

    def _work(self, clicks, settings, device) -> None:
        torch.set_num_threads(1)
        few = STEPS_OF_SAMPLES * max(settings["n_sample"], 1)
        try:
            model = self._module.GRU4Rec(device=device, n_epochs=10**6, **settings)
            store = few if device.type == "cpu" else STORE_ON_GPU
            model.fit(clicks.copy(), sample_cache_max_size=store)
            self._error = RuntimeError(
                "the official fit ended by itself: is its loss still a number?"
            )
        except KeyboardInterrupt:
            return
        except Exception as error:  # handed to whoever waits
            self._error = error
        self._held.release()

    def _holding(self, iterator: type) -> type:
        """The iterator, held when no steps are left; a class, since each epoch calls it again."""
        trainer = self

        class Held(iterator):
            def __call__(self, *arguments, **named):
                for batch in super().__call__(*arguments, **named):
                    if trainer._left == 0:
                        trainer._held.release()
                        trainer._go.acquire()
                    if trainer._left < 0:
                        raise KeyboardInterrupt
                    trainer._left -= 1
                    yield batch

        return Held


class OfficialModel:
    """An official model trained for one epoch on clicks, and its evaluation.

    Attributes:
        weights: its state as numpy arrays.
        item_ids: its items in their order.
    """

    def __init__(
        self, path: str, clicks: pd.DataFrame, settings: Mapping[str, Any], device: str = "cpu"
    ):
        module = module_at(path)
        with shims(module, 0):
            self._model = module.GRU4Rec(device=torch.device(device), n_epochs=1, **settings)
            self._model.fit(clicks.copy())
        self._model.model.eval()
        state = self._model.model.state_dict()
        self.weights = {name: value.numpy(force=True) for name, value in state.items()}
        self.item_ids: np.ndarray = self._model.data_iterator.itemidmap.index.values

    def evaluate(self, test: pd.DataFrame) -> tuple[float, float]:
        """Recall@20 and MRR@20 by the official code."""
        batch_eval = importlib.import_module("evaluation").batch_eval
        rows = min(512, test.SessionId.nunique())  # it starts with a session in each
        with contextlib.redirect_stdout(io.StringIO()):
            recall, mrr = batch_eval(self._model, test.copy(), [20], batch_size=rows)
        return float(recall[20]), float(mrr[20])


def module_at(path: str):
    """The module `gru4rec_pytorch` of a checkout."""
    if path not in sys.path:
        sys.path.insert(0, path)
    return importlib.import_module("gru4rec_pytorch")


def prepare(path: str, clicks: pd.DataFrame, settings: Mapping[str, Any]):
    """What the official code does before its first step; call the result to go over an epoch."""
    module = module_at(path)
    with contextlib.redirect_stdout(io.StringIO()):
        steps = module.SessionDataIterator(
            clicks.copy(), settings["batch_size"], n_sample=0, device=torch.device("cpu")
        )
    return lambda: exhaust(steps(False))


def exhaust(batches: Iterable) -> None:
    """Go over all batches."""
    for _ in batches:
        pass
