"""Drawing the 2,048 extra samples of a step: guided and binary search, by size of the catalogue.

python -m benchmarks.sampling
"""

import argparse
from collections.abc import Iterator

import torch

from gru4rec_lab.kernels.draws import GuidedSearch
from gru4rec_lab.sampling import BinarySearch, Sampler, popularity_weight

from .cases import options
from .paired import milliseconds, paired, ratio

HEAD = ("items", "us a step, guided", "us a step, binary", "x binary")
N_SAMPLE, STEPS = 2048, 320  # ten blocks of draws


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row a size."""
    for n_items in (10_000, 37_000, 100_000, 1_000_000):
        support = (1e7 / torch.arange(1, n_items + 1) ** 0.9).ceil()
        weight = popularity_weight(support, 0.5)
        searches = {"guided": GuidedSearch, "binary": BinarySearch}
        sides = {name: draws(weight, search) for name, search in searches.items()}
        times = paired(sides, arguments.rounds)
        each = (f"{1000 * milliseconds(times[name], STEPS):.1f}" for name in searches)
        yield f"{n_items:,}", *each, str(ratio(times, "binary", "guided"))


def draws(weight: torch.Tensor, search):
    """The samples of some steps, one step after the other."""
    sampler = Sampler(weight, generator=torch.Generator().manual_seed(0), search=search)
    return lambda: [sampler.draw(N_SAMPLE) for _ in range(STEPS)]


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
