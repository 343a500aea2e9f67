"""Adagrad with heavy-ball momentum: the update of a step, in one pass over each touched number.

    acc += g^2;  v = momentum v - lr g / sqrt(acc + eps);  parameter += v

A `store` is a parameter, its accumulators and its velocities, three arrays of one shape: [items,
width] of a table, [numbers] of the dense parameters together. While momentum is 0 the velocities
have no rows, and parameter -= lr g / sqrt(acc + eps). `rates` are lr, momentum, eps.
"""

import math

from .elementary import ZERO
from .jit import compiled, prefetch, vectorised

AHEAD = 4  # rows of up to three tables each


@compiled
def learn(
    outputs, inputs, dense, numbers, gradients, rates, one_table, bias_at, n_columns, n_rows
):  # fmt: skip
    """Update the rows that a step looked up, their biases and all dense parameters.

    One call from Python, as `columns.fetch`. With the numbers that `columns.merge` returned:

    outputs, inputs, dense: stores; outputs and inputs are the same if `one_table`.
    numbers: items, clicked, row, as `merge` wrote them.
    gradients: by the columns' rows [rows, width], by their biases [columns], by the inputs' rows
        [batch, width], by the dense parameters [numbers], and scratch [batch, width] in which the
        gradients of equal inputs are added up.
    """
    items, clicked, row = numbers
    by_rows, by_bias, by_clicked, by_dense, by_inputs = gradients
    if one_table:
        # The gradients of a row as input and as output are added before they are squared.
        _attach_bias(by_rows, n_columns, n_rows, bias_at, by_bias)
        _add_to(by_rows, row, by_clicked)
        update_rows(outputs, items, n_rows, by_rows, rates, bias_at, n_columns)
    else:
        _attach_bias(by_rows, n_columns, n_columns, bias_at, by_bias)
        update_rows(outputs, items, n_columns, by_rows, rates, bias_at, n_columns)
        by_inputs[:n_rows] = ZERO
        _add_to(by_inputs, row, by_clicked)
        update_rows(inputs, clicked, n_rows, by_inputs, rates, 0, n_rows)
    update(dense, by_dense, rates)


@compiled
def _attach_bias(rows, n_biased, n_rows, bias_at, bias):
    """Put biases behind the first `n_biased` rows; the others, up to `n_rows`, become zeros."""
    for k in range(n_biased):
        rows[k, bias_at] = bias[k]
    rows[n_biased:n_rows] = ZERO


@vectorised
def _add_to(total, numbers, rows):
    """`total[numbers[i]] += rows[i]`; a number may repeat."""
    for i in range(len(numbers)):
        number = numbers[i]
        for j in range(rows.shape[1]):
            total[number, j] += rows[i, j]


@compiled
def update(store, gradient, rates):
    """Update a whole parameter, [numbers]."""
    values, accumulated, velocity = store
    lr, momentum, eps = rates
    if len(velocity):
        _accelerate(values, accumulated, velocity, gradient, lr, momentum, eps)
    else:
        _move(values, accumulated, gradient, lr, eps)


@compiled
def update_rows(store, items, n_items, gradient, rates, bias_at, n_biased):
    """Update rows `items[k]`, k < `n_items`, of a table by `gradient[k]`, [n_items, width].

    Only the first `n_biased` of them have a gradient of their bias, in column `bias_at`; that of
    the others keeps its velocity and does not move. Columns between the end of a row and the end of
    its cache line have gradient 0: going over them costs less than stopping short of them.
    """
    table, accumulated, velocity = store
    lr, momentum, eps = rates
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
