"""Compile and load all kernels before they are needed, so that no first step waits for numba.

`python -m gru4rec_lab.warm_up` compiles them, once on a machine.
"""

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
    """Compile all kernels in float32, or load them: up to a minute the first time, else a second.

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
    """`warm_up` in a thread, once a process; returns the thread.

    Half of the second is the import of numba, half the loading of compiled code. Without numba, or
    without a folder for its cache, the thread just ends: what needs kernels later says why it has
    none.
    """
    # No daemon: a process that ends while the thread runs would abort.
    thread = threading.Thread(target=_load, name="kernel-loading")
    thread.start()
    return thread


def _load() -> None:
    with contextlib.suppress(ImportError, RuntimeError):
        warm_up()


if __name__ == "__main__":
    warm_up()
