from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gru4rec_lab.batches import Batch
from gru4rec_lab.device import generator
from gru4rec_lab.losses import LOSSES, elu, score_regulariser
from gru4rec_lab.model import Network, carried
from gru4rec_lab.score_matrix import join_columns, loss_and_gradient, split_columns
from gru4rec_lab.training.choice import choose_step
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.optim import Adagrad
from gru4rec_lab.training.step import Step, TrainingStep

ITEMS, SIZE = 12, 4
SUPPORT = torch.arange(1, ITEMS + 1)
MODES = {
    "constrained": dict(constrained_embedding=True),
    "separate": dict(constrained_embedding=False, embedding=5),
    "one-hot": dict(constrained_embedding=False, embedding=0),
}
every_loss = pytest.mark.parametrize("loss", LOSSES)


def how(loss="bpr-max", **changes):
    given_settings = dict(
        loss=loss, n_sample=6, sample_alpha=0.5, learning_rate=0.1, momentum=0.3, bpreg=0.7,
        elu_param=0.5, logq=0.8,
    )  # fmt: skip
    return Settings(**given_settings | changes)


def make_step(mode="constrained", layers=(6, 3), seed=0, **knobs):
    network = Network(ITEMS, layers, generator=generator(seed, "weights"), **MODES[mode])
    return Step(network.double(), SUPPORT, batch_size=SIZE, **knobs)


def some_batches(n=3):
    """Batches in which items repeat among inputs, targets and negatives."""
    random = torch.Generator().manual_seed(1)
    for step in range(n):
        inputs, targets = torch.randint(0, ITEMS, (2, SIZE), generator=random)
        carry = torch.tensor([0, -1, 2, 1]) if step else torch.full((SIZE,), -1)
        yield Batch(inputs, targets, carry), torch.randint(0, ITEMS, (6,), generator=random)


def weights(step):
    return {name: value.detach().clone() for name, value in step.network.named_parameters()}


def assert_same_weights(got, expected):
    for name, value in got.items():
        torch.testing.assert_close(value, expected[name], msg=lambda text, n=name: f"{n}: {text}")


# Columns.


def test_columns_split_by_hand():
    """Row 0's target stands in column 0, so its last column takes that place."""
    scores = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    target, negatives = split_columns(scores)
    assert target.tolist() == [1, 5]
    assert negatives.tolist() == [[3, 2], [4, 6]]


@given(st.integers(1, 6), st.integers(0, 5))
def test_joining_is_the_inverse_of_splitting_also_without_extra_columns(rows, extra):
    if rows + extra == 1:
        return
    scores = torch.arange(rows * (rows + extra), dtype=torch.float64).reshape(rows, -1)
    before = scores.clone()
    target, negatives = split_columns(scores)
    for row in range(rows):
        own = scores[row].tolist()
        assert target[row] == own.pop(row)
        assert sorted(negatives[row].tolist()) == own
    assert torch.equal(join_columns(target, negatives), scores)
    assert torch.equal(scores, before)


# Loss and gradient of a score matrix.


def by_columns(scores, loss, bpreg, elu_param):
    """The obvious slow version: each row's own target against its other columns."""
    bent = elu(scores, elu_param)
    rows = []
    for row, own in enumerate(bent):
        others = torch.cat([own[:row], own[row + 1 :]])[None]
        rows.append(loss.value(own[row : row + 1], others) + bpreg * score_regulariser(others))
    return torch.cat(rows)


@every_loss
@pytest.mark.parametrize("columns", [4, 5, 11])
@pytest.mark.parametrize(("bpreg", "elu_param"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.5), (0.7, 0.5)])
def test_loss_and_gradient_equal_autograd_of_the_slow_version(loss, columns, bpreg, elu_param):
    random = torch.Generator().manual_seed(2)
    scores = 2 * torch.randn(4, columns, generator=random, dtype=torch.float64)
    value, gradient = loss_and_gradient(scores, LOSSES[loss], bpreg=bpreg, elu_param=elu_param)
    scores.requires_grad_()
    expected = by_columns(scores, LOSSES[loss], bpreg, elu_param)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.sum(), scores)[0])


