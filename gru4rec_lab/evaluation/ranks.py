"""Ranks of targets among all items: from the scores of all, or without ever holding them.

The scores of 512 queries over 37,000 items are 76 MB, written once and read three times. In tiles
of 1,024 items they are counted while they are in the cache.

A query (a hidden state) is done when more than `limit` items beat its target, or when no item of
the tiles to come can: items are sorted by the length of their vectors, and a score is at most the
query's length times the item's, plus the bias. No rank up to the limit changes by that.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

TIES = ("conservative", "standard", "median")
TILE, BLOCK = 1024, 1024  # items and queries that are scored at a time


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
    better = (~(scores <= target)).sum(dim=1)
    equal = (scores == target).sum(dim=1)
    above = {"conservative": equal, "standard": 1, "median": (1 + equal) / 2}[ties]
    # MPS has no float64; float32 counts up to 16 million items.
    exact = torch.float32 if scores.device.type == "mps" else torch.float64
    return (better + above).clamp(max=scores.shape[1]).to(exact)


class Catalogue:
    """All items with embedding and bias, in the memory of a CPU; ranks targets among them.

    A score is query . embedding + bias. Its exact value, rounded once, decides between nearly equal
    ones, not a matrix product, whose rounding depends on its shape and on the machine.
    """

    def __init__(self, items: Float[Tensor, "items units"], bias: Float[Tensor, "items 1"]):
        # The longest first, nan before all: a tile then bounds the scores of all that follow. The
        # sorted table is a copy: looking up its rows for every block would take as long again.
        lengths, order = items.detach().norm(dim=1).sort(descending=True)
        self._items, self._bias = items.detach()[order], bias.detach()[order]
        self._place = torch.empty_like(order)
        self._place[order] = torch.arange(len(order))
        highest = torch.stack([part.max() for part in self._bias.split(TILE)])
        self._longest = lengths[::TILE].tolist()
        self._highest = highest.flip(0).cummax(dim=0).values.flip(0).tolist()
        sizes = [values.abs().nan_to_num(posinf=0.0).max() for values in (lengths, bias.detach())]
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
        blocks = zip(queries.detach().split(BLOCK), targets.split(BLOCK), strict=True)
        ranks = torch.cat([self._ranks_of_block(*block, ties, limit) for block in blocks])
        return ranks.where(ranks <= limit, torch.inf)

    def _ranks_of_block(self, queries, targets, ties, limit) -> Tensor:
        from ..kernels.ranking import count_competitors

        active, ranks = self._start(queries, targets), torch.empty(len(targets)).double()
        so_far = torch.ones(len(targets))
        tiles = zip(self._items.split(TILE), self._bias.split(TILE), strict=True)
        for number, (items, bias) in enumerate(tiles):
            beaten_by_none = self._highest_score(active, number) < active.score
            active = active.only((so_far <= limit) & ~beaten_by_none)
            scores = self._product(active.queries, items, bias)
            tile = scores.numpy(), number * TILE, items.numpy(), bias.numpy()
            count_competitors(*tile, *active.arrays())
            so_far = active.rank_so_far(ties)
            ranks[active.row] = so_far
        return ranks

    def _highest_score(self, active: "_ActiveQueries", number: int) -> Tensor:
        """What no score of this tile and those after it exceeds, [rows]."""
        return active.length * self._longest[number] + self._highest[number] + active.slack

    def _start(self, queries: Tensor, targets: Tensor) -> "_ActiveQueries":
        from ..kernels.ranking import scores_of_pairs

        length = queries.norm(dim=1)
        # Twice the largest error that rounding can make, in whatever order a score is summed.
        worst = (queries.shape[1] + 4) * torch.finfo(queries.dtype).eps
        slack = worst * (length * self._longest_item + self._largest_bias)
        places = self._place[targets]
        pairs = queries, self._items[places], self._bias[places]
        score = torch.from_numpy(scores_of_pairs(*(values.numpy() for values in pairs)))
        none = torch.zeros((2, len(targets)), dtype=torch.int32)
        rows = torch.arange(len(targets))
        return _ActiveQueries(queries, places, score, slack, *none, length, rows)

    def _product(self, queries: Tensor, items: Tensor, bias: Tensor) -> Tensor:
        out = self._buffer[: len(queries) * len(items)].view(len(queries), len(items))
        return torch.addmm(bias.T, queries, items.T, out=out)


@dataclass(frozen=True, eq=False)
class _ActiveQueries:
    """The queries of a block whose rank may still change, and what is known of them.

    Attributes:
        queries: [rows, units] the queries.
        place: [rows] number of the target in the order of the tiles.
        score: [rows] its score.
        slack: [rows] by how much a matrix product may err.
        better, equal: [rows] competitors found so far above the target and level with it.
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

    def only(self, chosen: Tensor) -> "_ActiveQueries":
        """The chosen rows; all of them, if so few are not chosen that a copy would not pay."""
        rows = chosen.nonzero()[:, 0]
        if len(rows) > len(chosen) * 15 // 16:
            return self
        return _ActiveQueries(*(getattr(self, field.name)[rows] for field in fields(self)))

    def arrays(self) -> tuple:
        """The last arguments of `count_competitors`."""
        values = self.queries, self.place, self.score, self.slack, self.better, self.equal
        return tuple(tensor.numpy() for tensor in values)

    def rank_so_far(self, ties: str) -> Tensor:
        """Rank of each target among the items of the tiles so far."""
        share = {"conservative": 1, "standard": 0, "median": 0.5}[ties]
        return 1 + self.better.double() + share * self.equal
