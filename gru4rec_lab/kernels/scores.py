"""From a block of scores to the loss and its gradient, written over the scores, row by row.

A row of scores and its gradient fit into the first caches, so a row goes through all its loops
before the next one begins; whole matrices of intermediate values would go to memory and back.
"""

import math

from .elementary import ONE, ZERO, exp
from .jit import compiled, nan_aware, vectorised
from .losses import loss_and_gradient

SCRATCH_ROWS = 5  # of intermediate values, each as long as a row of scores


@compiled
def rank_rows(
    kind, scores, n, bias, weight, count, column, own_weight, shift, elu_param, bpreg, loss_scale,
    by_bias, scratch,
):  # fmt: skip
    """Sum of the rows' losses times `loss_scale`; nan if a score is not finite.

    kind: the loss, as in `Loss.kernel`.
    scores: [rows, columns] without biases; its first `n` columns become their own gradient.
    bias, weight: [columns] what is added to each score, how often it is a negative; `count` is the
        sum of the weights.
    column, own_weight, shift: [rows] the column of the row's target, how often that is a negative
        of this row, what is added to the target's score besides.
    elu_param, bpreg: ELU's parameter and strength of the score regulariser, 0 for none.
    by_bias: [columns] to which the gradient's column sums are added.
    scratch: [SCRATCH_ROWS, columns] written over.
    """
    total = ZERO
    bias, weight, by_bias = bias[:n], weight[:n], by_bias[:n]
    for i in range(len(column)):
        row = scores[i, :n]
        if not_finite(row):
            return ZERO * math.nan
        own, full = column[i], weight[column[i]]
        weight[own] = own_weight[i]
        total += loss_scale * _rank_row(
            kind, row, bias, weight, count - full + own_weight[i], own, shift[i], elu_param,
            bpreg, loss_scale, by_bias, scratch,
        )  # fmt: skip
        weight[own] = full
    return total


@nan_aware
def not_finite(scores):
    """Whether some score, [columns], is infinite or nan: 0 times it is then not 0."""
    probe = ZERO
    for j in range(len(scores)):
        probe += scores[j] * ZERO
    return probe != ZERO


@compiled
def _rank_row(
    kind, scores, bias, weight, count, own, shift, elu_param, bpreg, loss_scale, by_bias, scratch
):  # fmt: skip
    if count <= ZERO:
        scores[:] = ZERO
        return ZERO
    n = len(scores)
    negatives, slope, by = scratch[0, :n], scratch[1, :n], scratch[2, :n]
    target, target_slope = _bend_one(scores[own] + bias[own] + shift, elu_param)
    _bend(scores, bias, elu_param, negatives, slope)
    if weight[own] == ZERO:
        # No negative of this row: its score must not be the highest of them.
        negatives[own] = negatives[1 if own == 0 else 0]
    loss, by_target = loss_and_gradient(
        kind, target, negatives, weight, count, bpreg, by, scratch[3, :n], scratch[4, :n]
    )
    _unbend(by, slope, elu_param, loss_scale, scores, by_bias)
    scores[own] += by_target * target_slope * loss_scale
    by_bias[own] += by_target * target_slope * loss_scale
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
def _unbend(by, slope, elu_param, loss_scale, scores, by_bias):
    """From the gradient by bent scores to the one by scores and biases."""
    if elu_param == ZERO:
        for j in range(len(scores)):
            scores[j] = by[j] * loss_scale
            by_bias[j] += scores[j]
        return
    for j in range(len(scores)):
        scores[j] = by[j] * slope[j] * loss_scale
        by_bias[j] += scores[j]
