"""How the time of a step and its memory grow; to benchmarks/growth.csv and docs/figures/growth.svg.

    python -m benchmarks.growth

Steps of case a of the other benchmarks (100 units, batch 32, 2,048 samples, cross-entropy) with one
size changed at a time, on random clicks with Zipf popularity and samples drawn uniformly: the worst
case for the caches. Beside "all items" stands "same 10,000": of a larger catalogue a step meets the
same 10,000 items, as many as the caches hold; what is left is the cost of size as such.
"""

import argparse
import csv
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import torch

from gru4rec_lab import Config
from gru4rec_lab.batches import Batch
from gru4rec_lab.model import Network
from gru4rec_lab.sampling import Sampler
from gru4rec_lab.training.choice import choose_step
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.step import Step

from . import growth_figure
from .growth_figure import SAME

TABLE = Path(__file__).with_name("growth.csv")
USUAL = {"n_sample": 2048, "units": 100, "batch": 32, "items": 37_000}
SIZES = {
    "n_sample": (0, 32, 128, 512, 2048, 8192, 32_768),
    "units": (50, 100, 200, 400, 700, 1000),
    "batch": (16, 32, 64, 128, 256, 512, 1024),
    "items": (10_000, 37_000, 100_000, 300_000, 1_000_000),
}
FIXED, N_STEPS = 10_000, 12
STEPS = ("numba", "plain")
HEAD = ("what", "step", "size", "ms a step", "MB at most", "MB of weights and sums")
Row = tuple[str, str, int, float, float, float]


class Steps:
    """Steps of one size on random clicks; call it for one more.

    `met` of the items are ever clicked or drawn, all if it is 0.
    """

    def __init__(self, name: str, n_sample: int, units: int, batch: int, items: int, met: int = 0):
        config = Config(layers=(units,), batch_size=batch, n_sample=n_sample, logq=1.0)
        self._settings, draws = Settings.of(config), torch.Generator().manual_seed(0)
        network = Network(items, (units,), generator=draws)
        weight = (torch.arange(items) < (met or items)).double()
        plain = Step(network, weight.long(), batch_size=batch, generator=draws)
        self._step = choose_step(name, plain, self._settings)
        self._sampler = Sampler(weight, generator=draws, search=self._step.search)
        self._step.set_sampling_weight(weight, config.sample_alpha)
        popular = Sampler(weight / torch.arange(1, items + 1) ** 0.9, generator=draws)
        self._clicks = popular.draw(65_536)
        self._carry, self._number, self._n_sample = torch.arange(batch), 0, n_sample

    def __call__(self) -> None:
        batch = len(self._carry)
        first = self._number % (len(self._clicks) // batch - 1) * batch
        inputs, targets = (self._clicks[at : at + batch] for at in (first, first + batch))
        negatives = self._sampler.draw(self._n_sample)
        self._step(Batch(inputs, targets, self._carry), negatives, self._settings)
        self._number += 1


def time_of(steps: list[Steps], rounds: int) -> list[float]:
    """Median CPU milliseconds of a step of each, measured in turn."""
    taken: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds + 1):
        for side, times in zip(steps, taken, strict=True):
            began = process_time()
            for _ in range(N_STEPS):
                side()
            times.append(1000 * (process_time() - began) / N_STEPS)
    return [statistics.median(times[1:]) for times in taken]


def rows(rounds: int) -> Iterator[Row]:
    """Time of each size, in turn with the others of its kind; memory by size of the catalogue."""
    # First, since a new process starts with the peak of its parent.
    memory = {("items", name, size): peak(name, size) for name in STEPS for size in SIZES["items"]}
    kinds = [(what, sizes, {}) for what, sizes in SIZES.items()]
    for what, sizes, met in [*kinds, (SAME, SIZES["items"], {"met": FIXED})]:
        changed = "items" if what == SAME else what
        for name in STEPS:
            sides = [Steps(name, **USUAL | {changed: size} | met) for size in sizes]
            for size, taken in zip(sizes, time_of(sides, rounds), strict=True):
                yield what, name, size, taken, *memory.get((what, name, size), (0.0, 0.0))


def peak(name: str, items: int) -> tuple[float, float]:
    """MB that a process holds at most after 50 steps; MB of weights and Adagrad's sums."""
    code = f"from benchmarks.growth import hold; hold({name!r}, {items})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    held, needed = map(float, done.stdout.split())
    return held, needed


def hold(name: str, items: int) -> None:
    """Take 50 steps and print what `peak` gives."""
    steps = Steps(name, **USUAL | {"items": items})
    for _ in range(50):
        steps()
    # The width of a row in memory: units and bias, to the end of a cache line in the numba step.
    width = USUAL["units"] + 1
    width = -(-width // 16) * 16 if name == "numba" else width
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(used, 2 * 4 * items * width / 2**20)


def main(arguments: list[str] | None = None) -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        for row in rows(parser.parse_args(arguments).rounds):
            print(*row, flush=True)
            writer.writerow([*row[:3], *(f"{number:.3f}" for number in row[3:])])
    growth_figure.draw(TABLE)


if __name__ == "__main__":
    main()
