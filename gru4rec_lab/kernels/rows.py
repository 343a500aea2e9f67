"""Rows of item tables: gather them, hand hidden states on, drop units, add up gradients.

Shapes: `table` [items, width], as wide as the rows or wider (a bias may stand behind a row);
`rows`, `picked`, `total`, `values`, `drawn` [rows, width]; `items`, `numbers`, `bias` [rows].
"""

from .elementary import ONE, ZERO
from .jit import compiled, prefetch, vectorised

AHEAD = 8  # rows; long enough for memory to answer, short enough for the first cache


@vectorised
def gather(table, items, n_items, rows):
    """Copy the rows of the first `n_items` of `items` from `table` to `rows`."""
    for k in range(n_items):
        if k + AHEAD < n_items:
            prefetch(table, items[k + AHEAD])
        row = table[items[k]]
        for j in range(rows.shape[1]):
            rows[k, j] = row[j]


@vectorised
def gather_with_bias(table, items, n_items, rows, bias_at, bias):
    """`gather`, and to `bias` what stands in column `bias_at` of the table.

    An item's bias stands behind its row, so that it is not a second wait for memory.
    """
    gather(table, items, n_items, rows)
    for k in range(n_items):
        bias[k] = table[items[k], bias_at]


@compiled
def attach_bias(rows, n_biased, n_rows, bias_at, bias):
    """Put biases behind the first `n_biased` rows; the others, up to `n_rows`, become zeros."""
    for k in range(n_biased):
        rows[k, bias_at] = bias[k]
    rows[n_biased:n_rows] = ZERO


@vectorised
def pick(rows, numbers, picked):
    """`picked[i] = rows[numbers[i]]`; zeros for -1."""
    for i in range(len(numbers)):
        number = numbers[i]
        for j in range(picked.shape[1]):
            picked[i, j] = rows[number, j] if number >= 0 else ZERO


@vectorised
def add_to(total, numbers, rows):
    """`total[numbers[i]] += rows[i]`; a number may repeat."""
    for i in range(len(numbers)):
        number = numbers[i]
        for j in range(rows.shape[1]):
            total[number, j] += rows[i, j]


@vectorised
def drop(values, drawn, keep):
    """Dropout in place: 0 where `drawn` is not below `keep`, else divided by it."""
    kept = ONE / keep
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] *= kept if drawn[i, j] < keep else ZERO
