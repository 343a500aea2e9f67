import math

import pytest
import torch

from gru4rec_lab.device import generator
from gru4rec_lab.model import Network, OneHotCell, carried

MODES = {
    "constrained": dict(constrained_embedding=True),
    "separate": dict(constrained_embedding=False, embedding=5),
    "one-hot": dict(constrained_embedding=False, embedding=0),
}
every_mode = pytest.mark.parametrize("mode", MODES)


def network(mode="constrained", *, items=50, layers=(8,), seed=0):
    return Network(items, layers, generator=generator(seed, "weights"), **MODES[mode])


def normal(*shape, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=random, dtype=torch.float64)


def sigma(x):
    return 1 / (1 + math.exp(-x))


# Shapes and start.


@every_mode
def test_parameters_have_the_shapes_of_the_mode(mode):
    made = network(mode, layers=(8, 6))
    assert made.items.shape == (50, 6)
    assert made.bias.shape == (50, 1)
    inputs = {"constrained": None, "separate": (50, 5), "one-hot": (50, 24)}[mode]
    assert (made.inputs is None) == (inputs is None)
    assert made.inputs is None or made.inputs.shape == inputs
    assert [layer.hidden_size for layer in made.layers] == [8, 6]
    assert isinstance(made.layers[0], OneHotCell) == (mode == "one-hot")


@every_mode
def test_weights_fill_glorots_bound_of_one_gate_and_biases_start_at_0(mode):
    made = network(mode, items=300, layers=(32,))
    width = {"constrained": 32, "separate": 5, "one-hot": 0}[mode]
    fans = {"items": 300 + 32, "inputs": 300 + (32 if mode == "one-hot" else 5)}
    fans |= {"layers.0.weight_ih": width + 32}
    for name, parameter in made.named_parameters():
        if "bias" in name:
            assert parameter.abs().sum() == 0
        else:
            bound = (6 / fans.get(name, 32 + 32)) ** 0.5
            largest = parameter.abs().max().item()
            assert 0.95 * bound < largest <= bound
            assert abs(parameter.mean().item()) < 0.1 * bound


@every_mode
def test_the_start_depends_on_the_generator_alone(mode):
    weights = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        weights.append(network(mode, layers=(8, 6), seed=3).state_dict())
    other = network(mode, layers=(8, 6), seed=4).state_dict()
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name])
        assert "bias" in name or not torch.equal(value, other[name])


@every_mode
def test_making_a_network_leaves_the_global_generator_as_it_was(mode):
    before = torch.random.get_rng_state()
    network(mode, layers=(8, 6))
    assert torch.equal(torch.random.get_rng_state(), before)


# The cells.


def test_one_step_of_the_embedding_gru_by_hand():
    """One unit; gates r, z, n; the reset gate after the recurrent product, z keeps the old."""
    made = network(layers=(1,)).double()
    cell = made.layers[0]
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor([[0.1], [0.2], [0.3]]))
        cell.weight_hh.copy_(torch.tensor([[0.4], [0.5], [0.6]]))
        cell.bias_ih.copy_(torch.tensor([0.01, 0.02, 0.03]))
        cell.bias_hh.copy_(torch.tensor([0.04, 0.05, 0.06]))
        weights = [w.flatten().tolist() for w in cell.parameters()]
    by_input, by_hidden, bias_input, bias_hidden = weights
    x, h = 2.0, -1.5
    a = [w * x + b for w, b in zip(by_input, bias_input, strict=True)]
    b = [w * h + b for w, b in zip(by_hidden, bias_hidden, strict=True)]
    r, z = sigma(a[0] + b[0]), sigma(a[1] + b[1])
    n = math.tanh(a[2] + r * b[2])
    expected = (1 - z) * n + z * h
    one = torch.ones(1, 1, dtype=torch.float64)
    (got,) = made(x * one, [h * one])
    assert got.item() == pytest.approx(expected, rel=1e-12)


def slow_one_hot(row, h, gates, recurrent, bias):
    """The one-hot cell a unit at a time: candidate, reset, update; reset before the product."""
    units = range(len(h))
    n = len(h)
    v = [x + b for x, b in zip(row, bias, strict=True)]
    r = [sigma(v[n + u] + sum(h[k] * gates[k][u] for k in units)) for u in units]
    z = [sigma(v[2 * n + u] + sum(h[k] * gates[k][n + u] for k in units)) for u in units]
    c = [math.tanh(v[u] + sum(r[k] * h[k] * recurrent[k][u] for k in units)) for u in units]
    return [(1 - z[u]) * h[u] + z[u] * c[u] for u in units]


def test_the_one_hot_cell_equals_a_slow_explicit_one():
    made = network("one-hot", layers=(4,)).double()
    cell = made.layers[0]
    with torch.no_grad():
        cell.bias.copy_(normal(12))
    row, hidden = made.inputs[[7, 9]], normal(2, 4, seed=1)
    weights = [w.tolist() for w in (cell.recurrent_gates, cell.recurrent_candidate, cell.bias)]
    expected = [slow_one_hot(row[b].tolist(), hidden[b].tolist(), *weights) for b in range(2)]
    torch.testing.assert_close(cell(row, hidden), torch.tensor(expected, dtype=torch.float64))


