"""Ranks of targets among all items: from the scores of all, or without ever holding them.

The scores of 512 queries over 37,000 items are 76 MB, written once and read three times. In tiles
of 1,024 items they are counted while they are in the cache. A query leaves when more than `limit`
items beat its target, and when no item to come is long enough to: neither changes a rank.
"""

from dataclasses import dataclass, fields

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
        # The longest first, nan before all: a tile then bounds the scores of all that follow. A
        # copy of the table, since looking up its rows for every block would cost as much again.
        lengths, order = items.detach().norm(dim=1).sort(descending=True)
        self._items, self._bias = items.detach()[order], bias.detach()[order]
        self._place = torch.empty_like(order)
        self._place[order] = torch.arange(len(order))
        highest = torch.stack([part.max() for part in self._bias.split(TILE)])
        self._longest = lengths[::TILE].tolist()
        self._highest = highest.flip(0).cummax(dim=0).values.flip(0).tolist()
        sizes = [part.abs().nan_to_num(posinf=0.0).max() for part in (lengths, bias.detach())]
        self._longest_item, self._largest_bias = sizes
        self._buffer = self._items.new_empty(BLOCK * TILE)

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
        ranks = torch.cat([self._ranks_of_block(*part, ties, limit) for part in parts])
        return ranks.where(ranks <= limit, torch.inf)

    def _ranks_of_block(self, queries, targets, ties, limit) -> Tensor:
        from ..kernels.ranking import count_rivals

        race, ranks = self._race(queries, targets), torch.empty(len(targets), dtype=torch.float64)
        least = torch.ones(len(targets))
        tiles = zip(self._items.split(TILE), self._bias.split(TILE), strict=True)
        for number, (items, bias) in enumerate(tiles):
            race = race.only((least <= limit) & ~(self._reach(race, number) < race.score))
            scores = self._product(race.queries, items, bias)
            count_rivals(scores.numpy(), number * TILE, items.numpy(), bias.numpy(), *race.arrays())
            least = race.least_rank(ties)
            ranks[race.row] = least
        return ranks

    def _reach(self, race: "_Race", number: int) -> Tensor:
        """What no score of this tile and those after it exceeds, [rows]."""
        return race.length * self._longest[number] + self._highest[number] + race.slack

    def _race(self, queries: Tensor, targets: Tensor) -> "_Race":
        from ..kernels.ranking import scores_of_pairs

        length = queries.norm(dim=1)
        # Twice what rounding can do to a score at most, in whatever order it is summed.
        worst = (queries.shape[1] + 4) * torch.finfo(queries.dtype).eps
        slack = worst * (length * self._longest_item + self._largest_bias)
        places = self._place[targets]
        pairs = queries, self._items[places], self._bias[places]
        score = torch.from_numpy(scores_of_pairs(*(part.numpy() for part in pairs)))
        none = torch.zeros((2, len(targets)), dtype=torch.int32)
        rows = torch.arange(len(targets))
        return _Race(queries, places, score, slack, *none, length, rows)

    def _product(self, queries: Tensor, items: Tensor, bias: Tensor) -> Tensor:
        out = self._buffer[: len(queries) * len(items)].view(len(queries), len(items))
        return torch.addmm(bias.T, queries, items.T, out=out)


@dataclass(frozen=True, eq=False)
class _Race:
    """The queries that are still in it.

    Attributes:
        queries: [rows, units] the queries.
        place: [rows] number of the target in the order of the tiles.
        score: [rows] its score.
        slack: [rows] by how much a product may err.
        better, equal: [rows] rivals found so far above the target and level with it.
        length: [rows] Euclidean norm of the query.
        row: [rows] where the query stands in its block.
    """

    queries: Tensor
    place: Tensor
    score: Tensor
    slack: Tensor
    better: Tensor
    equal: Tensor
    length: Tensor
    row: Tensor

    def only(self, chosen: Tensor) -> "_Race":
        """The race of the chosen rows; of all, while too few leave to be worth the copy."""
        left = chosen.nonzero()[:, 0]
        if len(left) > len(chosen) * 15 // 16:
            return self
        return _Race(*(getattr(self, field.name)[left] for field in fields(self)))

    def arrays(self) -> tuple:
        """What `count_rivals` wants to know of each query, and writes."""
        parts = self.queries, self.place, self.score, self.slack, self.better, self.equal
        return tuple(part.numpy() for part in parts)

    def least_rank(self, ties: str) -> Tensor:
        """The rank of each target if no more rivals come."""
        share = {"conservative": 1, "standard": 0, "median": 0.5}[ties]
        return 1 + self.better.double() + share * self.equal
