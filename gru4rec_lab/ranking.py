"""Ranks of targets among all items: from the scores of all, or without ever holding them.

The scores of 512 queries over 37,000 items are 76 MB, written once and read three times. In tiles
of 1,024 items they are counted while they are in the cache, and a query leaves as soon as more than
`limit` items beat its target: most are gone after a few tiles.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

TIES = ("conservative", "standard", "median")
TILE, BLOCK = 1024, 1024


def check_ties(ties: str) -> None:
    """Accept a way to rank among equal scores.

    Raises:
        ValueError: an unknown one.
    """
    if ties not in TIES:
        raise ValueError(f"unknown ties {ties!r}; choose one of {', '.join(TIES)}")


def rank_targets(
    scores: Float[Tensor, "batch items"], targets: Int[Tensor, "batch"], ties: str = "conservative"
) -> Float[Tensor, "batch"]:
    """Rank of each row's target among all items, 1 = best.

    Items that tie with the target count as better ("conservative"), as worse ("standard") or half
    each ("median"). Scores that are no numbers count as better than any; such a target is last.
    """
    check_ties(ties)
    target = scores.gather(1, targets[:, None])
    # Not "scores > target": nothing is above NaN, and a broken model would rank its targets first.
    better = (~(scores <= target)).sum(dim=1).double()
    equal = (scores == target).sum(dim=1)
    above = {"conservative": equal, "standard": 1, "median": (1 + equal) / 2}[ties]
    return (better + above).clamp(max=scores.shape[1])


class Catalogue:
    """All items with embedding and bias, in the memory of the CPU, to rank targets among.

    A score is query . embedding + bias. Its exact value, rounded once, decides: how a matrix
    product rounds, which depends on its shape and on the machine, turns no near-tie.
    """

    def __init__(self, items: Float[Tensor, "items units"], bias: Float[Tensor, "items 1"]):
        self._items, self._bias = items.detach(), bias.detach()
        self._arrays = self._items.numpy(), self._bias.numpy()[:, 0]
        self._buffer = self._items.new_empty(BLOCK * TILE)
        largest = [part.norm(dim=1).nan_to_num(posinf=0.0).max() for part in (items, bias)]
        self._largest_item, self._largest_bias = largest

    def ranks(
        self,
        queries: Float[Tensor, "queries units"],
        targets: Int[Tensor, "queries"],
        ties: str = "conservative",
        limit: float = float("inf"),
    ) -> Float[Tensor, "queries"]:
        """Rank of each query's target as by `rank_targets`; inf where it is beyond `limit`."""
        check_ties(ties)
        parts = zip(queries.detach().split(BLOCK), targets.split(BLOCK), strict=True)
        return torch.cat([self._ranks_of_block(*part, ties, limit) for part in parts])

    def _ranks_of_block(self, queries, targets, ties, limit) -> Tensor:
        from .kernels.ranking import count_rivals

        race = _Race(queries, targets.numpy(), self._slack(queries), self._arrays)
        ranks = np.full(len(targets), np.inf)
        for first in range(0, len(self._items), TILE):
            scores = self._scores(race.queries, first)
            count_rivals(scores, first, race.queries.numpy(), *self._arrays, *race.columns)
            race.drop(race.least_ranks(ties) > limit)
        ranks[race.rows] = race.least_ranks(ties)
        return torch.from_numpy(ranks)

    def _scores(self, queries: Tensor, first: int) -> np.ndarray:
        items, bias = (part[first : first + TILE] for part in (self._items, self._bias))
        out = self._buffer[: len(queries) * len(items)].view(len(queries), len(items))
        return torch.addmm(bias.T, queries, items.T, out=out).numpy()

    def _slack(self, queries: Tensor) -> np.ndarray:
        """Twice what rounding can do to a score at most, in whatever order it is summed."""
        size = queries.norm(dim=1) * self._largest_item + self._largest_bias
        return (size * (queries.shape[1] + 4) * torch.finfo(queries.dtype).eps).numpy()


class _Race:
    """The queries still in it and, for each, how many items were found above and level so far."""

    def __init__(self, queries: Tensor, targets: np.ndarray, slack: np.ndarray, arrays):
        from .kernels.ranking import scores_of_targets

        self.queries, self.rows = queries, np.arange(len(targets))
        scores = np.empty_like(slack)
        scores_of_targets(queries.numpy(), *arrays, targets, scores)
        better, equal = np.zeros((2, len(targets)), dtype=np.int32)
        self.columns = (targets, scores, slack, better, equal)

    def least_ranks(self, ties: str) -> np.ndarray:
        """The rank of each target if no more rivals come."""
        *_, better, equal = self.columns
        return 1 + better + {"conservative": 1, "standard": 0, "median": 0.5}[ties] * equal

    def drop(self, beaten: np.ndarray) -> None:
        """Leave the beaten ones out."""
        if beaten.any():
            left = np.flatnonzero(~beaten)
            self.queries, self.rows = self.queries[torch.from_numpy(left)], self.rows[left]
            self.columns = tuple(column[left] for column in self.columns)