def test_where_the_reset_gate_acts_matters():
    """The two cells with the same numbers differ, unless the gate is open everywhere."""
    cell = OneHotCell(3).double()
    torch_cell = torch.nn.utils.skip_init(torch.nn.GRUCell, 9, 3).double()
    gates, candidate, row, hidden = (normal(3, 6), normal(3, 3, seed=1), normal(2, 9, seed=2),
                                     normal(2, 3, seed=3))  # fmt: skip
    swapped = torch.eye(9, dtype=torch.float64)[[3, 4, 5, 6, 7, 8, 0, 1, 2]]
    # torch's z keeps the old state, the one-hot cell's takes the new: turn its sign.
    swapped[3:6] *= -1
    with torch.no_grad():
        cell.recurrent_gates.copy_(gates)
        cell.recurrent_candidate.copy_(candidate)
        torch_cell.weight_ih.copy_(swapped)
        torch_cell.weight_hh.copy_(torch.cat([gates[:, :3].T, -gates[:, 3:].T, candidate.T]))
        torch_cell.bias_ih.zero_()
        torch_cell.bias_hh.zero_()
    assert (cell(row, hidden) - torch_cell(row, hidden)).abs().max() > 1e-2
    opened = row + 60 * torch.tensor([0.0, 0, 0, 1, 1, 1, 0, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(cell(opened, hidden), torch_cell(opened, hidden))


def test_an_upper_layer_reads_the_layer_below_and_keeps_its_own_state():
    made = network(layers=(6, 8)).double()
    clicked, hidden = normal(3, 8), [normal(3, 6, seed=1), normal(3, 8, seed=2)]
    below = made.layers[0](clicked, hidden[0])
    expected = [below, made.layers[1](below, hidden[1])]
    torch.testing.assert_close(made(clicked, hidden), expected)


def test_dropout_acts_on_the_output_of_each_layer():
    made = network(layers=(6, 8)).double()
    clicked, hidden = normal(3, 8), made.start(3)
    got = made(clicked, hidden, lambda layer: 0 * layer)
    assert [layer.abs().sum().item() for layer in got] == [0, 0]


# Carry.


def test_states_follow_their_sessions_and_new_ones_start_at_0():
    hidden = [normal(3, 2), normal(3, 4, seed=1)]
    got = carried(hidden, torch.tensor([2, -1]))
    for before, after in zip(hidden, got, strict=True):
        assert torch.equal(after[0], before[2])
        assert after[1].abs().sum() == 0


def test_the_carried_state_is_a_constant():
    hidden = [normal(2, 3).requires_grad_()]
    assert not carried(hidden, torch.tensor([0, 1]))[0].requires_grad


@every_mode
def test_clicks_one_by_one_equal_clicks_side_by_side(mode):
    made = network(mode, layers=(8, 6)).double()
    clicks = torch.tensor([[3, 4, 5], [9, 9, 1]])
    together = made.start(2)
    for step in range(3):
        carry = torch.tensor([0, 1]) if step else torch.tensor([-1, -1])
        together = made.advance(clicks[:, step], together, carry)
    for row in range(2):
        alone = made.start(1)
        for step in range(3):
            carry = torch.tensor([0 if step else -1])
            alone = made.advance(clicks[row, step : step + 1], alone, carry)
        for layer, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(layer[row : row + 1], expected)


@every_mode
def test_what_is_advanced_first_is_the_row_of_the_input_table(mode):
    made = network(mode).double()
    name, table = made.input_table()
    assert name == ("items" if mode == "constrained" else "inputs")
    assert table is getattr(made, name)
    carry = torch.tensor([-1])
    (got,) = made.advance(torch.tensor([7]), made.start(1), carry)
    torch.testing.assert_close(got, made.layers[0](table[7:8], made.start(1)[0]))


# Scores.


def test_scores_are_products_with_the_items_plus_their_bias():
    made = network(items=4, layers=(2,)).double()
    with torch.no_grad():
        made.items.copy_(torch.tensor([[1.0, 0], [0, 1], [1, 1], [-1, 2]]))
        made.bias.copy_(torch.tensor([[0.0], [10], [20], [30]]))
    hidden = [torch.tensor([[2.0, 3.0]], dtype=torch.float64)]
    assert made.scores(hidden).tolist() == [[2, 13, 25, 34]]
    assert made.scores(hidden, torch.tensor([3, 0, 3])).tolist() == [[34, 2, 34]]


def test_scores_are_linear_also_below_0():
    made = network().double()
    hidden = [normal(5, 8)]
    torch.testing.assert_close(made.scores([-3 * hidden[0]]), -3 * made.scores(hidden))
    assert made.scores(hidden).shape == (5, made.n_items)
