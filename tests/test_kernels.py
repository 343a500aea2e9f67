"""The kernels against numpy, torch and the plain losses, in float64 and float32."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gru4rec_lab.kernels import cells, columns, elementary, jit, scores
from gru4rec_lab.kernels.adagrad import update_rows
from gru4rec_lab.kernels.columns import correct_exactly, correct_officially, count_negatives, merge
from gru4rec_lab.kernels.draws import find, make_guide
from gru4rec_lab.kernels.jit import vectorised
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.sampling import BinarySearch, Frequencies, copies, exact_logq, official_logq
from gru4rec_lab.score_matrix import loss_and_gradient

every_loss = pytest.mark.parametrize("loss", LOSSES)
F32, F64 = np.float32, np.float64


@vectorised
def exp_all(x, y):
    for i in range(len(x)):
        y[i] = elementary.exp(x[i])


@vectorised
def log1p_all(x, y):
    for i in range(len(x)):
        y[i] = elementary.log1p(x[i])


def of_all(function, x):
    result = np.empty_like(x)
    function(x, result)
    return result


# Elementary functions.


def test_exp_in_float32_has_a_relative_error_below_two_units_in_the_last_place():
    x = np.linspace(-86.9, 88, 1_000_003).astype(F32)
    expected = np.exp(x.astype(F64))
    assert np.abs(of_all(exp_all, x) / expected - 1).max() < 1.2e-7


def test_exp_in_float32_ends_in_0_and_in_a_large_number():
    x = np.array([-np.inf, -1e30, -87.5, 0, 89, 1e30, np.inf], F32)
    got = of_all(exp_all, x)
    assert got[:4].tolist() == [0, 0, 0, 1]
    assert (got[4:] > 1.6e38).all()
    assert np.isfinite(got).all()


def test_log1p_in_float32_keeps_the_digits_of_small_numbers():
    x = np.concatenate([np.linspace(0, 1, 100_003), 10.0 ** np.linspace(-30, 0, 1001)]).astype(F32)
    expected = np.log1p(x.astype(F64))
    assert np.abs(of_all(log1p_all, x) - expected)[expected == 0].max() == 0
    assert np.abs(of_all(log1p_all, x)[1:] / expected[1:] - 1).max() < 2e-7


def test_in_float64_both_are_the_c_librarys():
    x = np.linspace(0, 1, 101)
    np.testing.assert_allclose(of_all(exp_all, -30 * x), np.exp(-30 * x), rtol=1e-15)
    np.testing.assert_allclose(of_all(log1p_all, x), np.log1p(x), rtol=1e-15)


# Losses.


def ranked(values, loss, *, bpreg=0.0, elu_param=0.0, weight=None):
    """`rank_rows` on a copy of the scores, row k's target in column k: (loss, gradient, biases)."""
    work, number = values.copy(), values.dtype.type
    n_rows, n = values.shape
    scratch = np.zeros((scores.SCRATCH_ROWS, n), number)
    weight = np.ones(n, number) if weight is None else weight
    by_bias, bias = np.zeros(n, number), np.zeros(n, number)
    own_weight = shift = np.zeros(n_rows, number)
    total = scores.rank_rows(
        LOSSES[loss].kernel, work, n, bias, weight, weight.sum(), np.arange(n_rows), own_weight,
        shift, number(elu_param), number(bpreg), number(1), by_bias, scratch,
    )  # fmt: skip
    return total, work, by_bias


def random_scores(n_rows=5, n=37, spread=2.0, dtype=F64):
    return (spread * np.random.default_rng(0).standard_normal((n_rows, n))).astype(dtype)


