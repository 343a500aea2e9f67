"""The columns of a step: equal items are merged, looked up once and weighed as negatives.

A popular item stands among the extra samples many times. As one column it is scored, and its row
updated, once; how often it was drawn becomes its weight. With 2048 samples at `sample_alpha` 0.5
from 37,000 items a tenth of all columns is saved.

Shapes: targets, inputs, column, row, own_weight, shift [batch]; negatives [n_sample]; weight, bias,
by_bias [columns]; counts [2, columns]; place and what is known of every item (support, log_support,
extra, log_extra) [items]; a table [items, width], rows of it [rows, width or less]. column[i] is
the column of row i's target, items[j] the item of column j.
"""

import math

from .elementary import ONE, ZERO, exp
from .jit import compiled, prefetch, vectorised

AHEAD = 8  # rows; long enough for memory to answer, short enough for the first cache
# Which popularity correction of the scores `weigh` makes; EACH_ONCE: none, and it counts no copies.
UNCORRECTED, OFFICIAL, EXACT, EACH_ONCE = range(4)


@compiled
def merge(targets, negatives, inputs, one_table, place, items, clicked, column, row, counts):
    """Number the items of a step; returns how many columns and how many rows of inputs there are.

    `items` gets the items of the columns. If inputs and outputs share `one_table`, inputs that are
    no column follow there, and the number of rows counts columns and those; else `clicked` gets the
    inputs' items. `row[i]` becomes the number of input i among them, `column[i]` the column of
    target i, `counts[0]` and `counts[1]` how often each column is a target and a sample. `place` is
    -1 for every item, before and after.

    Raises:
        IndexError: an item that the tables do not have.
    """
    for given in (targets, negatives, inputs):
        for k in range(len(given)):
            if given[k] < 0 or given[k] >= len(place):
                raise IndexError("an item of the batch is not in the catalogue")
    counts[:] = ZERO
    n = 0
    for k in range(len(targets)):
        n = _number(targets[k], place, items, n)
        column[k] = place[targets[k]]
        counts[0, column[k]] += ONE
    for k in range(len(negatives)):
        n = _number(negatives[k], place, items, n)
        counts[1, place[negatives[k]]] += ONE
    n_columns = n
    if not one_table:
        _forget(items, n, place)
        items, n = clicked, 0
    for k in range(len(inputs)):
        n = _number(inputs[k], place, items, n)
        row[k] = place[inputs[k]]
    _forget(items, n, place)
    return n_columns, n


@compiled
def _number(item, place, items, n):
    """Give a new item the number n; returns how many have one."""
    if place[item] >= 0:
        return n
    place[item] = n
    items[n] = item
    return n + 1


@compiled
def _forget(items, n, place):
    for k in range(n):
        place[items[k]] = -1


@compiled
def fetch(inputs, n_sample, n_columns, n_rows, tables, numbers, rows, correction, weights):
    """Gather the rows of columns and inputs and weigh the columns; returns the weights' sum.

    One call from Python: after a matrix product, which empties the caches, each costs several
    microseconds before it does anything. Tuples of arrays cost no more than arrays one by one.

    n_columns, n_rows: as `merge` returned them.
    tables: of the outputs [items, width], of the inputs, whether they are one, column of the bias.
    numbers: items, column, row, counts, as `merge` wrote them.
    rows: of the columns, of the inputs; both written, [columns or batch, width].
    correction: how, by_item, logq, mask, for `weigh`.
    weights: weight, own_weight, shift, bias, by_bias; written, the last with zeros.
    """
    table, inputs_table, one_table, bias_at = tables
    items, column, row, counts = numbers
    column_rows, input_rows = rows
    how, by_item, logq, mask = correction
    weight, own_weight, shift, bias, by_bias = weights
    if one_table:
        gather_with_bias(table, items, n_rows, column_rows, bias_at, bias)
        gather(column_rows, row, len(row), input_rows)
    else:
        gather_with_bias(table, items, n_columns, column_rows, bias_at, bias)
        gather(inputs_table, inputs, len(inputs), input_rows)
    weight, by_bias = weight[:n_columns], by_bias[:n_columns]
    by_bias[:] = ZERO
    return weigh(
        how, counts, column, items, by_item, n_sample, logq, mask, weight, own_weight, shift, bias
    )


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
def weigh(
    how, counts, column, items, by_item, n_sample, logq, mask, weight, own_weight, shift, bias
):  # fmt: skip
    """Write each column's `weight` as a negative by one of the four below; returns their sum.

    `by_item` are the two arrays of all items that the correction needs; empty if it needs none.
    """
    if how == OFFICIAL:
        return correct_officially(
            counts, column, items, by_item[0], by_item[1], logq, mask, weight, own_weight, shift,
            bias,
        )  # fmt: skip
    if how == EXACT:
        return correct_exactly(
            counts, column, items, by_item[0], by_item[1], n_sample, logq, weight, own_weight,
            shift, bias,
        )  # fmt: skip
    if how == EACH_ONCE:
        return take_each_once(column, weight, own_weight, shift)
    return count_negatives(counts, column, mask, weight, own_weight, shift)


