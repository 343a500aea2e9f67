"""The five losses of one row, each with its closed-form gradient, as `gru4rec_lab.losses` has them.

Equal columns of a step are merged into one, so that a negative here has a `weight`: how often it
stands among the row's negatives. A loss writes weight_j dL/dr_j into `by` and returns its value and
dL/dr_i. Formulas, notation and the care for digits are those of the plain losses.

Shapes: target is a number; negatives, weight, share (weight_j s_j), lose (sigma(r_j - r_i)) and by
are [negatives]. `count` is the sum of the weights.
"""

import math

import numpy as np

from .elementary import HALF, ONE, TWO, ZERO, exp, sigmoid, sigmoid_and_slope, softplus
from .jit import compiled, vectorised

_TINY = np.finfo(np.float32).tiny


@compiled
def loss_and_gradient(kind, target, negatives, weight, count, bpreg, by, share, lose):
    """Value of the loss of this `kind` and dL/dr_i; dL/dr_j goes into `by`.

    A cached kernel cannot be handed a function, so a number picks the loss: its `Loss.kernel`.
    `bpreg` is the strength of the score regulariser; `share` and `lose` are written over.
    """
    top = log_total = negatives[0]
    if kind >= 2 or bpreg > ZERO:
        top, log_total = softmax(negatives, weight, share)
    if kind == 0:
        loss, by_target = top1(target, negatives, weight, count, by)
    elif kind == 1:
        loss, by_target = bpr(target, negatives, weight, count, by)
    elif kind == 2:
        loss, by_target = top1_max(target, negatives, share, by)
    elif kind == 3:
        log_sum = top - target + log_total
        loss, by_target = bpr_max(target, negatives, weight, share, log_sum, by, lose)
    else:
        loss, by_target = cross_entropy(top - target + log_total, share, by)
    if bpreg > ZERO:
        loss += add_regulariser(negatives, share, top, bpreg, by)
    return loss, by_target


@vectorised
def softmax(negatives, weight, share):
    """Write `share`; returns the highest score and log sum_j weight_j e^(r_j - highest)."""
    top = negatives[0]
    for j in range(1, len(negatives)):
        top = max(top, negatives[j])
    total = ZERO
    for j in range(len(negatives)):
        share[j] = weight[j] * exp(negatives[j] - top)
        total += share[j]
    scale = ONE / total
    for j in range(len(negatives)):
        share[j] *= scale
    return top, math.log(total)


@vectorised
def top1(target, negatives, weight, count, by):
    """Mean of q + u with q = sigma(r_j - r_i), u = sigma(r_j^2)."""
    loss = by_target = ZERO
    for j in range(len(negatives)):
        score, share = negatives[j], weight[j] / count
        q, q_slope = sigmoid_and_slope(score - target)
        u, u_slope = sigmoid_and_slope(score * score)
        loss += share * (q + u)
        by_target -= share * q_slope
        by[j] = share * (q_slope + TWO * score * u_slope)
    return loss, by_target


@vectorised
def bpr(target, negatives, weight, count, by):
    """Mean of softplus(r_j - r_i)."""
    loss = by_target = ZERO
    for j in range(len(negatives)):
        gap, share = negatives[j] - target, weight[j] / count
        loss += share * softplus(gap)
        by[j] = share * sigmoid(gap)
        by_target -= by[j]
    return loss, by_target


@vectorised
def top1_max(target, negatives, share, by):
    """With l_j the TOP1 term and L = sum_j s_j l_j: dL/dr_j = s_j (dl_j/dr_j + l_j - L)."""
    loss = by_target = ZERO
    for j in range(len(negatives)):
        score = negatives[j]
        q, q_slope = sigmoid_and_slope(score - target)
        u, u_slope = sigmoid_and_slope(score * score)
        loss += share[j] * (q + u)
        by_target -= share[j] * q_slope
        by[j] = q_slope + TWO * score * u_slope + q + u
    for j in range(len(negatives)):
        by[j] = share[j] * (by[j] - loss)
    return loss, by_target


@vectorised
def bpr_max(target, negatives, weight, share, log_sum, by, lose):
    """-log sum_j s_j sigma(r_i - r_j); `log_sum` is log sum_j e^(r_j - r_i).

    With q_j = sigma(r_j - r_i), w_j = q_j / sum_k q_k: dL/dr_j = s_j - w_j (1 - q_j).
    """
    lost = loses = squared = ZERO
    for j in range(len(negatives)):
        lose[j] = sigmoid(negatives[j] - target)
        lost += share[j] * lose[j]
        loses += weight[j] * lose[j]
        squared += weight[j] * lose[j] * lose[j]
    loses = max(loses, _TINY)
    near = lost < HALF
    for j in range(len(negatives)):
        q, w = lose[j], weight[j] * lose[j] / loses
        # s_j - w_j; where both are almost equal, as s_j (q_j - sum_k s_k q_k) / sum_k s_k p_k.
        excess = share[j] * (q - lost) / (ONE - lost) if near else share[j] - w
        by[j] = excess + w * q
    # A loss near 0 as log(1 - sum_j s_j q_j), a larger one by logs, since its sum underflows; as
    # in the plain loss.
    loss = -math.log1p(-lost) if near else log_sum - math.log(loses)
    return loss, -squared / loses


@vectorised
def cross_entropy(gap, share, by):
    """-log softmax(r)_i, from `gap`, the log of sum_j e^(r_j - r_i)."""
    miss = sigmoid(gap)
    for j in range(len(share)):
        by[j] = share[j] * miss
    return softplus(gap), -miss


@vectorised
def add_regulariser(negatives, share, top, bpreg, by):
    """Add `bpreg` times the gradient of R = sum_j s_j r_j^2 to `by`; returns `bpreg` R."""
    value = penalty = ZERO
    for j in range(len(negatives)):
        score = negatives[j]
        value += share[j] * score * score
        penalty += share[j] * ((score - top) * (score + top))
    for j in range(len(negatives)):
        score = negatives[j]
        # Less top^2, which cancels: float32 has no digits left behind 1e4 squared.
        squared = (score - top) * (score + top)
        by[j] += bpreg * share[j] * (TWO * score + squared - penalty)
    return bpreg * value
