"""From the hidden state to the loss and its gradients: merged columns, scored in blocks of rows."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...kernels.columns import EACH_ONCE, EXACT, OFFICIAL, UNCORRECTED, fetch, merge
from ...kernels.scores import SCRATCH_ROWS, rank_rows
from ...sampling import Frequencies
from .layers import Stack
from .tables import Table, aligned, padded

# A batch of more than twice as many rows is scored in blocks: their scores, half a megabyte at 2048
# samples, are then still in the second cache when the gradient in their place is multiplied.
BLOCK = 64  # rows


class Corrections:
    """The popularity correction as `columns.weigh` takes it; logs are not taken in every step."""

    def __init__(self, frequencies: Frequencies, exact: bool):
        self.frequencies = frequencies
        support, extra = frequencies.support, frequencies.extra
        if exact:
            self.how = EXACT
            by_item = support / frequencies.support_total, extra / frequencies.extra_total
        else:
            self.how, by_item = OFFICIAL, (support.log(), extra.log())
        self.by_item = tuple(numbers.numpy() for numbers in by_item)


class _Block(NamedTuple):
    """The parts of a step's arrays that belong to some rows; all blocks share one for scores."""

    scores: Tensor
    hidden: Tensor
    by_hidden: Tensor
    column: np.ndarray
    own_weight: np.ndarray
    shift: np.ndarray


class _Views(NamedTuple):
    """The parts of the arrays that a number of columns fills, transposed too; scores by block."""

    rows: Tensor
    rows_transposed: Tensor
    by_rows: Tensor
    scores: list[Tensor]
    scores_transposed: list[Tensor]


class Columns:
    """The columns of steps with the rows of `stack` and at most `n_sample` samples.

    Attributes:
        n_columns, n_rows, numbers: what `columns.merge` returned, and items, clicked, row, which it
            wrote.
        by_rows, by_bias: [columns, width], [columns] the loss's gradient by the columns' rows and
            by their biases.
    """

    def __init__(self, output: Table, inputs: Table, stack: Stack, n_sample: int):
        like, n_rows, most = output.values, stack.n_rows, 2 * stack.n_rows + n_sample
        self.n_sample, whole, number = n_sample, padded(most, like), like.dtype
        items, clicked = np.zeros(most, np.int64), np.zeros(n_rows, np.int64)
        row, column = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64)
        own_weight, shift = np.zeros(n_rows, number), np.zeros(n_rows, number)
        self._weight, self._bias, self.by_bias = (aligned(most, like=like) for _ in range(3))
        rows = aligned(most, padded(output.width, like), like=like)
        self.by_rows = aligned(most, like.shape[1], like=like)
        self.numbers = items, clicked, row
        counts = aligned(2, most, like=like)
        one_table = inputs is output
        self._merged = one_table, output.place, items, clicked, column, row, counts
        tables = output.values, inputs.values, one_table, output.width
        self._fetched = tables, (items, column, row, counts), (rows, stack.clicked.array)
        self._weights = self._weight, own_weight, shift, self._bias, self.by_bias
        self._uncorrected = np.zeros(0, number), np.zeros(0, number)
        # Rows of whole cache lines: no row begins in the middle of eight numbers.
        size = n_rows if n_rows <= 2 * BLOCK else BLOCK
        self._scores, self._scratch = (aligned(k, whole, like=like) for k in (size, SCRATCH_ROWS))
        self._rows, self._by_rows = (
            torch.from_numpy(array)[:, : output.width] for array in (rows, self.by_rows)
        )
        scores = torch.from_numpy(self._scores)
        by_row = stack.top, stack.by_hidden.tensor, column, own_weight, shift
        self._blocks = []
        for first in range(0, n_rows, size):
            hidden, *others = (all_[first : first + size] for all_ in by_row)
            self._blocks.append(_Block(scores[: len(hidden)], hidden, *others))
        # By number of columns; each is 10 to 20 tensors without memory of their own.
        self._views: dict[int, _Views] = {}

    def look_up(
        self, targets, negatives, inputs, corrections, logq, mask: bool, each_once: bool
    ) -> None:
        """Merge the items of a step into columns, gather their rows, weigh and correct them.

        With `each_once` a column is one negative, however often its item stands there.
        """
        if corrections is None:
            how = EACH_ONCE if each_once else UNCORRECTED
            correction = how, self._uncorrected, logq, mask
        else:
            correction = corrections.how, corrections.by_item, logq, mask
        self.n_columns, self.n_rows = merge(targets, negatives, inputs, *self._merged)
        self._count = fetch(
            inputs, len(negatives), self.n_columns, self.n_rows, *self._fetched, correction,
            self._weights,
        )  # fmt: skip

    def loss(self, kind: int, loss_scale, bpreg, elu_param) -> float:
        """The sum of the rows' losses times `loss_scale`.

        Writes its gradients: `by_rows`, `by_bias` and the stack's `by_hidden`.
        """
        total, n = 0.0, self.n_columns
        views = self._views.get(n) or self._view(n)
        for number, block in enumerate(self._blocks):
            scores, transposed = views.scores[number], views.scores_transposed[number]
            torch.mm(block.hidden, views.rows_transposed, out=scores)
            total += rank_rows(
                kind, self._scores, n, self._bias, self._weight, self._count, block.column,
                block.own_weight, block.shift, elu_param, bpreg, loss_scale, self.by_bias,
                self._scratch,
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
