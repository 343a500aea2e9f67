"""A step of case a by size of the catalogue: what a step does not touch costs nothing.

Samples are drawn uniformly over all items, as the worst case for the caches. Weights, Adagrad's
sums and the weights to go back to if the loss fails take 12 GB at ten million items.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from gru4rec_lab import Sessions

from .bench import Bench, Race, Trainer

HEAD = ("items", "step", "ms a step", "MB at most")
SECONDS = 30
CLICKS, LENGTH, EXPONENT = 1_000_000, 5, 0.9


def rows(bench: Bench) -> dict[str, Callable[[], tuple[str, ...]]]:
    """A row a size."""
    return {f"{n:,}": partial(measure, bench, n) for n in bench.sizes.catalogues}


def measure(bench: Bench, n_items: int) -> tuple[str, ...]:
    """The row of one size."""
    how = {"sampler": "uniform", "step": bench.step, "device": bench.device}
    make = partial(Trainer, zipf_sessions(n_items), bench.settings("a"), **how)
    race = Race(bench, {"ours": make})
    try:
        step = race.cell(lambda: race.sides["ours"].started.step, "ours")
        return step, race.milliseconds("ours"), race.megabytes.get("ours", "-")
    finally:
        race.close()


def zipf_sessions(n_items: int) -> Sessions:
    """Sessions of five clicks over that many items, by popularity, of which some have no click."""
    draws, n = np.random.default_rng(0), min(CLICKS, 20 * n_items)
    share = np.cumsum(1 / np.arange(1, n_items + 1) ** EXPONENT)
    items = np.searchsorted(share, draws.random(n) * share[-1])
    return Sessions(
        items=items.clip(max=n_items - 1),
        times=np.arange(n, dtype=float),
        offsets=np.arange(0, n + 1, LENGTH),
        item_ids=np.arange(n_items),
        session_ids=np.arange(n // LENGTH),
    )
