"""The gates of a GRU cell, between its matrix products: forward, and backward by hand.

With a = W_ih x + b_ih and b = W_hh h + b_hh, each in blocks r, z, n (`torch.nn.GRUCell`):

    r = sigma(a_r + b_r);  z = sigma(a_z + b_z);  n = tanh(a_n + r b_n);  h' = n + z (h - n)
"""

from .elementary import ONE, TWO, exp
from .jit import compiled, vectorised


@vectorised
def sigmoid_all(values):
    """Sigmoid, in place."""
    for j in range(len(values)):
        values[j] = ONE / (ONE + exp(-values[j]))


@vectorised
def tanh_all(values):
    """Hyperbolic tangent, in place."""
    for j in range(len(values)):
        values[j] = ONE - TWO / (exp(TWO * values[j]) + ONE)


@compiled
def forward(from_input, from_hidden, input_bias, hidden_bias, before, after):
    """The next hidden state, into `after`.

    The two products, [rows, 3 units] without biases, become what `backward` needs: `from_input` the
    gates r, z, n, and `from_hidden` b_n in its last block.
    """
    for i in range(len(before)):
        _forward_row(from_input[i], from_hidden[i], input_bias, hidden_bias, before[i], after[i])


@vectorised
def _forward_row(a, b, input_bias, hidden_bias, before, after):
    units = len(before)
    for j in range(2 * units):
        a[j] += b[j] + (input_bias[j] + hidden_bias[j])
    sigmoid_all(a[: 2 * units])
    reset, update, candidate = a[:units], a[units : 2 * units], a[2 * units :]
    for j in range(units):
        b[2 * units + j] += hidden_bias[2 * units + j]
        candidate[j] += input_bias[2 * units + j] + reset[j] * b[2 * units + j]
    tanh_all(candidate)
    for j in range(units):
        after[j] = candidate[j] + update[j] * (before[j] - candidate[j])


@compiled
def backward(by_after, from_input, from_hidden, before, by_input_bias, by_hidden_bias):
    """From dL/dh' to the gradients by a (over the gates), by b (over the products), by biases."""
    by_input_bias[:] = 0
    by_hidden_bias[:] = 0
    for i in range(len(before)):
        _backward_row(by_after[i], from_input[i], from_hidden[i], before[i])
        _add(by_input_bias, from_input[i])
        _add(by_hidden_bias, from_hidden[i])


@vectorised
def _backward_row(by_after, gates, b, before):
    units = len(before)
    for j in range(units):
        r, z, n = gates[j], gates[units + j], gates[2 * units + j]
        by_n = by_after[j] * (ONE - z) * (ONE - n * n)
        by_r = by_n * b[2 * units + j] * r * (ONE - r)
        by_z = by_after[j] * (before[j] - n) * z * (ONE - z)
        gates[j], gates[units + j], gates[2 * units + j] = by_r, by_z, by_n
        b[j], b[units + j], b[2 * units + j] = by_r, by_z, by_n * r


@vectorised
def _add(total, row):
    for j in range(len(total)):
        total[j] += row[j]
