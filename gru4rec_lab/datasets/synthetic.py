"""`world:...`: the rule of a world, played for some sessions with a clock and a seed."""

from collections.abc import Callable
from operator import index
from typing import NamedTuple, SupportsIndex

import numpy as np

from ..sessions import DAY, Sessions
from .worlds import CATEGORIES, THEME, Visits, cycle, markov, memory, shop

FIRST_DAY = 1_704_067_200  # 1 January 2024, in seconds since 1970
DAYS = 28
LONGEST = 20


class World(NamedTuple):
    """A rule, what it is for in one line, its usual catalogue size and its smallest one."""

    rule: Callable[[np.random.Generator, int, tuple[int, int]], Visits]
    what: str
    n_items: int
    fewest: int


WORLDS = {
    "world:markov": World(markov, "the next item depends on the last one only", 500, 2),
    "world:memory": World(
        memory, "the next item depends on the one before the last", 220, THEME + 2
    ),
    "world:cycle": World(cycle, "the next item is always known", 100, 2),
    "world:shop": World(shop, "shelves of a shop, item by item", 260, 4 * len(CATEGORIES)),
}


def load_world(
    name: str,
    n_sessions: SupportsIndex = 10_000,
    n_items: SupportsIndex | None = None,
    seed: SupportsIndex = 0,
) -> Sessions:
    """`n_sessions` sessions of 2 to 20 clicks, over 28 days, the same ones for the same options.

    Items that no session clicks are left out, so that there may be fewer than `n_items`.

    Raises:
        ValueError: an option that is not a whole number or too small.
    """
    world = WORLDS[name]
    n_sessions = whole("n_sessions", n_sessions, at_least=1)
    n_items = whole("n_items", world.n_items if n_items is None else n_items, world.fewest)
    rng = np.random.default_rng(whole("seed", seed, at_least=0))
    lengths = np.minimum(1 + rng.geometric(0.2, n_sessions), LONGEST)
    visits = world.rule(rng, n_items, (n_sessions, LONGEST))
    clicked = np.arange(LONGEST) < lengths[:, None]
    used, items = np.unique(visits.items[clicked], return_inverse=True)
    return Sessions(
        items=items,
        times=_clock(rng, n_sessions)[clicked],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        item_ids=np.array(visits.names, dtype=object)[used],
        session_ids=np.arange(1, n_sessions + 1),
        name=name,
        note="synthetic",
    )


def _clock(rng: np.random.Generator, n_sessions: int) -> np.ndarray:
    """[sessions, steps] whole seconds since 1970; each session starts later than the one before."""
    starts = FIRST_DAY + np.sort(rng.integers(DAYS * int(DAY), size=n_sessions))
    pauses = rng.integers(5, 120, size=(n_sessions, LONGEST))
    pauses[:, 0] = np.arange(n_sessions)  # so that no two sessions start in the same second
    return (starts[:, None] + np.cumsum(pauses, axis=1)).astype(np.float64)


def whole(option: str, value: object, at_least: int) -> int:
    """`value` as an int if it is a whole number of at least `at_least`, else a ValueError."""
    try:
        number = index(value)
    except TypeError:
        raise ValueError(f"{option} must be a whole number, got {value!r}") from None
    if number < at_least:
        raise ValueError(f"{option} must be at least {at_least}, got {number}")
    return number
