"""`world:...`: synthetic sessions whose best possible model is known.

A world is a rule, played for some sessions with a clock and a seed: a function of a generator, a
catalogue size and a shape (sessions, longest session) that returns the item every session would
click at every step, and the names of the items.
"""

from collections.abc import Callable
from operator import index
from typing import NamedTuple, SupportsIndex

import numpy as np

from .sessions import DAY, Sessions

SUCCESSORS = 5
THEME = 6
CATEGORIES = {  # each with the category that completes it, the most popular ones first
    "boots": "socks",
    "jackets": "gloves",
    "tents": "sleeping-bags",
    "backpacks": "bottles",
    "socks": "boots",
    "stoves": "pans",
    "sleeping-bags": "mats",
    "gloves": "jackets",
    "lamps": "batteries",
    "bottles": "backpacks",
    "pans": "stoves",
    "mats": "tents",
    "batteries": "lamps",
}
FIRST_DAY = 1_704_067_200  # 1 January 2024, in seconds since 1970
DAYS = 28
LONGEST = 20


class Visits(NamedTuple):
    """What sessions click: [sessions, steps] catalogue numbers, and the name of every number."""

    items: np.ndarray
    names: list[str]


def markov(rng: np.random.Generator, n_items: int, shape: tuple[int, int]) -> Visits:
    """Nine of ten clicks go to one of five successors of the last item, the others to any item.

    Popularity follows Zipf's law, item-001 first. Nothing but the last click matters, so that a
    table of successors is the best model there is.
    """
    popular = _zipf(n_items)
    successors = np.searchsorted(popular, rng.random((n_items, SUCCESSORS)))
    choice = np.minimum(rng.geometric(0.5, shape), SUCCESSORS) - 1
    jumps = rng.random(shape) < 0.1
    visits = np.searchsorted(popular, rng.random(shape))
    for step in range(1, shape[1]):
        follow = successors[visits[:, step - 1], choice[:, step]]
        visits[:, step] = np.where(jumps[:, step], visits[:, step], follow)
    return Visits(visits, _numbered("item", n_items))


def memory(rng: np.random.Generator, n_items: int, shape: tuple[int, int]) -> Visits:
    """Theme items and hub items take turns; the hubs, shared by all themes, say nothing.

    A theme is a ring of six items. After a hub comes the item that follows the one *before* the
    hub (four times of five; else any of the theme), so that a model of the last item fails there.
    """
    n_themes = (n_items - max(2, n_items // 10)) // THEME
    n_hubs = n_items - n_themes * THEME
    strides = np.where(rng.random(shape) < 0.8, 1, rng.integers(THEME, size=shape))
    start = rng.integers(THEME, size=(shape[0], 1))
    place = (start + np.cumsum(strides[:, ::2], axis=1)) % THEME
    visits = n_themes * THEME + rng.integers(n_hubs, size=shape)
    visits[:, ::2] = rng.integers(n_themes, size=(shape[0], 1)) * THEME + place
    themes = [f"{theme}-{letter}" for theme in _numbered("theme", n_themes) for letter in "abcdef"]
    return Visits(visits, themes + _numbered("hub", n_hubs))


def intent(rng: np.random.Generator, n_items: int, shape: tuple[int, int]) -> Visits:
    """The first click says what a session is for; of the later ones half go on, half stray.

    Items lie on rings of six. A click that goes on is on the ring of the first one, as many places
    further as there were clicks; a stray one is on any item. A model must know which click was
    the first: a state that is left over from another session is taken for it.
    """
    n_rings = n_items // THEME
    ring, start = (rng.integers(n, size=(shape[0], 1)) for n in (n_rings, THEME))
    strays = rng.random(shape) < 0.5
    strays[:, 0] = False
    going_on = ring * THEME + (start + np.arange(shape[1])) % THEME
    visits = np.where(strays, rng.integers(n_rings * THEME, size=shape), going_on)
    names = [f"{name}-{letter}" for name in _numbered("ring", n_rings) for letter in "abcdef"]
    return Visits(visits, names)


def cycle(rng: np.random.Generator, n_items: int, shape: tuple[int, int]) -> Visits:
    """All items lie on one ring and every click is the next one: nothing is left to chance.

    Whoever has seen the ring knows every answer: a trained model must reach a Recall@1 near 1.
    """
    ring = rng.permutation(n_items)
    place = rng.integers(n_items, size=(shape[0], 1)) + np.arange(shape[1])
    return Visits(ring[place % n_items], _numbered("stop", n_items))


def shop(rng: np.random.Generator, n_items: int, shape: tuple[int, int]) -> Visits:
    """Visitors compare neighbours on a shelf, then sometimes go on to what completes it.

    One click of five leaves the category for its complement (boots, socks); the others move one to
    three places along the shelf. The low numbers of a shelf are the popular ones.
    """
    n_shelves = len(CATEGORIES)
    complement = np.array([list(CATEGORIES).index(other) for other in CATEGORIES.values()])
    size = (n_items - np.arange(n_shelves) - 1) // n_shelves + 1
    moves = rng.random(shape) < 0.2
    strides = rng.integers(1, 4, shape) * rng.choice([-1, 1], shape)
    shelf = np.tile(np.searchsorted(_zipf(n_shelves), rng.random((shape[0], 1))), shape[1])
    place = np.searchsorted(_zipf(int(size.min())), rng.random(shape))
    for step in range(1, shape[1]):
        before = shelf[:, step - 1]
        shelf[:, step] = np.where(moves[:, step], complement[before], before)
        along = (place[:, step - 1] + strides[:, step]) % size[before]
        place[:, step] = np.where(moves[:, step], place[:, step], along)
    numbers = [_numbered(*each) for each in zip(CATEGORIES, size.tolist(), strict=True)]
    names = [numbers[k % n_shelves][k // n_shelves] for k in range(n_items)]
    return Visits(place * n_shelves + shelf, names)


def _zipf(n: int) -> np.ndarray:
    """[n] the share of the first 1, 2, ..., n of things whose popularity is 1, 1/2, ..., 1/n."""
    share = np.cumsum(1 / np.arange(1, n + 1))
    return share / share[-1]


def _numbered(word: str, n: int) -> list[str]:
    return [f"{word}-{k:0{max(2, len(str(n)))}d}" for k in range(1, n + 1)]


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
    "world:intent": World(intent, "the next item depends on the first one", 120, 2 * THEME),
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