@compiled
def take_each_once(column, weight, own_weight, shift):
    """Write 1 as the `weight` of every column, 0 for a row's own; returns the sum of the ones."""
    weight[:] = ONE
    own_weight[:] = ZERO
    shift[:] = ZERO
    return weight.dtype.type(len(weight))


@compiled
def count_negatives(counts, column, mask, weight, own_weight, shift):
    """Write how often each column is a negative, its `weight`; returns their sum.

    For row i its own column counts with `own_weight[i]` instead: without the target itself, and
    without the target's copies if `mask`.
    """
    count = ZERO
    for j in range(len(weight)):
        weight[j] = counts[0, j] + counts[1, j]
        count += weight[j]
    for i in range(len(column)):
        own_weight[i] = ZERO if mask else weight[column[i]] - ONE
        shift[i] = ZERO
    return count


@compiled
def correct_officially(
    counts, column, items, log_support, log_extra, logq, mask, weight, own_weight, shift, bias
):
    """`count_negatives` with the official popularity correction of the scores.

    It differs between an item as a target and as a sample. The smaller correction moves the `bias`
    of the item's one column; the weight of the other kind shrinks by the difference.
    """
    count = ZERO
    for j in range(len(weight)):
        low, target_unit, extra_unit = _units(counts, j, items[j], log_support, log_extra, logq)
        weight[j] = counts[0, j] * target_unit + counts[1, j] * extra_unit
        count += weight[j]
        bias[j] -= low
    for i in range(len(column)):
        j = column[i]
        low, target_unit, extra_unit = _units(counts, j, items[j], log_support, log_extra, logq)
        others = (counts[0, j] - ONE) * target_unit + counts[1, j] * extra_unit
        own_weight[i] = ZERO if mask else others
        shift[i] = low - logq * log_support[items[j]]
    return count


@compiled
def _units(counts, j, item, log_support, log_extra, logq):
    """The smaller correction and the weights of a column as a target and as a sample."""
    if counts[0, j] == ZERO:
        return logq * log_extra[item], ZERO, ONE
    if counts[1, j] == ZERO:
        return logq * log_support[item], ONE, ZERO
    as_target, as_extra = logq * log_support[item], logq * log_extra[item]
    low = min(as_target, as_extra)
    return low, exp(low - as_target), exp(low - as_extra)


@compiled
def correct_exactly(
    counts, column, items, support, extra, n_sample, logq, weight, own_weight, shift, bias
):
    """`count_negatives` with the correction by expected counts and without copies of the target.

    The target's own score stays as it is. `support` and `extra` are shares of their sums.
    """
    count = ZERO
    for j in range(len(weight)):
        weight[j] = counts[0, j] + counts[1, j]
        count += weight[j]
        bias[j] -= _expected(support, extra, items[j], len(column), n_sample, logq)
    for i in range(len(column)):
        own_weight[i] = ZERO
        shift[i] = _expected(support, extra, items[column[i]], len(column), n_sample, logq)
    return count


@compiled
def _expected(support, extra, item, n_rows, n_sample, logq):
    """logq times the log of how often an item is expected among a row's negatives."""
    share = support.dtype.type
    return logq * math.log(share(n_rows - 1) * support[item] + share(n_sample) * extra[item])