@every_loss
@pytest.mark.parametrize(("bpreg", "elu_param"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.5), (0.7, 0.5)])
@pytest.mark.parametrize("spread", [0.01, 2.0, 30.0])
def test_loss_and_gradient_are_the_plain_ones(loss, bpreg, elu_param, spread):
    values = random_scores(spread=spread)
    knobs = {"bpreg": bpreg, "elu_param": elu_param}
    value, gradient = loss_and_gradient(torch.from_numpy(values), LOSSES[loss], **knobs)
    total, got, by_bias = ranked(values, loss, **knobs)
    assert total == pytest.approx(value.sum().item(), rel=1e-12)
    np.testing.assert_allclose(got, gradient.numpy(), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(by_bias, got.sum(axis=0), rtol=1e-9, atol=1e-14)


@every_loss
def test_in_float32_they_are_the_plain_ones_up_to_rounding(loss):
    values = random_scores(dtype=F32)
    knobs = {"bpreg": 0.7, "elu_param": 0.5}
    wide = torch.from_numpy(values).double()
    value, gradient = loss_and_gradient(wide, LOSSES[loss], **knobs)
    total, got, _ = ranked(values, loss, **knobs)
    assert total == pytest.approx(value.sum().item(), rel=1e-6)
    np.testing.assert_allclose(got, gradient.numpy(), atol=1e-6 * np.abs(gradient.numpy()).max())


@every_loss
@pytest.mark.parametrize("far", [100.0, -100.0, 1e4, -1e4])
def test_a_target_far_from_its_negatives_leaves_finite_numbers(loss, far):
    values = random_scores(dtype=F32)
    values[np.arange(5), np.arange(5)] += F32(far)
    value, gradient = loss_and_gradient(torch.from_numpy(values).double(), LOSSES[loss])
    total, got, _ = ranked(values, loss)
    assert total == pytest.approx(value.sum().item(), rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(got, gradient.numpy(), rtol=1e-4, atol=1e-6)


@every_loss
def test_a_column_of_weight_3_is_three_equal_columns(loss):
    values = random_scores(n=9)
    repeated = np.concatenate([values, values[:, 7:8], values[:, 7:8]], axis=1)
    total, gradient, _ = ranked(repeated, loss, bpreg=0.3)
    weight = np.ones(9)
    weight[7] = 3
    merged, got, _ = ranked(values, loss, bpreg=0.3, weight=weight)
    assert merged == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(got[:, 7], gradient[:, [7, 9, 10]].sum(axis=1), rtol=1e-9)
    np.testing.assert_allclose(got[:, :7], gradient[:, :7], rtol=1e-9, atol=1e-15)


@every_loss
def test_a_row_without_negatives_has_loss_0_and_no_gradient(loss):
    total, gradient, _ = ranked(np.array([[3.0]]), loss, bpreg=1.0)
    assert total == 0
    assert gradient.tolist() == [[0.0]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("at", [0, 7, 36])
def test_a_score_that_is_not_finite_makes_the_loss_nan(bad, dtype, at):
    values = random_scores(dtype=dtype)
    values[3, at] = bad
    assert np.isnan(ranked(values, "bpr-max")[0])


# Merged columns.

TARGETS, NEGATIVES, INPUTS = [4, 1, 4], [1, 7, 7, 2], [7, 3, 3]


def merged(one_table=True, n_items=10):
    place, items, clicked = np.full(n_items, -1, np.int32), *(np.zeros(10, int) for _ in "ab")
    column, row, counts = np.zeros(3, int), np.zeros(3, int), np.zeros((2, 10))
    given = map(np.array, (TARGETS, NEGATIVES, INPUTS))
    n, n_rows = merge(*given, one_table, place, items, clicked, column, row, counts)
    assert (place == -1).all()
    return n, n_rows, items, clicked, column, row, counts


def test_merging_by_hand():
    n, n_rows, items, _, column, row, counts = merged()
    assert (n, n_rows) == (4, 5)
    assert items[:5].tolist() == [4, 1, 7, 2, 3]
    assert column.tolist() == [0, 1, 0]
    assert row.tolist() == [2, 4, 4]
    assert counts[:, :4].tolist() == [[2, 1, 0, 0], [0, 1, 2, 1]]


def test_merging_with_a_table_of_inputs_by_hand():
    n, n_rows, items, clicked, _, row, _ = merged(one_table=False)
    assert (n, n_rows) == (4, 2)
    assert items[:4].tolist() == [4, 1, 7, 2]
    assert clicked[:2].tolist() == [7, 3]
    assert row.tolist() == [0, 1, 1]


@pytest.mark.parametrize("item", [-1, 5])
def test_an_item_outside_of_the_catalogue_is_refused(item):
    zeros, numbers = np.zeros((2, 5)), [np.zeros(5, int) for _ in range(4)]
    targets, others = np.array([item]), np.array([1])
    with pytest.raises(IndexError, match="not in the catalogue"):
        merge(targets, others, others, True, np.full(5, -1, np.int32), *numbers, zeros)


def weights_by_column(correct, mask):
    """Each row's weight of each item by the plain functions: sums of e^-correction."""
    targets, negatives = torch.tensor(TARGETS), torch.tensor(NEGATIVES)
    support = torch.arange(1.0, 11.0).double()
    frequencies = Frequencies.of(support, support**0.3)
    correction = correct(frequencies, targets, negatives)
    absent = copies(targets, negatives) if mask else torch.zeros(3, 7, dtype=torch.bool)
    weight = torch.exp(-correction).expand(3, 7).masked_fill(absent, 0)
    others = weight * (1 - torch.eye(3, 7, dtype=torch.float64))
    items = torch.cat([targets, negatives])
    by_item = torch.zeros(3, 10, dtype=torch.float64).index_add_(1, items, others)
    return frequencies, by_item.numpy(), weight.diagonal().numpy()


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("mode", ["none", "official", "exact"])
def test_weights_of_merged_columns_are_sums_over_the_plain_ones(mode, mask):
    n, _, items, _, column, _, counts = merged()
    weight, own_weight, shift, bias = np.zeros(n), np.zeros(3), np.zeros(3), np.zeros(10)
    given, written = (counts, column), (weight, own_weight, shift)
    if mode == "none":
        frequencies, expected, own = weights_by_column(lambda *_: torch.zeros(7).double(), mask)
        count_negatives(*given, mask, *written)
    elif mode == "official":
        frequencies, expected, own = weights_by_column(lambda *a: official_logq(*a, logq=0.8), mask)
        logs = frequencies.support.log().numpy(), frequencies.extra.log().numpy()
        correct_officially(*given, items, *logs, 0.8, mask, *written, bias)
    else:
        frequencies, expected, own = weights_by_column(lambda *a: exact_logq(*a, logq=0.8), True)
        counts_of = frequencies.support, frequencies.extra
        shares = [(count / count.sum()).numpy() for count in counts_of]
        correct_exactly(*given, items, *shares, 4, 0.8, *written, bias)
    unit = np.exp(bias[:n])
    for row in range(3):
        got = weight * unit
        got[column[row]] = own_weight[row] * unit[column[row]]
        np.testing.assert_allclose(got, expected[row, items[:n]], rtol=1e-12, atol=1e-15)
        assert unit[column[row]] * np.exp(shift[row]) == pytest.approx(own[row])


# Rows, Adagrad, draws.


def test_rows_are_gathered_with_the_bias_behind_them():
    table = np.arange(40.0).reshape(10, 4)
    got, bias = np.zeros((3, 3)), np.zeros(3)
    columns.gather_with_bias(table, np.array([5, 0, 9]), 3, got, 3, bias)
    assert got.tolist() == [[20, 21, 22], [0, 1, 2], [36, 37, 38]]
    assert bias.tolist() == [23, 3, 39]


def test_hidden_states_go_on_in_other_rows_or_start_from_zero():
    after = np.ones((3, 2))
    cells.carry_on(np.array([[1.0, 2], [3, 4]]), np.array([1, -1, 0]), after)
    assert after.tolist() == [[3, 4], [0, 0], [1, 2]]


@pytest.mark.parametrize("velocities", [0, 6])
def test_adagrad_leaves_the_bias_and_its_velocity_of_rows_that_have_no_gradient_of_it(velocities):
    table, sums, moving = np.ones((6, 3)), np.zeros((6, 3)), np.ones((velocities, 3))
    gradient = np.array([[1.0, 2, 3], [4, 5, 0]])
    update_rows((table, sums, moving), np.array([4, 2]), 2, gradient, (0.1, 0.5, 1e-6), 2, 1)
    move = 0.1 - 0.5 * (velocities > 0)
    np.testing.assert_allclose(table[4], 1 - move, rtol=1e-6)
    np.testing.assert_allclose(table[2], [1 - move, 1 - move, 1], rtol=1e-6)
    assert (np.delete(table, [2, 4], axis=0) == 1).all()
    assert sums[2].tolist() == [16, 25, 0]
    if velocities:
        assert moving[2, 2] == 1


@pytest.mark.parametrize("n_items", [1, 2, 100, 1023])
def test_guided_search_draws_what_binary_search_draws(n_items):
    random = torch.Generator().manual_seed(n_items)
    weight = torch.rand(n_items, generator=random, dtype=torch.float64) ** 8
    weight[n_items // 2 :] *= torch.rand(n_items - n_items // 2, generator=random) > 0.5
    weight[0] += 0.1
    cumulated = weight.cumsum(0) / weight.sum()
    points = torch.rand(5000, generator=random, dtype=torch.float64)
    points[:3] = torch.tensor([0.0, 1 - 2**-53, cumulated[0].clamp(max=1 - 2**-53)])
    guide, found = np.zeros(1 << (n_items - 1).bit_length(), int), np.zeros(5000, int)
    make_guide(cumulated.numpy(), guide)
    find(cumulated.numpy(), guide, points.numpy(), found)
    assert found.tolist() == BinarySearch(cumulated)(points).tolist()


def test_code_that_is_older_than_a_source_of_a_kernel_is_compiled_again(tmp_path):
    newest = max(path.stat().st_mtime for path in Path(jit.__file__).parent.glob("*.py"))
    for name, age in (("old.nbi", 1), ("new.nbi", -1), ("old.1.nbc", 1)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (newest - age, newest - age))
    jit.forget_stale(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"new.nbi", "old.1.nbc"}


def test_every_kernel_asks_for_stale_code():
    assert jit.forget_stale.cache_info().currsize >= 1
