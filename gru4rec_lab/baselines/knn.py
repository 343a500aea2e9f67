"""Two baselines that look for neighbours: of the last item, and of the session so far."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..arguments import check_kind, check_number, whole
from ..data.sessions import MAKE_THEM, Sessions
from .base import AllClicks, LastClick, PairTable, Ties, ragged, starts_of

Scores = Float[Tensor, "batch items"]


def visited(sessions: Sessions) -> tuple[Int[np.ndarray, "visits"], Int[np.ndarray, "visits"]]:
    """Session and item of each visit: every item of a session once, session after session."""
    check_kind(Sessions, MAKE_THEM, sessions=sessions)
    key = np.unique(sessions.session_of_click * sessions.n_items + sessions.items)
    return key // sessions.n_items, key % sessions.n_items


@dataclass(frozen=True, eq=False)
class ItemKNN(LastClick):
    """Items by the cosine between their sessions and those of the last click.

    Attributes:
        item_ids: [items] the source's own name of every item index.
        table: cosine of each pair of items that share a session, ties by popularity.
    """

    item_ids: np.ndarray
    table: PairTable

    @classmethod
    def fit(cls, sessions: Sessions, *, regularisation: float = 20.0) -> "ItemKNN":
        """Shared sessions / sqrt((sessions of i + 20) (sessions of j + 20)) for each pair i, j.

        The `regularisation`, in sessions, keeps rare items from being alike by chance.
        """
        check_number("regularisation", regularisation)
        session, item = visited(sessions)
        starts = starts_of(np.bincount(session, minlength=sessions.n_sessions))
        one, other = ragged(starts, session)
        pairs = item[one] != item[other]
        shared = PairTable.count(item[one[pairs]], item[other[pairs]], sessions.n_items)
        size = np.sqrt(np.bincount(item, minlength=sessions.n_items) + regularisation)
        cosine = shared.values / (size[shared.rows] * size[shared.columns])
        return cls(sessions.item_ids, shared.with_values(cosine, Ties.of(sessions.support)))

    def scores(self, state: Int[Tensor, "batch"]) -> Scores:
        """Cosine of each item with the last click; 0 for those that share no session with it."""
        none = torch.zeros(len(state), len(self.item_ids), dtype=torch.float64)
        return self.table.put(state, none)


@dataclass(frozen=True, eq=False)
class VSkNN(AllClicks):
    """Items of the training sessions most like the session so far, late clicks counting more.

    Attributes:
        item_ids: [items] the source's own name of every item index.
        ties: popularity, for ties and the rest.
        idf: [items] 1 + .1 log(sessions / sessions with the item).
        session_starts: [sessions + 1] where each session starts in `session_items`.
        session_items: the items of each session, each once.
        item_starts: [items + 1] where each item starts in `item_sessions`.
        item_sessions: the latest sessions with each item, the earliest of them first.
        root_lengths: [sessions] square root of the number of items.
        n_recent: latest sessions sharing an item that are compared.
        n_neighbours: of these, the most alike, whose items are scored.
    """

    item_ids: np.ndarray
    ties: Ties
    idf: np.ndarray
    session_starts: np.ndarray
    session_items: np.ndarray
    item_starts: np.ndarray
    item_sessions: np.ndarray
    root_lengths: np.ndarray
    n_recent: int = 1000
    n_neighbours: int = 100

    @classmethod
    def fit(cls, sessions: Sessions, *, n_recent: int = 1000, n_neighbours: int = 100) -> "VSkNN":
        """Lists the items of each session and the `n_recent` latest sessions of each item.

        Neighbours are among the `n_recent` latest sessions that share an item with the session so
        far, so that no item needs more.
        """
        whole("n_recent", n_recent)
        whole("n_neighbours", n_neighbours)
        session, item = visited(sessions)
        length = np.bincount(session, minlength=sessions.n_sessions)
        count = np.bincount(item, minlength=sessions.n_items)
        by_item = np.argsort(item, kind="stable")
        from_end = np.cumsum(count)[item[by_item]] - np.arange(len(item))
        recent = by_item[from_end <= n_recent]
        kept = np.bincount(item[recent], minlength=sessions.n_items)
        return cls(
            item_ids=sessions.item_ids,
            ties=Ties.of(sessions.support),
            idf=1 + 0.1 * np.log(sessions.n_sessions / np.maximum(count, 1)),
            session_starts=starts_of(length),
            session_items=item,
            item_starts=starts_of(kept),
            item_sessions=session[recent],
            root_lengths=np.sqrt(length),
            n_recent=n_recent,
            n_neighbours=n_neighbours,
        )

    def scores(self, state: Int[Tensor, "batch clicks"]) -> Scores:
        """Sum over the neighbours with the item, each by its likeness; the rest by popularity."""
        scores = self.ties.rest(len(state))
        for row, clicks in zip(scores.numpy(), state.numpy(), strict=True):
            items, sums = self._row(clicks[clicks >= 0])
            row[items] = self.ties.broken(sums, items)
        return scores

    def _row(self, clicks: Int[np.ndarray, "clicks"]):
        """Items and their scores after the given clicks, the latest first."""
        likeness, neighbours, distance = self._neighbours(clicks)
        near = distance < 10
        weights = (likeness * (1 - 0.1 * distance))[near]
        neighbour, place = ragged(self.session_starts, neighbours[near])
        items, which = np.unique(self.session_items[place], return_inverse=True)
        return items, np.bincount(which, weights[neighbour], minlength=len(items)) * self.idf[items]

    def _neighbours(self, clicks: Int[np.ndarray, "clicks"]):
        """Likeness, session and distance of each neighbour.

        The distance is that from the latest click to the latest that the neighbour shares.
        """
        items, distance = np.unique(clicks, return_index=True)
        latest_last = np.argsort(-distance)
        items, distance = items[latest_last], distance[latest_last]
        position = len(clicks) - distance
        click, place = ragged(self.item_starts, items)
        sessions, which = np.unique(self.item_sessions[place], return_inverse=True)
        # Sums of whole numbers are exact, so that ties are ties; the length divides afterwards.
        likeness = np.bincount(which, position[click], minlength=len(sessions)) / len(clicks)
        shared = np.empty(len(sessions), dtype=np.int64)
        shared[which] = distance[click]  # of several clicks the latest is written last
        likeness, sessions, shared = (
            part[::-1][: self.n_recent] for part in (likeness, sessions, shared)
        )
        likeness = likeness / self.root_lengths[sessions]
        # The latest come first and a stable sort keeps that order among the equally alike.
        best = np.argsort(-likeness, kind="stable")[: self.n_neighbours]
        return likeness[best], sessions[best], shared[best]
