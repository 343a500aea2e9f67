"""What the baselines share: sparse tables of item pairs, ties by popularity, and a session's state.

A baseline remembers of a session under way the last click, or all clicks so far.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

LEAST = 1e-30  # below every score above 0 that a baseline gives


@dataclass(frozen=True, eq=False)
class Ties:
    """Popularity, to decide between equal scores and between items without a score.

    Attributes:
        order: [items] a number in [0, 1), larger for more clicks, equal for equally many.
    """

    order: np.ndarray

    @classmethod
    def of(cls, support: Int[np.ndarray, "items"]) -> "Ties":
        """The order of the items by their clicks."""
        _, place = np.unique(support, return_inverse=True)
        return cls(place / (place.max(initial=0) + 1))

    def broken(
        self, scores: Float[np.ndarray, "scores"], items: Int[np.ndarray, "scores"]
    ) -> Float[np.ndarray, "scores"]:
        """The scores of the items, 0 or more, in float64, larger for popular items where they tie.

        Scores are compared as float32 numbers, 24 bits wide, and popularity moves only the bits
        below: it decides ties, also those hidden by rounding, and nothing else.
        """
        return scores.astype(np.float32).astype(np.float64) * (1 + self.order[items] * 2.0**-25)

    def rest(self, n_rows: int) -> Float[Tensor, "batch items"]:
        """Scores that put all items behind any score above 0, by popularity."""
        row = self.broken(np.full(len(self.order), LEAST), np.arange(len(self.order)))
        return torch.from_numpy(row).repeat(n_rows, 1)


@dataclass(frozen=True, eq=False)
class PairTable:
    """A number for each of some pairs of items, row by row.

    Attributes:
        starts: [items + 1] where each item's row starts in `columns`.
        columns: [pairs] the second item of each pair.
        values: [pairs] its number.
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    @classmethod
    def count(
        cls, first: Int[np.ndarray, "pairs"], second: Int[np.ndarray, "pairs"], n_items: int
    ) -> "PairTable":
        """How often each pair occurs."""
        pairs, counts = np.unique(first * n_items + second, return_counts=True)
        rows = np.bincount(pairs // n_items, minlength=n_items)
        return cls(starts_of(rows), pairs % n_items, counts.astype(np.float64))

    @property
    def rows(self) -> Int[np.ndarray, "pairs"]:
        """The first item of each pair."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def with_values(self, values: Float[np.ndarray, "pairs"], ties: Ties) -> "PairTable":
        """The same pairs with other values, ties broken."""
        return replace(self, values=ties.broken(values, self.columns))

    def put(
        self, items: Int[Tensor, "batch"], scores: Float[Tensor, "batch items"]
    ) -> Float[Tensor, "batch items"]:
        """The scores, replaced by the values in each item's row where there is one."""
        row, pair = ragged(self.starts, items.numpy())
        columns, values = torch.from_numpy(self.columns[pair]), torch.from_numpy(self.values[pair])
        return scores.index_put((torch.from_numpy(row), columns), values)


def starts_of(lengths: Int[np.ndarray, "rows"]) -> Int[np.ndarray, "starts"]:
    """Where each row starts when rows of these lengths follow each other, and where all end."""
    return np.concatenate([[0], np.cumsum(lengths)])


def ragged(
    starts: Int[np.ndarray, "starts"], chosen: Int[np.ndarray, "rows"]
) -> tuple[Int[np.ndarray, "places"], Int[np.ndarray, "places"]]:
    """All places of the chosen rows, one row after the other: (number among the chosen, place)."""
    lengths = starts[chosen + 1] - starts[chosen]
    row = np.repeat(np.arange(len(chosen)), lengths)
    return row, np.arange(len(row)) + (starts[chosen] - np.cumsum(lengths) + lengths)[row]


class LastClick:
    """State: [batch] the last click of each row."""

    def start(self, batch_size: int) -> None:
        """Nothing: there is no click yet."""

    def advance(
        self, inputs: Int[Tensor, "batch"], state, carry: Int[Tensor, "batch"]
    ) -> Int[Tensor, "batch"]:
        """The clicks of this step; nothing goes on from the step before."""
        return inputs


class AllClicks:
    """State: [batch, clicks] the clicks of each row, the latest first, -1 where there is none."""

    def start(self, batch_size: int) -> Int[Tensor, "batch 0"]:
        """No clicks."""
        return torch.empty(batch_size, 0, dtype=torch.int64)

    def advance(
        self,
        inputs: Int[Tensor, "batch"],
        state: Int[Tensor, "rows clicks"],
        carry: Int[Tensor, "batch"],
    ) -> Int[Tensor, "batch more"]:
        """The clicks of this step, then those of the row that goes on."""
        before = torch.where((carry >= 0)[:, None], state[carry.clamp(min=0)], -1)
        longest = int((before >= 0).sum(dim=1).max()) if before.numel() else 0
        return torch.cat([inputs[:, None], before[:, :longest]], dim=1)
