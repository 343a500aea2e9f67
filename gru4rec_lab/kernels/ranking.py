"""Counting the items that beat or equal a target, while their scores are still in the cache."""

import numpy as np

from .jit import compiled


@compiled
def score(query, item, bias):
    """The score of an item, [units] by [units], summed in float64 and always in one order.

    Equal items then have equal scores.
    """
    total = np.float64(bias)
    for unit in range(len(query)):
        total += np.float64(query[unit]) * np.float64(item[unit])
    return query.dtype.type(total)


@compiled
def scores_of_pairs(queries, items, bias):
    """The score of row i of `items` for row i of `queries`, [rows, units]; `bias` is [rows, 1]."""
    scores = np.empty(len(queries), queries.dtype)
    for row in range(len(queries)):
        scores[row] = score(queries[row], items[row], bias[row, 0])
    return scores


@compiled
def _how_many_above(scores, limit):
    """How many scores are above a limit; a score that is no number is above any."""
    count = 0
    for column in range(len(scores)):
        count += not scores[column] <= limit
    # 32 bits, as wide as a float32 score: eight are compared and counted at a time, else four.
    return np.int32(count)


@compiled
def count_competitors(
    tile, first, items, bias, queries, places, target_scores, slack, better, equal
):  # fmt: skip
    """Add to `better` and `equal` the items of a tile above and level with each target.

    A target does not compete with itself.

    tile: [rows, columns] scores of `items`, as a matrix product rounds them. How it rounds depends
        on its shape, but by less than `slack`; `score` decides on items closer to the target.
    first: place of the tile's first item; the others follow.
    items, bias: [columns, units], [columns, 1].
    queries: [rows, units].
    places, target_scores, slack, better, equal: [rows] place and score of each target; the counts.
    """
    for row in range(len(queries)):
        scores, target, own = tile[row], target_scores[row], places[row] - first
        low, high = target - slack[row], target + slack[row]
        above = _how_many_above(scores, high)
        close = _how_many_above(scores, low) - above
        if 0 <= own < len(scores):
            above -= not scores[own] <= high
            close -= low < scores[own] <= high
        better[row] += above
        for column in range(len(scores) if close else 0):
            if column != own and low < scores[column] <= high:
                competitor = score(queries[row], items[column], bias[column, 0])
                better[row] += not competitor <= target
                equal[row] += competitor == target
