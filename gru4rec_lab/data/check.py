"""`check_sessions`: is this data fit for a model of sequences, and is the split honest?

Each finding is a number that can be counted by hand, a verdict, and what to do.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arguments import check_kind
from .sessions import MAKE_THEM, OUTSIDE, Sessions

MOST_CLICKS = 1_000_000  # enough to tell whether an order means something
TOP = 20
LONG = 200  # clicks; fewer are no bot
N_STEPS, STEPS_PER_ITEM = 100, 5  # fewer go one way by chance
PAUSE = 6 * 3600  # seconds without a click, after which people come back for another visit


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        value: the number found; NaN if there is too little data for one.
        verdict: "fine", "look" if it needs attention, or "unknown".
        found: the number in words.
        way_out: what to do, if the verdict is "look".
    """

    name: str
    value: float
    verdict: str
    found: str
    way_out: str

    def __str__(self) -> str:
        """Verdict, name and words, and the way out below where there is one."""
        line = f"{self.verdict:<9}{self.name:<15}{self.found}"
        return line + (f"\n{'':<24}-> {self.way_out}" if self.verdict == "look" else "")


class Findings(tuple[Finding, ...]):
    """Findings in a tuple that shows itself as a report, one line each."""

    __slots__ = ()

    @property
    def ok(self) -> bool:
        """Nothing needs attention."""
        return not self.to_look_at

    @property
    def to_look_at(self) -> tuple[Finding, ...]:
        """The findings that need attention."""
        return tuple(each for each in self if each.verdict == "look")

    def value(self, name: str) -> float:
        """The number of the finding of this name.

        Raises:
            ValueError: no such finding.
        """
        for each in self:
            if each.name == name:
                return each.value
        raise ValueError(f"no finding {name!r}; choose one of {', '.join(f.name for f in self)}")

    def __repr__(self) -> str:
        return "\n".join(map(str, self))


def check_sessions(sessions: Sessions, test_set: Sessions | None = None) -> Findings:
    """What of these sessions, and of a test set kept apart from them, needs attention.

    sequential
        how much more of the next clicks a Markov table, of the last click or of the one before,
        foresees on the real order than on one shuffled inside the sessions: 0.2 is a fifth more.
        Of the last 1,000,000 clicks.
    sorted
        share of steps to another item that go the same way along one order of all items, by their
        names or by their places in sessions; NaN of fewer than 100 steps. The order by places
        follows the data, and counts where there are 5 steps an item.
    same time
        share of steps to another item at the time of the click before.
    duplicates
        share of clicks with session, item and time of another one; NaN if most times are the same.
    giants
        share of clicks in sessions of more than 200 clicks and of 20 times the mean.
    long pauses
        share of sessions with a pause of more than 6 hours, as those of users have.
    same sessions
        share of test sessions that are named as one in training.
    future
        share of pairs of a training and a test click of which the training click is the later one.
    unseen
        share of test clicks on items that training does not have, before any of them was dropped.

    Raises:
        ValueError: something that is no `Sessions`.
    """
    check_kind(Sessions, MAKE_THEM, sessions=sessions)
    check_kind(Sessions | None, MAKE_THEM, test_set=test_set)
    found = [
        _sequential(sessions),
        _sorted(sessions),
        _same_time(sessions),
        _duplicates(sessions),
        _giants(sessions),
        _long_pauses(sessions),
    ]
    if test_set is not None:
        found += [each(sessions, test_set) for each in (_same_sessions, _future, _unseen)]
    return Findings(found)


def _finding(
    name: str, value: float, found: str, is_fine: Callable[[float], bool], way_out: str
) -> Finding:
    if np.isnan(value):
        return Finding(name, value, "unknown", "this data cannot tell", "")
    verdict = "fine" if is_fine(value) else "look"
    return Finding(name, float(value), verdict, found, way_out if verdict == "look" else "")


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def _steps(sessions: Sessions) -> np.ndarray:
    """[clicks - 1] whether a click and the one after it are of one session."""
    return np.diff(sessions.session_of_click) == 0


