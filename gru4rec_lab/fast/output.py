"""From the hidden state to the loss and its gradients: merged columns, scored block by block."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..kernels.columns import correct_exactly, correct_officially, count_negatives, merge
from ..kernels.rows import gather_with_bias
from ..kernels.scores import ROOM, rank_rows
from ..sampling import Frequencies
from .stack import Stack
from .tables import Table, aligned, padded

# Rows that are scored at a time where a batch has more than twice as many: their scores, half a
# megabyte at 2048 samples, are then still in the second cache when their gradient is multiplied.
BLOCK = 64


class Corrections:
    """Tables by item for the popularity correction; logs are taken once, not once a step."""

    def __init__(self, often: Frequencies):
        self.often = often
        self.logs = often.support.log().numpy(), often.extra.log().numpy()
        self.shares = (
            (often.support / often.support_total).numpy(),
            (often.extra / often.extra_total).numpy(),
        )


class _Block(NamedTuple):
    """What belongs to some rows of a step; all blocks use the same room for their scores."""

    scores: Tensor
    hidden: Tensor
    by_hidden: Tensor
    column: np.ndarray
    left: np.ndarray
    shift: np.ndarray


class Columns:
    """The columns of steps with the rows of `stack` and at most `n_sample` samples.

    Attributes:
        items: [n] item of each column, then those of inputs in the same table.
        clicked: [rows] the inputs' items where they have a table of their own.
        row: [rows] number of each session's input among one of these.
        n, n_rows: how many are columns; how many rows of `items` or `clicked` the inputs reach to.
        by_rows, by_bias: the loss's gradient by rows of the table, by column biases.
    """

    def __init__(self, output: Table, stack: Stack, n_sample: int):
        like, n_rows, most = output.values, stack.n_rows, 2 * stack.n_rows + n_sample
        self.n_sample, self._output = n_sample, output
        self._place = output.place
        self.items, self.clicked = np.zeros(most, np.int64), np.zeros(n_rows, np.int64)
        self.row, self._column = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64)
        self._left, self._shift = np.zeros(n_rows, like.dtype), np.zeros(n_rows, like.dtype)
        self._counts = aligned(2, most, like=like)
        self._weight, self._bias, self.by_bias = (aligned(most, like=like) for _ in range(3))
        self.rows = aligned(most, padded(output.width, like), like=like)
        self.by_rows = aligned(most, like.shape[1], like=like)
        size = n_rows if n_rows <= 2 * BLOCK else BLOCK
        by_row = (stack.top, stack.by_hidden.tensor, self._column, self._left, self._shift)
        # Rows of whole cache lines: no row begins in the middle of eight numbers.
        self._scores = aligned(size, padded(most, like), like=like)
        self._room = aligned(ROOM, padded(most, like), like=like)
        self._rows, self._by_rows = (
            torch.from_numpy(array)[:, : output.width] for array in (self.rows, self.by_rows)
        )
        scores = torch.from_numpy(self._scores)
        self._blocks = []
        for first in range(0, n_rows, size):
            hidden, *others = (all_[first : first + size] for all_ in by_row)
            self._blocks.append(_Block(scores[: len(hidden)], hidden, *others))

    def look_up(self, targets, negatives, inputs, one_table: bool) -> None:
        """Merge the items of a step and gather their rows and biases."""
        self.n, self.n_rows = merge(
            targets, negatives, inputs, one_table, self._place, self.items, self.clicked,
            self._column, self.row, self._counts,
        )  # fmt: skip
        n = self.n_rows if one_table else self.n
        gather_with_bias(
            self._output.values, self.items, n, self.rows, self._output.width, self._bias
        )

    def count(
        self, n_sample: int, logq, corrections: Corrections | None, exact: bool, mask: bool
    ) -> None:
        """Weigh the columns as negatives, with a correction of their scores if there is one."""
        given = self._counts, self._column
        written = self._weight[: self.n], self._left, self._shift
        if corrections is None:
            self._count = count_negatives(*given, mask, *written)
        elif exact:
            self._count = correct_exactly(
                *given, self.items, *corrections.shares, n_sample, logq, *written, self._bias
            )
        else:
            self._count = correct_officially(
                *given, self.items, *corrections.logs, logq, mask, *written, self._bias
            )

    def loss(self, kind: int, part, bpreg, elu_param) -> float:
        """The sum of the rows' losses times `part`; writes its gradients, `by_hidden` too."""
        total, n = 0.0, self.n
        rows, by_rows = self._rows.narrow(0, 0, n), self._by_rows.narrow(0, 0, n)
        by_bias = self.by_bias[:n]
        by_bias[:] = 0
        rows_transposed, bias = rows.T, self._bias[:n]
        for number, block in enumerate(self._blocks):
            scores = block.scores.narrow(1, 0, n)
            torch.mm(block.hidden, rows_transposed, out=scores)
            total += rank_rows(
                kind, self._scores, bias, self._weight, self._count, block.column, block.left,
                block.shift, elu_param, bpreg, part, by_bias, self._room,
            )  # fmt: skip
            torch.mm(scores, rows, out=block.by_hidden)
            if number == 0:
                torch.mm(scores.T, block.hidden, out=by_rows)
            else:
                by_rows.addmm_(scores.T, block.hidden)
        return total
