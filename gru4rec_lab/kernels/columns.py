"""The columns of a step: equal items are merged, and counted as negatives.

A popular item stands among the extra samples many times. As one column it is scored, and its row
updated, once; how often it was drawn becomes its weight. With 2048 samples at `sample_alpha` 0.5
from 37,000 items a tenth of all columns is saved.
"""

import math

from .elementary import ONE, ZERO, exp
from .jit import compiled


@compiled
def merge(targets, negatives, inputs, one_table, place, items, clicked, column, row, counts):
    """Number the items of a step; returns how many are columns and how many rows there are.

    `items` gets those of the columns; of the inputs, those that are no column follow there if
    inputs and outputs share `one_table`, else all are listed in `clicked`. `column[i]` is target
    i's number, `row[i]` input i's. `counts[0]` and `counts[1]` get how often each column is a
    target and a sample. `place` is -1 for every item, before and after.

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


# Which correction of the scores `weigh` makes.
UNCORRECTED, OFFICIAL, EXACT = range(3)


@compiled
def weigh(
    how, counts, column, items, by_item, n_sample, logq, mask, weight, left, shift, bias
):  # fmt: skip
    """The sum of the columns' weights as negatives, which one of the three below writes.

    `by_item` are the two tables that the correction needs, empty ones if it needs none.
    """
    if how == OFFICIAL:
        return correct_officially(
            counts, column, items, by_item[0], by_item[1], logq, mask, weight, left, shift, bias
        )
    if how == EXACT:
        return correct_exactly(
            counts, column, items, by_item[0], by_item[1], n_sample, logq, weight, left, shift, bias
        )
    return count_negatives(counts, column, mask, weight, left, shift)


@compiled
def count_negatives(counts, column, mask, weight, left, shift):
    """Write each column's `weight` and of row i's own column what is `left`; returns their sum.

    `left` is without the row's target itself, and without its copies if `mask`.
    """
    count = ZERO
    for j in range(len(weight)):
        weight[j] = counts[0, j] + counts[1, j]
        count += weight[j]
    for i in range(len(column)):
        left[i] = ZERO if mask else weight[column[i]] - ONE
        shift[i] = ZERO
    return count


@compiled
def correct_officially(
    counts, column, items, log_support, log_extra, logq, mask, weight, left, shift, bias
):
    """`count_negatives` with the official popularity correction of the scores.

    It differs between an item's columns as a target and as a sample. The smaller correction moves
    the `bias` of their one column; the other kind's weight shrinks by the difference.
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
        left[i] = ZERO if mask else others
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
    counts, column, items, support, extra, n_sample, logq, weight, left, shift, bias
):
    """`count_negatives` with the correction by expected counts; targets stay, their copies go.

    `support` and `extra` are shares of their sums.
    """
    count = ZERO
    for j in range(len(weight)):
        weight[j] = counts[0, j] + counts[1, j]
        count += weight[j]
        bias[j] -= _expected(support, extra, items[j], len(column), n_sample, logq)
    for i in range(len(column)):
        left[i] = ZERO
        shift[i] = _expected(support, extra, items[column[i]], len(column), n_sample, logq)
    return count


@compiled
def _expected(support, extra, item, n_rows, n_sample, logq):
    share = support.dtype.type
    return logq * math.log(share(n_rows - 1) * support[item] + share(n_sample) * extra[item])
