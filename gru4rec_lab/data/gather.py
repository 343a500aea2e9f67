"""Sessions of clicks that come part by part, for logs of more clicks than fit twice into memory.

`Sessions.from_frame` needs all clicks at once, as a table; here a click is 20 bytes from the start.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .raw_logs import Part
from .sessions import Dropped, Sessions

if TYPE_CHECKING:
    import pandas as pd


def gather(parts: Iterable[Part], *, gap: float | None = None) -> Sessions:
    """The sessions of all parts, as of `Sessions.from_frame`: by their start, clicks by time.

    Ids of sessions that are text, and sessions that are cut where nothing is clicked for more than
    `gap` seconds, are replaced by numbers from 1, in the order of their starts: so many names take
    more memory than the clicks. Sessions that start in one moment are in the order of their ids.

    Raises:
        ValueError: no clicks, or a time that is missing or before 1970.
    """
    named, known, dropped = True, {}, Counter()
    sessions, items, times = [], [], []
    for part in parts:
        clicks = part.clicks
        dropped.update(part.dropped)
        named &= clicks["SessionId"].dtype.kind == "i"
        sessions.append(_numbers(clicks["SessionId"]))
        items.append(_places(clicks["ItemId"], known))
        times.append(clicks["Time"].to_numpy(np.float64))
    if not known:
        raise ValueError("no clicks")
    session, item, time = (_joined(each) for each in (sessions, items, times))
    if not time.min() >= 0:
        raise ValueError("a time that is missing or before 1970")
    same, later = session[1:] == session[:-1], time[1:] >= time[:-1]
    if not ((session[1:] > session[:-1]) | (same & later)).all():
        order = np.lexsort((time, session))
        session, item, time = session[order], item[order], time[order]
        same = session[1:] == session[:-1]
    if gap is not None:
        same &= np.diff(time) <= gap
    offsets = np.concatenate([[0], np.flatnonzero(~same) + 1, [len(item)]])
    ids, names = session[offsets[:-1]], list(known)
    made = _by_start(item, time, offsets, ids)
    if not named or gap is not None:
        made = replace(made, session_ids=np.arange(1, len(ids) + 1))
    item_ids = np.array(names, dtype=object if isinstance(names[0], str) else np.int64)
    steps = (Dropped(reason, clicks=count) for reason, count in dropped.items() if count)
    return replace(made, item_ids=item_ids, dropped=tuple(steps))


def without_repeats(sessions: Sessions) -> Sessions:
    """The sessions without clicks on the item clicked just before, counted in `dropped`."""
    kept = np.append(True, np.diff(sessions.items) != 0)
    kept[sessions.offsets[:-1]] = True
    lengths = np.add.reduceat(kept, sessions.offsets[:-1], dtype=np.int64)
    again = Dropped("clicks on the item clicked just before", clicks=int((~kept).sum()))
    return replace(
        sessions,
        items=sessions.items[kept],
        times=sessions.times[kept],
        offsets=np.append(0, np.cumsum(lengths)),
        dropped=(*sessions.dropped, again),
    )


def _numbers(ids: "pd.Series") -> np.ndarray:
    """A whole number for each id: itself, or 64 bits made of its text."""
    import pandas as pd

    if ids.dtype.kind == "i":
        return ids.to_numpy(np.int64)
    # Two of 20 million ids get the same number once in 100,000 such logs.
    return pd.util.hash_array(ids.to_numpy(object), categorize=False).view(np.int64)


def _places(ids: "pd.Series", known: dict) -> np.ndarray:
    """The number of each item by first appearance; new ones are added to `known`."""
    import pandas as pd

    codes, names = pd.factorize(ids)
    places = [known.setdefault(name, len(known)) for name in names.tolist()]
    return np.array(places, dtype=np.int32)[codes]


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    """All arrays one after the other; the list is emptied, so that they do not lie here twice."""
    whole, end = np.empty(sum(map(len, arrays)), arrays[0].dtype), 0
    arrays.reverse()
    while arrays:
        part = arrays.pop()
        whole[end : end + len(part)] = part
        end += len(part)
    return whole


def _by_start(item: np.ndarray, time: np.ndarray, offsets: np.ndarray, ids: np.ndarray) -> Sessions:
    """Sessions in the order of their first clicks, without the names of items."""
    order = np.argsort(time[offsets[:-1]], kind="stable")
    lengths = np.diff(offsets)[order]
    ends = np.append(0, np.cumsum(lengths))
    if (np.diff(order) != 1).any():
        click = np.repeat(offsets[order] - ends[:-1], lengths)
        click += np.arange(len(item))
        item, time = item[click], time[click]
    none = np.array([], dtype=object)
    return Sessions(item.astype(np.int64), time, ends, none, ids[order])