@every_loss
def test_a_row_without_negatives_costs_nothing_and_pulls_nothing(loss):
    value, gradient = loss_and_gradient(torch.tensor([[3.0]]), LOSSES[loss], bpreg=1, elu_param=1)
    assert value.tolist() == [0]
    assert gradient.tolist() == [[0]]


# A whole step.


def plain_step(network, optimiser, hidden, batch, negatives, settings, everywhere=False):
    """The same step by autograd through the values of the losses, whole tables and all."""
    loss, columns = LOSSES[settings.loss], torch.cat([batch.targets, negatives])
    _, table = network.input_table()
    after = network(table[batch.inputs], carried(hidden, batch.carry))
    scores = after[-1] @ network.items[columns].T + network.bias[columns].T
    if loss.name == "cross-entropy":
        log_support = SUPPORT.double().log()
        extra = settings.sample_alpha * log_support[negatives]
        scores = scores - settings.logq * torch.cat([log_support[batch.targets], extra])
    shaped = everywhere or loss.name == "bpr-max"
    bpreg, elu_param = (settings.bpreg, settings.elu_param) if shaped else (0.0, 0.0)
    total = by_columns(scores, loss, bpreg, elu_param).sum() / SIZE
    names, parameters = zip(*network.named_parameters(), strict=True)
    gradients = torch.autograd.grad(total, parameters)
    touched = {"bias": columns, "items": columns, "inputs": batch.inputs}
    if network.inputs is None:
        touched["items"] = torch.cat([batch.inputs, columns])
    rates = {"lr": settings.learning_rate, "momentum": settings.momentum}
    for name, gradient in zip(names, gradients, strict=True):
        if name in touched:
            rows = touched[name].unique()
            optimiser.update_rows(name, rows, gradient[rows], **rates)
        else:
            optimiser.update({name: gradient}, **rates)
    return total.detach(), [layer.detach() for layer in after]


@every_loss
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape_scores", ["bpr-max", "all"])
def test_whole_steps_equal_plain_autograd(mode, loss, shape_scores):
    step = make_step(mode, shape_scores=shape_scores)
    other = make_step(mode)
    optimiser = Adagrad(dict(other.network.named_parameters()))
    hidden = other.network.start(SIZE)
    for batch, negatives in some_batches():
        total, hidden = plain_step(
            other.network, optimiser, hidden, batch, negatives, how(loss), shape_scores == "all"
        )
        torch.testing.assert_close(step(batch, negatives, how(loss)), total)
        torch.testing.assert_close(step.hidden, hidden)
    assert_same_weights(weights(step), weights(other))
    for name, expected in optimiser.accumulated.items():
        torch.testing.assert_close(step.optimiser.accumulated[name], expected)


@every_loss
def test_a_step_without_extra_negatives_equals_plain_autograd(loss):
    step, other = make_step(), make_step()
    optimiser = Adagrad(dict(other.network.named_parameters()))
    batch, none = next(some_batches())[0], torch.empty(0, dtype=torch.int64)
    total, _ = plain_step(
        other.network, optimiser, other.network.start(SIZE), batch, none, how(loss)
    )
    torch.testing.assert_close(step(batch, none, how(loss)), total)
    assert_same_weights(weights(step), weights(other))


def test_the_loss_is_divided_by_batch_size_also_when_fewer_rows_are_left():
    (batch, negatives), step = next(some_batches()), make_step()
    fewer = Batch(batch.inputs[:2], batch.targets[:2], batch.carry[:2])
    network = step.network
    with torch.no_grad():
        hidden = network.advance(fewer.inputs, step.hidden, fewer.carry)
        scores = network.scores(hidden, torch.cat([fewer.targets, negatives]))
    expected = by_columns(scores, LOSSES["bpr"], 0.0, 0.0).sum() / SIZE
    torch.testing.assert_close(step(fewer, negatives, how("bpr")), expected)


def test_items_that_a_step_does_not_show_do_not_move():
    step = make_step()
    before = weights(step)
    batch, negatives = next(some_batches())
    step(batch, negatives, how())
    seen = torch.cat([batch.inputs, batch.targets, negatives])
    unseen = torch.tensor([item not in seen for item in range(ITEMS)])
    assert unseen.any()
    for name in ("items", "bias"):
        moved = (weights(step)[name] != before[name]).any(dim=1)
        assert not moved[unseen].any()
        assert moved[torch.cat([batch.targets, negatives])].all()


