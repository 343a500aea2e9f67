"""Clicks that come part by part, put in order: for logs of more clicks than fit as a table.

From the start a click is 20 bytes: the numbers of its session and of its item, and its time.
Nothing lies here twice: columns grow in place, and each goes as soon as it was used.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1 << 18  # sessions that are picked at once


@dataclass(frozen=True)
class Part:
    """Some clicks of a log, one entry a row, and what was left out between them.

    Attributes:
        session: [rows] the log's own name of the session of each.
        item: [rows] the log's own name of the item of each.
        time: [rows] seconds since 1970.
        order: [rows] what comes first of clicks of equal time; None for the order of the rows.
        dropped: what was left out, to the number of rows.
    """

    session: "pd.Series | np.ndarray"
    item: "pd.Series | np.ndarray"
    time: np.ndarray
    order: np.ndarray | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Dropped:
    """What one preparation step left out, and why."""

    reason: str
    sessions: int = 0
    items: int = 0
    clicks: int = 0

    def __str__(self) -> str:
        """The reason and every count that is not 0."""
        counts = [("sessions", self.sessions), ("items", self.items), ("clicks", self.clicks)]
        return f"{self.reason}: " + ", ".join(f"{n:,} {what}" for what, n in counts if n)


class Gathered(NamedTuple):
    """Clicks in order, as the attributes of `Sessions` of these names."""

    items: np.ndarray
    times: np.ndarray
    offsets: np.ndarray
    item_ids: np.ndarray
    session_ids: np.ndarray


def gather(
    parts: Iterable[Part], *, numbered: bool = False, gap: float | None = None
) -> tuple[Gathered, tuple[Dropped, ...]]:
    """The clicks of all parts, and what was left out; `Sessions.from_parts` says in which order.

    Raises:
        ValueError: no clicks, or a time that is missing or before 1970.
    """
    session, item, time, rank, item_ids, names_of, dropped = _collected(parts, numbered)
    if not len(time):
        raise ValueError("no clicks")
    if not time.min() >= 0:
        raise ValueError("a time that is missing or before 1970")
    row = None
    if len(rank) or not _are_in_order(session, time):
        row = np.lexsort((rank, time, session) if len(rank) else (time, session))
        del rank
        # Not in one line, where the old columns would go after the last new one is there.
        session = session[row]
        item = item[row]
        time = time[row]
    same = session[1:] == session[:-1]
    if gap is not None:
        same &= np.diff(time) <= gap
    offsets = np.concatenate([[0], np.flatnonzero(~same) + 1, [len(item)]])
    starts = offsets[:-1]
    session = session[starts]
    first = starts if numbered or row is None else np.minimum.reduceat(row, starts)
    del row, same
    order = np.lexsort((first, time[starts]))
    anew = gap is not None or names_of is None
    session_ids = np.arange(1, len(order) + 1) if anew else names_of(session[order])
    time = picked(time, offsets, order)
    item = picked(item, offsets, order).astype(np.int64)
    ends = np.append(0, np.cumsum(np.diff(offsets)[order]))
    return Gathered(item, time, ends, item_ids, session_ids), dropped


def _collected(parts: Iterable[Part], hashed: bool) -> tuple:
    """Numbers of sessions and items, times and ranks; names of items; what names sessions; dropped.

    If `hashed`, sessions that have text for a name are numbered by it, and nothing names them.
    """
    items, names, dropped, kind = _Names(), _Names(), Counter(), None
    dtypes = np.int64, np.int32, np.float64, np.float64
    session, item, time, rank = (np.empty(0, dtype) for dtype in dtypes)
    for part in parts:
        dropped.update(part.dropped)
        if not len(part.time):
            continue
        kind = getattr(part.session.dtype, "numpy_dtype", part.session.dtype)
        if whole := isinstance(kind, np.dtype) and kind.kind in "iu":
            _append(session, np.asarray(part.session).astype(np.int64, copy=False))
        else:
            _append(session, (_hashed if hashed else names.numbers)(part.session))
        _append(item, items.numbers(part.item))
        _append(time, part.time)
        if part.order is not None:
            _append(rank, part.order)
    if kind is None:
        names_of = None
    elif whole:
        names_of = partial(np.ndarray.astype, dtype=kind)
    else:
        names_of = None if hashed else names.ids.__getitem__
    steps = tuple(Dropped(reason, clicks=count) for reason, count in dropped.items() if count)
    return session, item, time, rank, items.ids, names_of, steps


def picked(
    values: np.ndarray, offsets: np.ndarray, sessions: np.ndarray, kept: np.ndarray | None = None
) -> np.ndarray:
    """The values of these sessions, one after the other; only of the clicks `kept`, if given.

    A block at a time, since an index of all clicks takes as much memory as their items.
    """
    made, end = np.empty((offsets[sessions + 1] - offsets[sessions]).sum(), values.dtype), 0
    for at in range(0, len(sessions), BLOCK):
        start = offsets[sessions[at : at + BLOCK]]
        length = offsets[sessions[at : at + BLOCK] + 1] - start
        ends = np.cumsum(length)
        click = np.repeat(start - ends + length, length) + np.arange(ends[-1])
        if kept is not None:
            click = click[kept[click]]
        made[end : end + len(click)] = values[click]
        end += len(click)
    made.resize(end, refcheck=False)
    return made


class _Names:
    """The names of items or sessions, numbered by first appearance."""

    def __init__(self):
        self._known, self._found = {}, []

    def numbers(self, names: "pd.Series | np.ndarray") -> np.ndarray:
        """The number of each; new ones are added."""
        import pandas as pd

        codes, found = pd.factorize(names)
        before, found = len(self._known), np.asarray(found)
        places = [self._known.setdefault(name, len(self._known)) for name in found.tolist()]
        places = np.array(places, dtype=np.int32)
        self._found.append(found[places >= before])
        return places[codes]

    @property
    def ids(self) -> np.ndarray:
        """The names, each at its number."""
        return np.concatenate(self._found or [np.empty(0)])


def _hashed(names: "pd.Series | np.ndarray") -> np.ndarray:
    """64 bits made of each text; two of 20 million are alike once in 100,000 such logs."""
    import pandas as pd

    return pd.util.hash_array(np.asarray(names, object), categorize=False).view(np.int64)


def _append(column: np.ndarray, more: np.ndarray) -> None:
    end = len(column)
    column.resize(end + len(more), refcheck=False)
    column[end:] = more


def _are_in_order(session: np.ndarray, time: np.ndarray) -> bool:
    """Most logs are stored like this, and sorting takes longer than reading and checking."""
    later = (session[1:] == session[:-1]) & (time[1:] >= time[:-1])
    return bool((later | (session[1:] > session[:-1])).all())
