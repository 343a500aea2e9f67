"""Adagrad with heavy-ball momentum, one pass over a parameter with all of its state.

    acc += g^2;  v = momentum v - lr g / sqrt(acc + eps);  parameter += v

A `store` is a parameter, its accumulators and its velocities, `how` is lr, momentum, eps. An array
of velocities without rows says that there are none yet: parameter -= lr g / sqrt(...).
"""

import math

from .jit import compiled, prefetch, vectorised

AHEAD = 4  # rows of up to three tables each


@compiled
def update(store, gradient, how):
    """Update a whole parameter, 1-d."""
    values, accumulated, velocity = store
    lr, momentum, eps = how
    if len(velocity):
        _accelerate(values, accumulated, velocity, gradient, lr, momentum, eps)
    else:
        _move(values, accumulated, gradient, lr, eps)


@compiled
def update_rows(store, items, n_items, gradient, how, bias_at, n_biased):
    """Update rows `items[k]`, k < `n_items`, of a table by `gradient[k]`.

    Only the first `n_biased` of them have a gradient of their bias, in column `bias_at`; that of
    the others keeps its velocity and does not move. Columns between the end of a row and the end of
    its cache line have gradient 0: going over them costs less than stopping short of them.
    """
    table, accumulated, velocity = store
    lr, momentum, eps = how
    moving = len(velocity) > 0
    for k in range(n_items):
        if k + AHEAD < n_items:
            prefetch(table, items[k + AHEAD])
            prefetch(accumulated, items[k + AHEAD])
            if moving:
                prefetch(velocity, items[k + AHEAD])
        i = items[k]
        if not moving:
            _move(table[i], accumulated[i], gradient[k], lr, eps)
            continue
        bias, bias_velocity = table[i, bias_at], velocity[i, bias_at]
        _accelerate(table[i], accumulated[i], velocity[i], gradient[k], lr, momentum, eps)
        if k >= n_biased:
            table[i, bias_at], velocity[i, bias_at] = bias, bias_velocity


@vectorised
def _move(values, accumulated, gradient, lr, eps):
    for j in range(len(values)):
        accumulated[j] += gradient[j] * gradient[j]
        values[j] -= lr * gradient[j] / math.sqrt(accumulated[j] + eps)


@vectorised
def _accelerate(values, accumulated, velocity, gradient, lr, momentum, eps):
    for j in range(len(values)):
        accumulated[j] += gradient[j] * gradient[j]
        move = lr * gradient[j] / math.sqrt(accumulated[j] + eps)
        velocity[j] = momentum * velocity[j] - move
        values[j] += velocity[j]