def test_a_single_row_without_negatives_only_moves_its_hidden_state():
    step = make_step()
    before = weights(step)
    one, none = torch.tensor([5]), torch.empty(0, dtype=torch.int64)
    assert step(Batch(one, one, torch.tensor([-1])), none, how()) == 0
    assert_same_weights(weights(step), before)
    assert all(value.sum() == 0 for value in step.optimiser.accumulated.values())
    assert all(layer.shape[0] == 1 and layer.abs().sum() > 0 for layer in step.hidden)


def test_a_new_epoch_forgets_the_hidden_states():
    step = make_step()
    step(*next(some_batches()), how())
    step.begin_epoch()
    assert [layer.abs().sum().item() for layer in step.hidden] == [0, 0]


@pytest.mark.parametrize("name", ["plain", "numba"])
def test_every_step_offers_what_a_training_asks_for(name):
    step = choose_step(name, make_step(), how())
    assert isinstance(step, TrainingStep)
    assert step.name == name


# Dropout.


def run(**knobs):
    step = make_step(**knobs)
    losses = [step(batch, negatives, how()).item() for batch, negatives in some_batches()]
    return SimpleNamespace(losses=losses, weights=weights(step))


def test_dropout_depends_on_its_generator_alone():
    knobs = dict(dropout_p_embed=0.3, dropout_p_hidden=0.3)
    torch.manual_seed(1)
    first = run(generator=generator(0, "dropout"), **knobs)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    second = run(generator=generator(0, "dropout"), **knobs)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.losses == second.losses
    assert all(torch.equal(value, second.weights[name]) for name, value in first.weights.items())
    assert run(generator=generator(1, "dropout"), **knobs).losses != first.losses


@pytest.mark.parametrize("knob", ["dropout_p_embed", "dropout_p_hidden"])
def test_each_dropout_changes_the_training(knob):
    assert run(generator=generator(0, "dropout"), **{knob: 0.5}).losses != run().losses


def test_dropout_keeps_the_mean_and_drops_the_given_share():
    step = make_step(generator=generator(0, "dropout"))
    kept = step._dropout(torch.ones(200, 200), 0.7)
    assert kept.mean().item() == pytest.approx(1, abs=0.02)
    assert (kept == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)


# A loss that is no longer a number.


def test_a_loss_that_is_not_finite_leaves_every_weight_as_it_was_from_then_on():
    step = make_step()
    batches = list(some_batches(4))
    step(*batches[0], how(momentum=0.0))
    assert step.finite
    with torch.no_grad():
        healthy = step.network.bias[batches[1][0].targets[0]].clone()
        step.network.bias[batches[1][0].targets[0]] = torch.inf
    broken = weights(step)
    assert not step(*batches[1], how(momentum=0.0)).isfinite()
    assert not step.finite
    assert_same_weights(weights(step), broken)
    with torch.no_grad():
        step.network.bias[batches[1][0].targets[0]] = healthy
    before = weights(step)
    step(*batches[2], how(momentum=0.0))
    assert_same_weights(weights(step), before)
    assert step.n_finite == 1


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_a_masked_column_trains_as_if_it_were_not_there(loss):
    scores = torch.randn(3, 7, generator=generator(4, "scores"), dtype=torch.float64)
    absent = torch.zeros(3, 7, dtype=torch.bool)
    absent[:, 6] = True
    knobs = {"bpreg": 0.7, "elu_param": 0.5}
    value, gradient = loss_and_gradient(scores, loss, absent=absent, **knobs)
    expected = loss_and_gradient(scores[:, :6], loss, **knobs)
    torch.testing.assert_close(value, expected[0])
    torch.testing.assert_close(gradient[:, :6], expected[1])
    assert (gradient[:, 6] == 0).all()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_a_row_whose_negatives_are_all_masked_has_loss_0_and_no_gradient(loss):
    scores = torch.randn(2, 3, generator=generator(4, "scores"), dtype=torch.float64)
    absent = torch.tensor([[False, True, True], [False, False, False]])
    value, gradient = loss_and_gradient(scores, loss, absent=absent, bpreg=1.0)
    assert value[0] == 0
    assert (gradient[0] == 0).all()
    assert value[1] != 0
