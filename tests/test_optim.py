import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab.training.optim import EPS, Adagrad, Repeats

LR = {"lr": 0.1, "momentum": 0.0}


def table(rows=4, units=2):
    return torch.arange(rows * units, dtype=torch.float64).reshape(rows, units)


def slow_update(parameter, accumulated, velocity, rows, gradient, lr, momentum):
    """One row after the other: sum what belongs to it, square, move."""
    for row in sorted(set(rows)):
        g = sum(g for at, g in zip(rows, gradient, strict=True) if at == row)
        accumulated[row] += g**2
        velocity[row] = momentum * velocity[row] - lr * g / (accumulated[row] + EPS) ** 0.5
        parameter[row] += velocity[row]


def test_the_first_step_of_a_whole_parameter_by_hand():
    """3 / sqrt(9 + 1e-6) is 1 but for eps, so the step is the learning rate."""
    parameter = torch.tensor([1.0, 1.0], dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    optimiser.update({"w": torch.tensor([3.0, -4.0], dtype=torch.float64)}, **LR)
    assert parameter.tolist() == pytest.approx([0.9, 1.1], abs=1e-7)
    assert optimiser.accumulated["w"].tolist() == [9.0, 16.0]


def test_squares_add_up_over_steps():
    parameter = torch.zeros(1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    for gradient in (3.0, 4.0):
        optimiser.update({"w": torch.tensor([gradient], dtype=torch.float64)}, **LR)
    assert optimiser.accumulated["w"].item() == 25
    assert parameter.item() == pytest.approx(-0.1 - 0.1 * 4 / 5, abs=1e-7)


@pytest.mark.parametrize("whole", [True, False])
def test_eps_stands_inside_the_root(whole):
    """A gradient of 1e-3 squares to eps, so the step is lr / sqrt 2; outside it were lr."""
    parameter = torch.zeros(1, 1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    gradient = torch.full((1, 1), 1e-3, dtype=torch.float64)
    if whole:
        optimiser.update({"w": gradient}, **LR)
    else:
        optimiser.update_rows("w", torch.tensor([0]), gradient, **LR)
    assert parameter.item() == pytest.approx(-0.1 / 2**0.5, rel=1e-9)


def test_a_gradient_of_zero_moves_nothing_and_divides_by_nothing():
    parameter = torch.ones(3)
    Adagrad({"w": parameter}).update({"w": torch.zeros(3)}, **LR)
    assert parameter.tolist() == [1, 1, 1]


def test_gradients_of_a_repeated_row_are_summed_and_only_then_squared():
    parameter = torch.zeros(3, 1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    gradient = torch.tensor([[1.0], [5.0], [2.0]], dtype=torch.float64)
    rows = torch.tensor([2, 0, 2])
    optimiser.update_rows("w", rows, Repeats.of(rows).total(gradient), **LR)
    assert optimiser.accumulated["w"].flatten().tolist() == [25, 0, 9]
    assert parameter.flatten().tolist() == pytest.approx([-0.1, 0, -0.1], abs=1e-7)


def test_the_momentum_is_the_classical_one():
    """v = -1, then v = 0.5 * -1 - 1 / sqrt 2; Nesterov would look ahead by another 0.5 v."""
    parameter = torch.zeros(1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    for _ in range(2):
        optimiser.update({"w": torch.ones(1, dtype=torch.float64)}, lr=1.0, momentum=0.5)
    second = -0.5 - 1 / 2**0.5
    assert optimiser.velocity["w"].item() == pytest.approx(second, abs=1e-5)
    assert parameter.item() == pytest.approx(-1 + second, abs=1e-5)


def test_a_row_that_is_not_touched_stays_with_its_velocity():
    parameter = torch.zeros(2, 1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    one = torch.ones(1, 1, dtype=torch.float64)
    optimiser.update_rows("w", torch.tensor([0]), one, lr=1.0, momentum=0.5)
    place, velocity = parameter[0].item(), optimiser.velocity["w"][0].item()
    for _ in range(3):
        optimiser.update_rows("w", torch.tensor([1]), one, lr=1.0, momentum=0.5)
    assert parameter[0].item() == place
    assert optimiser.velocity["w"][0].item() == velocity != 0


def test_a_touched_row_with_gradient_0_still_moves_by_its_momentum():
    parameter = torch.zeros(1, 1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    for gradient in (1.0, 0.0):
        given_gradient = torch.full((1, 1), gradient, dtype=torch.float64)
        optimiser.update_rows("w", torch.tensor([0]), given_gradient, lr=1.0, momentum=0.5)
    assert parameter.item() == pytest.approx(-1.5, abs=1e-5)


def test_no_momentum_makes_no_velocity():
    optimiser = Adagrad({"w": table()})
    optimiser.update_rows("w", torch.tensor([1]), torch.ones(1, 2, dtype=torch.float64), **LR)
    assert optimiser.velocity == {}


def test_momentum_turned_to_0_forgets_the_velocity():
    parameter = torch.zeros(1, dtype=torch.float64)
    optimiser = Adagrad({"w": parameter})
    one = torch.ones(1, dtype=torch.float64)
    optimiser.update({"w": one}, lr=1.0, momentum=0.9)
    before = parameter.item()
    optimiser.update({"w": one}, lr=1.0, momentum=0.0)
    assert parameter.item() - before == pytest.approx(-1 / 2**0.5, abs=1e-5)


def test_parameters_do_not_mix():
    first, second = table(), table()
    optimiser = Adagrad({"a": first, "b": second})
    optimiser.update_rows("a", torch.tensor([0, 3]), torch.ones(2, 2, dtype=torch.float64), **LR)
    assert torch.equal(second, table())
    assert optimiser.accumulated["b"].sum() == 0


def test_no_rows_change_nothing():
    parameter = table()
    empty = torch.empty(0, dtype=torch.int64), torch.empty(0, 2, dtype=torch.float64)
    Adagrad({"w": parameter}).update_rows("w", *empty, **LR)
    assert torch.equal(parameter, table())


def test_all_rows_once_equal_the_update_of_the_whole():
    whole, by_row = table(), table()
    gradient = torch.randn(4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for _ in range(3):
        Adagrad({"w": whole}).update({"w": gradient}, lr=0.1, momentum=0.3)
        Adagrad({"w": by_row}).update_rows("w", torch.arange(4), gradient.clone(), lr=0.1,
                                           momentum=0.3)  # fmt: skip
    torch.testing.assert_close(by_row, whole)


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.3, 0.9]),
    st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_any_steps_equal_the_slow_row_by_row_update(steps, momentum, seed):
    random = torch.Generator().manual_seed(seed)
    parameter = torch.randn(6, 3, generator=random, dtype=torch.float64)
    expected = parameter.clone(), torch.zeros_like(parameter), torch.zeros_like(parameter)
    optimiser = Adagrad({"w": parameter})
    for rows in steps:
        gradient = torch.randn(len(rows), 3, generator=random, dtype=torch.float64)
        slow_update(*expected, rows, gradient, 0.1, momentum)
        rows = torch.tensor(rows)
        whole = Repeats.of(rows).total(gradient)
        optimiser.update_rows("w", rows, whole, lr=0.1, momentum=momentum)
    torch.testing.assert_close(parameter, expected[0])
    torch.testing.assert_close(optimiser.accumulated["w"], expected[1])
    if momentum:
        torch.testing.assert_close(optimiser.velocity["w"], expected[2])
