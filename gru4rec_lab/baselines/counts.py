"""Three baselines that count clicks: over all, in the session, after the last item."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..arguments import check_kind
from ..data.sessions import MAKE_THEM, Sessions
from .base import AllClicks, LastClick, PairTable, Ties

Scores = Float[Tensor, "batch items"]


@dataclass(frozen=True, eq=False)
class Popularity(LastClick):
    """Items by their clicks in training, whatever happens in the session.

    Attributes:
        item_ids: [items] the source's own name of every item index.
        support: [items] clicks on each item.
    """

    item_ids: np.ndarray
    support: np.ndarray

    @classmethod
    def fit(cls, sessions: Sessions) -> "Popularity":
        """Counts the clicks on each item."""
        check_kind(Sessions, MAKE_THEM, sessions=sessions)
        return cls(sessions.item_ids, sessions.support)

    def scores(self, state: Int[Tensor, "batch"]) -> Scores:
        """Clicks on each item, the same in each row."""
        return torch.from_numpy(self.support).double().expand(len(state), -1)


@dataclass(frozen=True, eq=False)
class SessionPopularity(AllClicks):
    """Items by their clicks in the session so far, then by their clicks in training.

    Attributes:
        item_ids: [items] the source's own name of every item index.
        ties: popularity, for ties and the rest.
    """

    item_ids: np.ndarray
    ties: Ties

    @classmethod
    def fit(cls, sessions: Sessions) -> "SessionPopularity":
        """Counts the clicks on each item, for the ties."""
        check_kind(Sessions, MAKE_THEM, sessions=sessions)
        return cls(sessions.item_ids, Ties.of(sessions.support))

    def scores(self, state: Int[Tensor, "batch clicks"]) -> Scores:
        """Clicks on each item in the session; ties and the rest by popularity."""
        row, place = (state >= 0).nonzero(as_tuple=True)
        cells = row * len(self.item_ids) + state[row, place]
        clicks, counts = np.unique(cells.numpy(), return_counts=True)
        broken = self.ties.broken(counts.astype(float), clicks % len(self.item_ids))
        return self.ties.rest(len(state)).put_(torch.from_numpy(clicks), torch.from_numpy(broken))


@dataclass(frozen=True, eq=False)
class Markov(LastClick):
    """Items by how often they came right after the last click; a Markov chain of order 1.

    Attributes:
        item_ids: [items] the source's own name of every item index.
        ties: popularity, for ties and the rest.
        table: count of each pair of consecutive clicks, ties by popularity.
    """

    item_ids: np.ndarray
    ties: Ties
    table: PairTable

    @classmethod
    def fit(cls, sessions: Sessions) -> "Markov":
        """Counts the consecutive clicks i -> j of the sessions."""
        check_kind(Sessions, MAKE_THEM, sessions=sessions)
        same = np.diff(sessions.session_of_click) == 0
        before, after = sessions.items[:-1][same], sessions.items[1:][same]
        counts = PairTable.count(before, after, sessions.n_items)
        ties = Ties.of(sessions.support)
        return cls(sessions.item_ids, ties, counts.with_values(counts.values, ties))

    def scores(self, state: Int[Tensor, "batch"]) -> Scores:
        """Count of each item after the last click; ties and the rest by popularity."""
        return self.table.put(state, self.ties.rest(len(state)))
