"""From the hidden state to the loss and its gradients: merged columns, scored block by block."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...kernels.columns import EXACT, OFFICIAL, UNCORRECTED, merge
from ...kernels.passes import fetch
from ...kernels.scores import ROOM, rank_rows
from ...sampling import Frequencies
from .layers import Stack
from .tables import Table, aligned, padded

# Rows that are scored at a time where a batch has more than twice as many: their scores, half a
# megabyte at 2048 samples, are then still in the second cache when their gradient is multiplied.
BLOCK = 64


class Corrections:
    """The popularity correction as kernels take it; logs are taken once, not once a step."""

    def __init__(self, often: Frequencies, exact: bool):
        self.often = often
        if exact:
            shares = often.support / often.support_total, often.extra / often.extra_total
            self.how, self.by_item = EXACT, tuple(share.numpy() for share in shares)
        else:
            logs = often.support.log(), often.extra.log()
            self.how, self.by_item = OFFICIAL, tuple(log.numpy() for log in logs)


class _Block(NamedTuple):
    """What belongs to some rows of a step; all blocks use the same room for their scores."""

    scores: Tensor
    hidden: Tensor
    by_hidden: Tensor
    column: np.ndarray
    left: np.ndarray
    shift: np.ndarray


class _Views(NamedTuple):
    """The parts of the arrays that `n` columns take up, transposed ones too; scores by block."""

    rows: Tensor
    rows_transposed: Tensor
    by_rows: Tensor
    scores: list[Tensor]
    scores_transposed: list[Tensor]


class Columns:
    """The columns of steps with the rows of `stack` and at most `n_sample` samples.

    Attributes:
        n, n_rows: how many are columns; how many rows of a table the inputs reach to.
        numbers: items of the columns, then those of inputs in the same table; the inputs' items
            where they have a table of their own; number of each session's input among one of these.
        by_rows, by_bias: the loss's gradient by rows of the table, by column biases.
    """

    def __init__(self, output: Table, inputs: Table, stack: Stack, n_sample: int):
        like, n_rows, most = output.values, stack.n_rows, 2 * stack.n_rows + n_sample
        self.n_sample, whole, number = n_sample, padded(most, like), like.dtype
        items, clicked = np.zeros(most, np.int64), np.zeros(n_rows, np.int64)
        row, column = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64)
        left, shift = np.zeros(n_rows, number), np.zeros(n_rows, number)
        self._weight, self._bias, self.by_bias = (aligned(most, like=like) for _ in range(3))
        rows = aligned(most, padded(output.width, like), like=like)
        self.by_rows = aligned(most, like.shape[1], like=like)
        self.numbers = items, clicked, row
        counts = aligned(2, most, like=like)
        one_table = inputs is output
        self._merged = one_table, output.place, items, clicked, column, row, counts
        tables = output.values, inputs.values, one_table, output.width
        self._fetched = tables, (items, column, row, counts), (rows, stack.clicked.array)
        self._weights = self._weight, left, shift, self._bias, self.by_bias
        self._uncorrected = np.zeros(0, number), np.zeros(0, number)
        # Rows of whole cache lines: no row begins in the middle of eight numbers.
        size = n_rows if n_rows <= 2 * BLOCK else BLOCK
        self._scores, self._room = (aligned(k, whole, like=like) for k in (size, ROOM))
        self._rows, self._by_rows = (
            torch.from_numpy(array)[:, : output.width] for array in (rows, self.by_rows)
        )
        scores = torch.from_numpy(self._scores)
        by_row = stack.top, stack.by_hidden.tensor, column, left, shift
        self._blocks = []
        for first in range(0, n_rows, size):
            hidden, *others = (all_[first : first + size] for all_ in by_row)
            self._blocks.append(_Block(scores[: len(hidden)], hidden, *others))
        # One for each number of columns seen, 10 to 20 tensors without memory of their own.
        self._views: dict[int, _Views] = {}

    def look_up(self, targets, negatives, inputs, corrections, logq, mask: bool) -> None:
        """Merge the items of a step, gather their rows, weigh and correct the columns."""
        if corrections is None:
            correction = UNCORRECTED, self._uncorrected, logq, mask
        else:
            correction = corrections.how, corrections.by_item, logq, mask
        self.n, self.n_rows = merge(targets, negatives, inputs, *self._merged)
        self._count = fetch(
            inputs, len(negatives), self.n, self.n_rows, *self._fetched, correction, self._weights
        )

    def loss(self, kind: int, part, bpreg, elu_param) -> float:
        """The sum of the rows' losses times `part`; writes its gradients, `by_hidden` too."""
        total, n = 0.0, self.n
        views = self._views.get(n) or self._view(n)
        for number, block in enumerate(self._blocks):
            scores, transposed = views.scores[number], views.scores_transposed[number]
            torch.mm(block.hidden, views.rows_transposed, out=scores)
            total += rank_rows(
                kind, self._scores, n, self._bias, self._weight, self._count, block.column,
                block.left, block.shift, elu_param, bpreg, part, self.by_bias, self._room,
            )  # fmt: skip
            torch.mm(scores, views.rows, out=block.by_hidden)
            if number == 0:
                torch.mm(transposed, block.hidden, out=views.by_rows)
            else:
                views.by_rows.addmm_(transposed, block.hidden)
        return total

    def _view(self, n: int) -> _Views:
        """Made once for a number of columns: each view would cost a step several microseconds."""
        rows, by_rows = self._rows[:n], self._by_rows[:n]
        scores = [block.scores[:, :n] for block in self._blocks]
        transposed = [block.T for block in scores]
        self._views[n] = _Views(rows, rows.T, by_rows, scores, transposed)
        return self._views[n]
