"""Run every kernel once, so that numba's cache has them all before the first training."""

import torch

from ..batches import Batch
from ..controls import Settings
from ..losses import LOSSES
from ..model import Network
from ..ranking import Catalogue
from ..sampling import Sampler
from ..step import Step
from .search import GuidedSearch
from .step import FastStep

ITEMS, ROWS, SAMPLES = 8, 2, 4
MODES = (
    {"layers": (4, 4)},
    {"layers": (4,), "constrained_embedding": False, "embedding": 4},
    {"layers": (4,), "constrained_embedding": False},
)


def warm_up() -> None:
    """Compile, or load, all kernels in float32; a minute the first time, else half a second."""
    settings = Settings("cross-entropy", SAMPLES, 0.5, 0.1, 0.5, 1.0, 0.5, 1.0)
    generator = torch.Generator()
    for mode in MODES:
        for logq_mode in ("official", "exact"):
            network, weight = Network(ITEMS, generator=generator, **mode), torch.ones(ITEMS)
            drops = {"dropout_p_embed": 0.5, "dropout_p_hidden": 0.5, "generator": generator}
            plain = Step(network, weight.long(), batch_size=ROWS, logq_mode=logq_mode, **drops)
            step = FastStep(plain)
            sampler = Sampler(weight, generator=generator, search=GuidedSearch)
            items, fresh = torch.arange(ROWS), torch.full((ROWS,), -1)
            for loss in LOSSES:
                now = Settings(**settings.__dict__ | {"loss": loss})
                step(Batch(items, items, fresh), sampler.draw(SAMPLES), now)
    Catalogue(network.items, network.bias).ranks(step.hidden[-1], items)


if __name__ == "__main__":
    warm_up()
