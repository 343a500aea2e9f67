"""A step of case a by size of the catalogue: what a step does not touch costs nothing.

Every item is clicked, and samples are drawn uniformly over all items: the worst case for the
caches. Weights, Adagrad's sums and the weights to go back to if the loss fails take 12 GB at ten
million items.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from gru4rec_lab import Sessions

from .bench import Bench, Race, Trainer

HEAD = ("items", "step", "ms a step", "MB at most")
SECONDS = 40
CLICKS, LENGTH, EXPONENT = 1_000_000, 20, 0.9


def rows(bench: Bench) -> dict[str, Callable[[], tuple[str, ...]]]:
    """A row a size."""
    return {f"{n:,}": partial(measure, bench, n) for n in bench.sizes.catalogues}


def measure(bench: Bench, n_items: int) -> tuple[str, ...]:
    """The row of one size."""
    how = {"sampler": "uniform", "step": bench.step, "device": bench.device}
    make = partial(Trainer, sessions_over(n_items), bench.settings("a"), **how)
    race = Race(bench, {"ours": make})
    try:
        step = race.cell(lambda: race.sides["ours"].started.step, "ours")
        return step, race.milliseconds("ours"), race.megabytes.get("ours", "-")
    finally:
        race.close()


def sessions_over(n_items: int) -> Sessions:
    """Sessions of 20 clicks: one click on each item, and more by Zipf popularity."""
    draws = np.random.default_rng(0)
    share = np.cumsum(1 / np.arange(1, n_items + 1) ** EXPONENT)
    more = np.searchsorted(share, draws.random(min(CLICKS, 20 * n_items)) * share[-1])
    items = draws.permutation(np.concatenate([np.arange(n_items), more]))
    n_sessions = len(items) // LENGTH
    return Sessions(
        items=items.clip(max=n_items - 1),
        times=np.arange(len(items), dtype=float),
        offsets=np.append(np.arange(n_sessions) * LENGTH, len(items)),
        item_ids=np.arange(n_items),
        session_ids=np.arange(n_sessions),
    )
