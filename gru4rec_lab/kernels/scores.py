"""From a block of scores to the loss and its gradient, written over the scores, row by row.

A row of scores and its gradient fit into the first caches, so a row goes through all its loops
before the next one begins; whole matrices of intermediate values would go to memory and back.
"""

import math

from .elementary import ONE, ZERO, exp
from .jit import compiled, nan_aware, vectorised
from .losses import loss_and_gradient

ROOM = 5  # rows of scratch that `rank_rows` needs, each as long as a row of scores


@compiled
def rank_rows(
    kind, scores, n, bias, weight, count, column, left, shift, elu_param, bpreg, part, by_bias, room
):
    """Sum of the rows' losses times `part`; nan if a score is no finite number.

    The first `n` columns of `scores` are overwritten by their gradient, whose column sums are added
    to `by_bias`. `bias` is added to each column first; `weight` is how often the column is a
    negative and `count` the sum of that. Row i's target is in column `column[i]`;
    of that column `left[i]` are its negatives too, and its own score is moved by `shift[i]`.
    """
    total = ZERO
    bias, weight, by_bias = bias[:n], weight[:n], by_bias[:n]
    for i in range(len(column)):
        row = scores[i, :n]
        if not_finite(row):
            return ZERO * math.nan
        own, full = column[i], weight[column[i]]
        weight[own] = left[i]
        total += part * _rank_row(
            kind, row, bias, weight, count - full + left[i], own, shift[i], elu_param,
            bpreg, part, by_bias, room,
        )  # fmt: skip
        weight[own] = full
    return total


@nan_aware
def not_finite(scores):
    """Whether some score is infinite or no number: 0 times it is then no number."""
    probe = ZERO
    for j in range(len(scores)):
        probe += scores[j] * ZERO
    return probe != ZERO


@compiled
def _rank_row(
    kind, scores, bias, weight, count, own, shift, elu_param, bpreg, part, by_bias, room
):  # fmt: skip
    if count <= ZERO:
        scores[:] = ZERO
        return ZERO
    n = len(scores)
    negatives, slope, by = room[0, :n], room[1, :n], room[2, :n]
    target, target_slope = _bend_one(scores[own] + bias[own] + shift, elu_param)
    _bend(scores, bias, elu_param, negatives, slope)
    if weight[own] == ZERO:
        # No negative of this row: its score must not be the highest of them.
        negatives[own] = negatives[1 if own == 0 else 0]
    loss, by_target = loss_and_gradient(
        kind, target, negatives, weight, count, bpreg, by, room[3, :n], room[4, :n]
    )
    _hand_back(by, slope, elu_param, part, scores, by_bias)
    scores[own] += by_target * target_slope * part
    by_bias[own] += by_target * target_slope * part
    return loss


@vectorised
def _bend_one(score, elu_param):
    """ELU of a score and its slope there; a parameter of 0 leaves scores as they are."""
    if elu_param == ZERO or score > ZERO:
        return score, ONE
    return elu_param * math.expm1(score), elu_param * math.exp(score)


@vectorised
def _bend(scores, bias, elu_param, bent, slope):
    if elu_param == ZERO:
        for j in range(len(scores)):
            bent[j] = scores[j] + bias[j]
        return
    for j in range(len(scores)):
        score = scores[j] + bias[j]
        falling = elu_param * exp(min(score, ZERO))
        bent[j] = max(score, ZERO) + (falling - elu_param)
        slope[j] = ONE if score > ZERO else falling


@vectorised
def _hand_back(by, slope, elu_param, part, scores, by_bias):
    if elu_param == ZERO:
        for j in range(len(scores)):
            scores[j] = by[j] * part
            by_bias[j] += scores[j]
        return
    for j in range(len(scores)):
        scores[j] = by[j] * slope[j] * part
        by_bias[j] += scores[j]
