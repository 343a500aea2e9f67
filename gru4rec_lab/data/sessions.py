"""`Sessions`: what a click log looks like to GRU4Rec.

Flat item indices, one after the other, cut into sessions by `offsets`; sessions in the order in
which they start, since GRU4Rec reads them in time order and is evaluated on the latest ones.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..arguments import check_number, whole
from .frames import Column, Moment, read_clicks, seconds_of
from .gather import Dropped, Part, gather, picked

if TYPE_CHECKING:
    import pandas as pd

DAY = 86_400.0
MAKE_THEM = "make them of a frame, a file or a data set with load_sessions(...)"
OUTSIDE = "clicks on items outside the vocabulary"
Number = int | float


@dataclass(frozen=True, eq=False, repr=False)
class Sessions:
    """Sessions of clicks in time order.

    Attributes:
        items: [clicks] item index of every click, session after session, in time order within one.
        times: [clicks] time of every click, in seconds where the source has a clock.
        offsets: [sessions + 1] where each session starts in `items`; the last entry ends the last.
        item_ids: [items] the source's own name of every item index.
        session_ids: [sessions] the source's own name of every session.
        name: what the data is called in summaries.
        note: what a reader must know about the data, in one phrase.
        dropped: what was left out on the way here, step by step.
    """

    items: np.ndarray
    times: np.ndarray
    offsets: np.ndarray
    item_ids: np.ndarray
    session_ids: np.ndarray
    name: str = "sessions"
    note: str = ""
    dropped: tuple[Dropped, ...] = ()

    @classmethod
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        session: Column = "SessionId",
        item: Column = "ItemId",
        time: Column | Sequence[Column] = "Time",
        *,
        unit: str | None = None,
        name: str = "sessions",
        note: str = "",
        dropped: tuple[Dropped, ...] = (),
    ) -> "Sessions":
        """Sessions of a DataFrame with one click a row, in any order.

        Items are numbered by first appearance in the frame. Sessions are ordered by their first
        click and clicks by time; ties keep the order of the frame, or of the second column of
        `time`. Times are numbers, moments or text in ISO 8601; `unit` says what other numbers or
        text mean, as in `load_sessions`. Duplicate rows are kept as clicks.

        Raises:
            ValueError: a missing column, no rows, missing or mixed ids, ids that cannot be saved,
                unreadable or negative times, or times that look like another unit; the message
                counts the rows and shows one.
        """
        clicks = read_clicks(frame, session=session, item=item, time=time, unit=unit)
        return replace(cls.from_parts([clicks], name=name, note=note), dropped=dropped)

    @classmethod
    def from_parts(
        cls,
        parts: Iterable[Part],
        *,
        numbered: bool = False,
        gap: float | None = None,
        name: str = "sessions",
        note: str = "",
    ) -> "Sessions":
        """Sessions of clicks that come part by part, in any order; ordered as by `from_frame`.

        If `numbered`, sessions that start in one moment are in the order of their ids, and ids that
        are text, which take more memory than the clicks, become numbers from 1, in order; so do
        those of sessions that are cut where nothing is clicked for more than `gap` seconds.

        Raises:
            ValueError: no clicks, or a time that is missing or before 1970.
        """
        columns, dropped = gather(parts, numbered=numbered, gap=gap)
        return cls(*columns, name=name, note=note, dropped=dropped)

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.offsets) - 1

    @property
    def n_items(self) -> int:
        """Number of items in the vocabulary, clicked here or not."""
        return len(self.item_ids)

    @property
    def n_clicks(self) -> int:
        """Number of clicks."""
        return len(self.items)

    @cached_property
    def lengths(self) -> np.ndarray:
        """[sessions] clicks in each session."""
        return np.diff(self.offsets)

    @cached_property
    def support(self) -> np.ndarray:
        """[items] clicks on each item."""
        return np.bincount(self.items, minlength=self.n_items)

    @cached_property
    def session_of_click(self) -> np.ndarray:
        """[clicks] index of the session each click belongs to."""
        return np.repeat(np.arange(self.n_sessions), self.lengths)

    def to_frame(self) -> "pd.DataFrame":
        """One click a row: SessionId, ItemId, Time; the inverse of `from_frame`."""
        import pandas as pd

        return pd.DataFrame(
            {
                "SessionId": self.session_ids[self.session_of_click],
                "ItemId": self.item_ids[self.items],
                "Time": self.times,
            }
        )

    def filtered(self, min_session: int = 2, min_item: int = 5) -> "Sessions":
        """Sessions without rare items and short sessions, in the order of [H16].

        Sessions shorter than `min_session` clicks go first, then items with fewer than `min_item`
        clicks, then the sessions that became too short; one pass, not repeated.

        Raises:
            ValueError: not whole numbers of 0 or more.
        """
        whole("min_session", min_session, 0)
        whole("min_item", min_item, 0)
        short = f"sessions of fewer than {min_session} clicks"
        long = np.repeat(self.lengths >= min_session, self.lengths)
        support = np.bincount(self.items[long], minlength=self.n_items)
        frequent = long & (support >= min_item)[self.items]
        left = frequent & np.repeat(self._lengths_of(frequent) >= min_session, self.lengths)
        rare = f"items with fewer than {min_item} clicks"
        # At once, since a copy after each step takes as much memory as all clicks.
        steps = (long, short), (frequent, rare), (left, short + " after that")
        return self._keep_in_steps(*steps)._used_items()

    def between(self, since: Moment | None = None, until: Moment | None = None) -> "Sessions":
        """The clicks from `since` on and before `until`: seconds, moments or text in ISO 8601.

        Raises:
            ValueError: a moment that cannot be read, or no click between them.
        """
        kept, said = np.ones(self.n_clicks, bool), []
        if since is not None:
            kept, said = kept & (self.times >= seconds_of(since)), [f"before {since}"]
        if until is not None:
            kept, said = kept & (self.times < seconds_of(until)), [*said, f"from {until} on"]
        if not self.n_clicks:
            raise ValueError("there are no clicks to choose from; look at summary() for the steps")
        if not kept.any():
            raise ValueError(
                f"all clicks are {' or '.join(said)}: they go from {self.times.min():.0f} to "
                f"{self.times.max():.0f} s; choose another since= or until="
            )
        return self._keep(kept, f"clicks {' or '.join(said)}")._used_items()

    def cut(self, gap: Number) -> "Sessions":
        """Sessions that end where more than `gap` minutes pass without a click.

        Each is named after the one it comes from: `7-1`, `7-2`. The note says how many there are,
        and how many half and twice the gap would make.

        Raises:
            ValueError: a gap that is no number above 0.
        """
        if isinstance(gap, bool) or not isinstance(gap, Number) or not 0 < gap < np.inf:
            raise ValueError(f"gap must be a number of minutes above 0, got {gap!r}")
        pause = np.diff(self.times)
        pause[self._starts[1:] - 1] = 0
        ends = {minutes: pause > minutes * 60 for minutes in (gap, gap / 2, gap * 2)}
        made = [f"{self.n_sessions + int(end.sum()):,}" for end in ends.values()]
        offsets = np.union1d(self.offsets, np.flatnonzero(ends[gap]) + 1)
        owner = np.searchsorted(self.offsets, offsets[:-1], side="right") - 1
        number = np.arange(len(owner)) - np.searchsorted(owner, owner) + 1
        names = zip(self.session_ids[owner].tolist(), number.tolist(), strict=True)
        note = (
            f"cut where {gap:g} minutes pass without a click: {self.n_sessions:,} became {made[0]} "
            f"sessions; {gap / 2:g} minutes would make {made[1]}, {gap * 2:g} make {made[2]}"
        )
        parts = replace(
            self,
            offsets=offsets,
            session_ids=np.array([f"{name}-{k}" for name, k in names], dtype=object),
            note="; ".join(filter(None, [self.note, note])),
        )
        return parts._keep(np.ones(self.n_clicks, bool), "")  # in the order of their starts

    def without_repeats(self) -> "Sessions":
        """The clicks without those on the item that was clicked just before in the session."""
        new = np.ones(self.n_clicks, bool)
        np.not_equal(self.items[1:], self.items[:-1], out=new[1:])
        new[self._starts] = True
        return self._keep(new, "clicks on the item clicked just before")

    def capped(self, longest: Number) -> "Sessions":
        """The first `longest` clicks of each session.

        Raises:
            ValueError: not a whole number of 1 or more.
        """
        longest = whole("longest", longest)
        place = np.arange(self.n_clicks) - np.repeat(self.offsets[:-1], self.lengths)
        kept = self._keep(place < longest, f"clicks beyond the first {longest:,} of a session")
        return kept._used_items()

    def split_last(
        self, *, days: Number | None = None, fraction: Number | None = None, by: str = "start"
    ) -> tuple["Sessions", "Sessions"]:
        """Training and test sessions, split in time; the test part comes last.

        Give `days` (the sessions within that many days of the last click) or `fraction` (that share
        of the sessions), by the `"start"` or the `"end"` of a session. Both parts have the training
        items as vocabulary; test clicks on other items are dropped and counted, as are test
        sessions with fewer than 2 clicks left.

        Raises:
            ValueError: neither or both of `days` and `fraction`, or a part would be empty.
        """
        if (days is None) == (fraction is None):
            raise ValueError("give either days= or fraction=, for example fraction=0.1")
        name, size = ("days", days) if fraction is None else ("fraction", fraction)
        check_number(name, size)
        if fraction is not None and not 0 <= fraction <= 1:
            raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
        if by not in ("start", "end"):
            raise ValueError(f"cannot split by {by!r}; choose start or end")
        moment = self.times[self.offsets[:-1] if by == "start" else self.offsets[1:] - 1]
        if days is not None:
            late = moment >= self.times.max(initial=0) - days * DAY
        else:
            n_train = round(self.n_sessions * (1 - fraction))
            late = np.argsort(np.argsort(moment, kind="stable")) >= n_train
        # What is in the other part is not lost, and not counted as dropped.
        train = replace(self.take(~late), dropped=self.dropped)._used_items()
        known = replace(self.take(late), dropped=self.dropped).with_items(train.item_ids)
        test = known._without_short(2, "test sessions of fewer than 2 clicks")
        if not train.n_sessions or not test.n_sessions:
            spread = np.ptp(moment) / DAY if self.n_sessions else 0
            raise ValueError(
                f"the split leaves {train.n_sessions} training and {test.n_sessions} test sessions "
                f"of {self.n_sessions}, whose {by}s are spread over {spread:.3g} days; choose "
                "another days= or fraction="
            )
        return train, test

    def most_recent(self, fraction: Number) -> "Sessions":
        """The last `fraction` of the sessions, with only their items.

        Raises:
            ValueError: no number above 0 and up to 1.
        """
        check_number("fraction", fraction)
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction must be above 0 and at most 1, got {fraction}")
        late = np.arange(self.n_sessions) >= round(self.n_sessions * (1 - fraction))
        return self.take(late)._used_items()

    def sample(self, n_sessions: int, *, seed: int = 0) -> "Sessions":
        """`n_sessions` sessions drawn without replacement (all, if there are fewer), in order.

        Raises:
            ValueError: `n_sessions` or `seed` is no whole number of 0 or more.
        """
        count = min(whole("n_sessions", n_sessions, 0), self.n_sessions)
        random = np.random.default_rng(whole("seed", seed, 0))
        chosen = random.choice(self.n_sessions, count, replace=False)
        return self.take(np.isin(np.arange(self.n_sessions), chosen))

    def with_items(self, item_ids: np.ndarray) -> "Sessions":
        """The same sessions over another vocabulary; clicks on items outside it are dropped.

        Raises:
            ValueError: an item that is there twice.
        """
        item_ids = np.asarray(item_ids)
        if len(item_ids) == self.n_items and np.array_equal(item_ids, self.item_ids):
            return self
        # Without pandas, whose import takes half a second.
        known = {name: place for place, name in enumerate(item_ids.tolist())}
        if len(known) < len(item_ids):
            raise ValueError(
                f"{len(item_ids) - len(known)} items of the vocabulary are there more than once; "
                "name each once"
            )
        place = np.array([known.get(name, -1) for name in self.item_ids.tolist()], np.int64)
        kept = self._keep(place[self.items] >= 0, OUTSIDE)
        return replace(kept, items=place[kept.items], item_ids=np.asarray(item_ids))

    def with_targets(self, item_ids: np.ndarray) -> "Sessions":
        """The sessions over another vocabulary that still have a target: two clicks on its items.

        Every click but the first of a session is a target, an item for a model to foresee.
        """
        return self.with_items(item_ids)._without_short(2, "sessions of fewer than 2 clicks")

    def take(self, chosen: np.ndarray) -> "Sessions":
        """The sessions where `chosen` ([sessions] bool) is true, over the same items.

        The others are counted in `dropped`, so that shares of what was dropped before stay true.

        Raises:
            ValueError: something else than a bool for each session.
        """
        chosen = np.asarray(chosen)
        if chosen.dtype != bool or chosen.shape != (self.n_sessions,):
            raise ValueError(
                f"chosen must be a bool for each of the {self.n_sessions} sessions, got "
                f"{chosen.dtype} in the shape {chosen.shape}"
            )
        return self._keep(np.repeat(chosen, self.lengths), "sessions not taken")

    def summary(self) -> str:
        """What is here and what was dropped on the way, one line each."""
        return "\n".join([repr(self), *(f"  dropped {step}" for step in self.dropped)])

    def __repr__(self) -> str:
        """Name, counts and note in one line."""
        counts = f"{self.n_sessions:,} sessions, {self.n_items:,} items, {self.n_clicks:,} clicks"
        return f"{self.name}: {counts}" + (f" ({self.note})" if self.note else "")

    @property
    def _starts(self) -> np.ndarray:
        """The first click of each session that has one."""
        return self.offsets[:-1][self.lengths > 0]

    def _lengths_of(self, kept: np.ndarray) -> np.ndarray:
        """[sessions] how many clicks of each are `kept`."""
        found = np.zeros(self.n_sessions, np.int64)
        found[self.lengths > 0] = np.add.reduceat(kept, self._starts, dtype=np.int64)
        return found

    def _without_short(self, min_session: int, reason: str) -> "Sessions":
        return self._keep(np.repeat(self.lengths >= min_session, self.lengths), reason)

    def _keep(self, clicks: np.ndarray, reason: str) -> "Sessions":
        """The chosen clicks; sessions left empty go, the vocabulary stays."""
        return self._keep_in_steps((clicks, reason))

    def _keep_in_steps(self, *steps: tuple[np.ndarray, str]) -> "Sessions":
        """The clicks chosen last, each step among those of the step before; all are counted.

        Sessions are in the order of their first clicks: one that lost its own starts later.
        """
        dropped = self.dropped
        before = self.n_sessions, int((self.support > 0).sum()), self.n_clicks
        for kept, reason in steps:
            left = self._lengths_of(kept)
            n_items = int((np.bincount(self.items[kept]) > 0).sum())
            after = int((left > 0).sum()), n_items, int(left.sum())
            gone = Dropped(reason, *(n - m for n, m in zip(before, after, strict=True)))
            dropped += (gone,) if gone.clicks or gone.sessions else ()
            before = after
        first = np.flatnonzero(kept)[np.cumsum(left[left > 0]) - left[left > 0]]
        sessions = np.flatnonzero(left)[np.argsort(self.times[first], kind="stable")]
        return replace(
            self,
            items=picked(self.items, self.offsets, sessions, kept),
            times=picked(self.times, self.offsets, sessions, kept),
            offsets=np.append(0, np.cumsum(left[sessions])),
            session_ids=self.session_ids[sessions],
            dropped=dropped,
        )

    def _used_items(self) -> "Sessions":
        used = np.flatnonzero(self.support)
        place = np.full(self.n_items, -1)
        place[used] = np.arange(len(used))
        return replace(self, items=place[self.items], item_ids=self.item_ids[used])
