"""Counting the items that beat or equal a target, while their scores are still in the cache."""

import numpy as np

from .jit import compiled


@compiled
def score(query, item, bias):
    """The score of an item, summed in float64 in one order: equal items have equal scores."""
    total = np.float64(bias)
    for unit in range(len(query)):
        total += np.float64(query[unit]) * np.float64(item[unit])
    return query.dtype.type(total)


@compiled
def scores_of_pairs(queries, items, bias):
    """The score of row i of `items` for row i of `queries`; `bias` is [rows, 1]."""
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
def count_rivals(tile, first, items, bias, queries, places, target_scores, slack, better, equal):
    """Add to `better` and `equal`, [rows], the items of a tile above and level with each target.

    `tile`, [rows, columns], holds the scores of `items`, in places `first`, `first + 1`, ..., as a
    matrix product rounds them: that depends on its shape, but by less than `slack`, [rows]. Items
    closer to the target than that are scored again by `score`. A target is no rival of itself.
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
                rival = score(queries[row], items[column], bias[column, 0])
                better[row] += not rival <= target
                equal[row] += rival == target
