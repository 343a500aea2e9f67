"""The gates of the one-hot mode's cell, between its matrix products.

An item's row is its input in blocks c, r, z; the reset gate acts before the recurrent product:

    r, z = sigma(row_rz + b_rz + h W_rz);  c = tanh(row_c + b_c + (r h) W_c);  h' = h + z (c - h)
"""

from .elementary import ONE
from .gru import sigmoid_all, tanh_all
from .jit import compiled, vectorised


@compiled
def gates(row, bias, from_hidden, before, reset_hidden):
    """Blocks r, z of `row` become the gates; `reset_hidden` gets r h. `from_hidden` is h W_rz."""
    units = before.shape[1]
    for i in range(len(before)):
        _add_both(row[i, units:], bias[units:], from_hidden[i])
        sigmoid_all(row[i, units:])
        _multiply(row[i, units : 2 * units], before[i], reset_hidden[i])


@compiled
def state(row, bias, from_reset, before, after):
    """Block c of `row` becomes the candidate, `after` h'. `from_reset` is (r h) W_c."""
    units = before.shape[1]
    for i in range(len(before)):
        _add_both(row[i, :units], bias[:units], from_reset[i])
        tanh_all(row[i, :units])
        _mix(before[i], row[i, :units], row[i, 2 * units :], after[i])


@vectorised
def by_candidate(by_after, row, before, by_row):
    """From dL/dh' to the gradient of blocks c and z before their nonlinearities."""
    units = before.shape[1]
    for i in range(len(before)):
        for j in range(units):
            c, z, by = row[i, j], row[i, 2 * units + j], by_after[i, j]
            by_row[i, j] = by * z * (ONE - c * c)
            by_row[i, 2 * units + j] = by * (c - before[i, j]) * z * (ONE - z)


@vectorised
def by_reset(by_reset_hidden, row, before, by_row, by_bias):
    """From the gradient by r h to that of block r, and the gradient of the biases."""
    units = before.shape[1]
    by_bias[:] = 0
    for i in range(len(before)):
        for j in range(units):
            r = row[i, units + j]
            by_row[i, units + j] = by_reset_hidden[i, j] * before[i, j] * r * (ONE - r)
        for j in range(3 * units):
            by_bias[j] += by_row[i, j]


@vectorised
def _add_both(total, first, second):
    for j in range(len(total)):
        total[j] += first[j] + second[j]


@vectorised
def _multiply(first, second, product):
    for j in range(len(product)):
        product[j] = first[j] * second[j]


@vectorised
def _mix(before, candidate, update, after):
    for j in range(len(after)):
        after[j] = before[j] + update[j] * (candidate[j] - before[j])
