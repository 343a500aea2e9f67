"""Kernels compiled and loaded before they are needed: no Start shall wait for numba."""

import contextlib
import threading
from functools import cache

import torch

from .batches import Batch
from .evaluation import Catalogue
from .losses import LOSSES
from .model import Network
from .sampling import Sampler
from .training.controls import Settings
from .training.step import Step

ITEMS, ROWS, SAMPLES = 8, 2, 4
MODES = (
    {"layers": (4, 4)},
    {"layers": (4,), "constrained_embedding": False, "embedding": 4},
    {"layers": (4,), "constrained_embedding": False},
)


def warm_up() -> None:
    """Compile, or load, all kernels in float32; a minute the first time, else half a second.

    Raises:
        ImportError, RuntimeError: no numba, or no folder for its cache.
    """
    from .kernels.draws import GuidedSearch
    from .training.numba_step.step import NumbaStep

    settings = Settings("cross-entropy", SAMPLES, 0.5, 0.1, 0.5, 1.0, 0.5, 1.0)
    generator = torch.Generator()
    for mode in MODES:
        for logq_mode in ("official", "exact"):
            network, weight = Network(ITEMS, generator=generator, **mode), torch.ones(ITEMS)
            drops = {"dropout_p_embed": 0.5, "dropout_p_hidden": 0.5, "generator": generator}
            plain = Step(network, weight.long(), batch_size=ROWS, logq_mode=logq_mode, **drops)
            step = NumbaStep(plain)
            sampler = Sampler(weight, generator=generator, search=GuidedSearch)
            items, fresh = torch.arange(ROWS), torch.full((ROWS,), -1)
            for loss in (loss.name for loss in LOSSES.values() if loss.kernel is not None):
                now = Settings(**settings.__dict__ | {"loss": loss})
                step(Batch(items, items, fresh), sampler.draw(SAMPLES), now)
    Catalogue(network.items, network.bias).ranks(step.hidden[-1], items)


@cache
def load_ahead() -> threading.Thread:
    """Load numba and all kernels in a thread of its own, once a process; returns the thread.

    Importing numba takes half a second, loading its compiled code as long again; the first step or
    ranking would wait for both. Where nothing was compiled before (`make setup` does it), this
    compiles for some 15 seconds. Where that fails, whoever needs the kernels says so.
    """
    # No daemon: a process that ends in the middle of it would abort.
    thread = threading.Thread(target=_load, name="kernel-loading")
    thread.start()
    return thread


def _load() -> None:
    with contextlib.suppress(ImportError, RuntimeError):  # no numba, or no folder for its cache
        warm_up()


if __name__ == "__main__":
    warm_up()