def _sequential(sessions: Sessions) -> Finding:
    recent = sessions
    if sessions.n_clicks > MOST_CLICKS:
        start = sessions.session_of_click[sessions.n_clicks - MOST_CLICKS]
        recent = sessions.take(np.arange(sessions.n_sessions) > start)
    rng = np.random.default_rng(0)
    order = np.lexsort((rng.random(recent.n_clicks), recent.session_of_click))
    gains = [_gain(recent, order, back) for back in (1, 2)]
    gain, real, shuffled = max(gains, key=lambda each: np.nan_to_num(each[0], nan=-1))
    return _finding(
        "sequential",
        gain,
        f"{real:.1%} of the next clicks are foreseen, {shuffled:.1%} with the order shuffled",
        lambda value: value >= 0.1,
        "the order says next to nothing: is the file sorted by time, and is the time exact?",
    )


def _gain(sessions: Sessions, order: np.ndarray, back: int) -> tuple[float, float, float]:
    """How much more is foreseen than with the items in another order, and both shares."""
    real = _foreseen(sessions, sessions.items, back)
    shuffled = _foreseen(sessions, sessions.items[order], back)
    return real / max(shuffled, 1e-3) - 1, real, shuffled


def _foreseen(sessions: Sessions, items: np.ndarray, back: int) -> float:
    """Share of later clicks among the most frequent items `back` clicks after the earlier one.

    Clicks on the same item again do not count; the last fifth of the sessions is foreseen.
    """
    session, before, after = sessions.session_of_click, items[:-back], items[back:]
    step = np.flatnonzero((session[:-back] == session[back:]) & (before != after))
    pair = before[step] * sessions.n_items + after[step]
    later = session[step] >= sessions.n_sessions * 0.8
    if not later.any() or later.all():
        return np.nan
    known, count = np.unique(pair[~later], return_counts=True)
    order = np.lexsort((-count, known // sessions.n_items))
    first = known[order] // sessions.n_items
    rank = np.empty(len(known), np.int64)
    rank[order] = np.arange(len(known)) - np.searchsorted(first, first)
    place = np.minimum(np.searchsorted(known, pair[later]), len(known) - 1)
    top = min(TOP, max(1, sessions.n_items // 10))
    return float(np.mean((known[place] == pair[later]) & (rank[place] < top)))


def _sorted(sessions: Sessions) -> Finding:
    step = np.flatnonzero(_steps(sessions) & (np.diff(sessions.items) != 0))
    before, after = sessions.items[step], sessions.items[step + 1]
    orders = [np.argsort(np.argsort(sessions.item_ids, kind="stable"))]
    if len(step) >= STEPS_PER_ITEM * (sessions.support > 0).sum():
        orders.append(_places(sessions))
    share = max(_one_way(order[before], order[after]) for order in orders)
    return _finding(
        "sorted",
        share if len(step) >= N_STEPS else np.nan,
        f"{share:.1%} of the steps go one way along one order of the items",
        lambda value: value < 0.75,
        "the clicks look sorted by item, not by time: get the file in the order of the clicks",
    )


def _one_way(before: np.ndarray, after: np.ndarray) -> float:
    """The share of steps up or that of steps down, the larger one."""
    return max(np.mean(after > before), np.mean(after < before)) if len(before) else 0.0


def _places(sessions: Sessions) -> np.ndarray:
    """[items] mean place of an item in its sessions, from 0, the first, to 1, the last."""
    place = np.arange(sessions.n_clicks) - np.repeat(sessions.offsets[:-1], sessions.lengths)
    share = place / np.maximum(np.repeat(sessions.lengths, sessions.lengths) - 1, 1)
    total = np.bincount(sessions.items, share, minlength=sessions.n_items)
    return total / np.maximum(sessions.support, 1)


def _share_of_same_time(sessions: Sessions) -> float:
    steps = _steps(sessions)
    same = steps & (np.diff(sessions.times) == 0) & (np.diff(sessions.items) != 0)
    return _share(int(same.sum()), int(steps.sum()))


def _same_time(sessions: Sessions) -> Finding:
    value = _share_of_same_time(sessions)
    return _finding(
        "same time",
        value,
        f"{value:.1%} of the steps lead to another item at the time of the click before",
        lambda value: value < 0.1,
        'only the file orders them, unless a second column does: time=("time", "order")',
    )


def _duplicates(sessions: Sessions) -> Finding:
    keys = (sessions.items, sessions.times, sessions.session_of_click)
    order = np.lexsort(keys)
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    value = _share(int(same.sum()), sessions.n_clicks)
    return _finding(
        "duplicates",
        value if _share_of_same_time(sessions) < 0.5 else np.nan,
        f"{value:.1%} of the clicks have session, item and time of another one",
        lambda value: value < 0.01,
        "was a file read twice? Or drop them: repeats=False",
    )


def _giants(sessions: Sessions) -> Finding:
    mean = sessions.n_clicks / max(sessions.n_sessions, 1)
    giant = sessions.lengths > max(LONG, 20 * mean)
    value = _share(int(sessions.lengths[giant].sum()), sessions.n_clicks)
    longest = int(sessions.lengths.max(initial=0))
    return _finding(
        "giants",
        value,
        f"{value:.1%} of the clicks are in {giant.sum():,} giant sessions; the longest has "
        f"{longest:,}, the mean {mean:.1f}",
        lambda value: value == 0,
        f"bots, or users taken for sessions: cap them, longest={LONG}, or give gap=30",
    )


def _long_pauses(sessions: Sessions) -> Finding:
    paused = np.flatnonzero(_steps(sessions) & (np.diff(sessions.times) > PAUSE))
    count = len(np.unique(sessions.session_of_click[paused]))
    value = _share(count, int((sessions.lengths > 1).sum()))
    return _finding(
        "long pauses",
        value,
        f"{value:.1%} of the sessions have a pause of more than {PAUSE // 3600} hours",
        lambda value: value < 0.1,
        "these are users rather than sessions: cut them with gap=30 (minutes)",
    )


def _same_sessions(sessions: Sessions, test_set: Sessions) -> Finding:
    known = set(sessions.session_ids.tolist())
    value = _share(
        sum(name in known for name in test_set.session_ids.tolist()), test_set.n_sessions
    )
    return _finding(
        "same sessions",
        value,
        f"{value:.1%} of the test sessions are named as one in training",
        lambda value: value == 0,
        "a session must be in one part: split whole sessions, as sessions.split_last() does",
    )


def _future(sessions: Sessions, test_set: Sessions) -> Finding:
    earlier = np.searchsorted(np.sort(test_set.times), sessions.times, side="left")
    value = _share(int(earlier.sum()), sessions.n_clicks * test_set.n_clicks)
    return _finding(
        "future",
        value,
        f"a training click is later than a test click in {value:.1%} of the pairs",
        lambda value: value < 0.01,
        "training knows what came after the test: split by time, as sessions.split_last() does",
    )


def _unseen(sessions: Sessions, test_set: Sessions) -> Finding:
    known = set(sessions.item_ids[sessions.support > 0].tolist())
    new = np.array([name not in known for name in test_set.item_ids.tolist()], dtype=bool)
    n_clicks = test_set.n_clicks
    seen = 1 - _share(int(new[test_set.items].sum()), n_clicks)
    # Back step by step: of sessions taken from many, a share is known, not a number.
    for step in reversed(test_set.dropped):
        if step.reason == OUTSIDE:
            seen *= 1 - _share(step.clicks, n_clicks + step.clicks)
        n_clicks += step.clicks
    value = 1 - seen
    return _finding(
        "unseen",
        value,
        f"{value:.1%} of the test clicks are on items that training does not have",
        lambda value: value < 0.1,
        "the model is judged on the easy rest: say so, or train on newer days",
    )
