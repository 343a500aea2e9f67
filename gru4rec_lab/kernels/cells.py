"""Hidden states between the matrix products: carried to their rows, through a cell, dropped out.

Both cells go forward, and backward by hand. The GRU cell (`torch.nn.GRUCell`), with
a = W_ih x + b_ih and b = W_hh h + b_hh in blocks r, z, n:

    r = sigma(a_r + b_r);  z = sigma(a_z + b_z);  n = tanh(a_n + r b_n);  h' = n + z (h - n)

The cell of the one-hot mode, whose input is an item's row in blocks c, r, z, and whose reset gate
acts before the recurrent product (`gru4rec_lab.model.OneHotCell`):

    r, z = sigma(row_rz + b_rz + h W_rz);  c = tanh(row_c + b_c + (r h) W_c);  h' = h + z (c - h)

Shapes: hidden states (before, after, reset_hidden, from_reset) and gradients by them [rows, units];
from_input, from_hidden, row, by_row [rows, 3 units], but the one-hot cell's from_hidden [rows, 2
units]; biases and gradients by them [3 units].
"""

from .elementary import ONE, TWO, ZERO, exp
from .jit import compiled, vectorised


@vectorised
def carry_on(before, carry, after):
    """`after[i] = before[carry[i]]`, [rows, units]; zeros for -1."""
    for i in range(len(carry)):
        row = carry[i]
        for j in range(after.shape[1]):
            after[i, j] = before[row, j] if row >= 0 else ZERO


@compiled
def gru_forward(from_input, from_hidden, input_bias, hidden_bias, before, after):
    """Write the next hidden state into `after`.

    `from_input` and `from_hidden`, a and b without biases, become what `gru_backward` needs: the
    first one the gates r, z, n, the second one b_n in its last block.
    """
    for i in range(len(before)):
        _gru_forward(from_input[i], from_hidden[i], input_bias, hidden_bias, before[i], after[i])


@vectorised
def _gru_forward(a, b, input_bias, hidden_bias, before, after):
    units = len(before)
    for j in range(2 * units):
        a[j] += b[j] + (input_bias[j] + hidden_bias[j])
    _sigmoid(a[: 2 * units])
    reset, update, candidate = a[:units], a[units : 2 * units], a[2 * units :]
    for j in range(units):
        b[2 * units + j] += hidden_bias[2 * units + j]
        candidate[j] += input_bias[2 * units + j] + reset[j] * b[2 * units + j]
    _tanh(candidate)
    for j in range(units):
        after[j] = candidate[j] + update[j] * (before[j] - candidate[j])


@compiled
def gru_backward(by_after, from_input, from_hidden, before, by_input_bias, by_hidden_bias):
    """From dL/dh' to the gradients by a and b, written over their products, and by the biases."""
    by_input_bias[:] = 0
    by_hidden_bias[:] = 0
    for i in range(len(before)):
        _gru_backward(by_after[i], from_input[i], from_hidden[i], before[i])
        _add(by_input_bias, from_input[i])
        _add(by_hidden_bias, from_hidden[i])


@vectorised
def _gru_backward(by_after, gates, b, before):
    units = len(before)
    for j in range(units):
        r, z, n = gates[j], gates[units + j], gates[2 * units + j]
        by_n = by_after[j] * (ONE - z) * (ONE - n * n)
        by_r = by_n * b[2 * units + j] * r * (ONE - r)
        by_z = by_after[j] * (before[j] - n) * z * (ONE - z)
        gates[j], gates[units + j], gates[2 * units + j] = by_r, by_z, by_n
        b[j], b[units + j], b[2 * units + j] = by_r, by_z, by_n * r


@compiled
def one_hot_gates(row, bias, from_hidden, before, reset_hidden):
    """Blocks r, z of `row` become the gates, `reset_hidden` r h; `from_hidden` is h W_rz."""
    units = before.shape[1]
    for i in range(len(before)):
        _add_both(row[i, units:], bias[units:], from_hidden[i])
        _sigmoid(row[i, units:])
        _multiply(row[i, units : 2 * units], before[i], reset_hidden[i])


@compiled
def one_hot_state(row, bias, from_reset, before, after):
    """Block c of `row` becomes the candidate, `after` h'; `from_reset` is (r h) W_c."""
    units = before.shape[1]
    for i in range(len(before)):
        _add_both(row[i, :units], bias[:units], from_reset[i])
        _tanh(row[i, :units])
        _mix(before[i], row[i, :units], row[i, 2 * units :], after[i])


@vectorised
def one_hot_by_candidate(by_after, row, before, by_row):
    """From dL/dh' to the gradients by blocks c and z before tanh and sigma, into `by_row`."""
    units = before.shape[1]
    for i in range(len(before)):
        for j in range(units):
            c, z, by = row[i, j], row[i, 2 * units + j], by_after[i, j]
            by_row[i, j] = by * z * (ONE - c * c)
            by_row[i, 2 * units + j] = by * (c - before[i, j]) * z * (ONE - z)


@vectorised
def one_hot_by_reset(by_reset_hidden, row, before, by_row, by_bias):
    """From the gradient by r h to the one by block r before sigma, and to that by the bias."""
    units = before.shape[1]
    by_bias[:] = 0
    for i in range(len(before)):
        for j in range(units):
            r = row[i, units + j]
            by_row[i, units + j] = by_reset_hidden[i, j] * before[i, j] * r * (ONE - r)
        for j in range(3 * units):
            by_bias[j] += by_row[i, j]


@vectorised
def drop(values, drawn, keep):
    """Dropout in place, [rows, units]: 0 where `drawn` is not below `keep`, else divided by it."""
    kept = ONE / keep
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] *= kept if drawn[i, j] < keep else ZERO


@vectorised
def _sigmoid(values):
    """In place."""
    for j in range(len(values)):
        values[j] = ONE / (ONE + exp(-values[j]))


@vectorised
def _tanh(values):
    """In place."""
    for j in range(len(values)):
        values[j] = ONE - TWO / (exp(TWO * values[j]) + ONE)


@vectorised
def _add(total, row):
    for j in range(len(total)):
        total[j] += row[j]


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
