"""`n_sample="all"`: all items but its target are a row's negatives, each once."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from gru4rec_lab import Config, Controls, load_model, load_sessions, train
from gru4rec_lab.batches import Batch
from gru4rec_lab.config import check_setting
from gru4rec_lab.diagnostics import GradientByRank, probe_scores
from gru4rec_lab.diagnostics.stored import reference_gradients, trained_scores
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.model import carried
from gru4rec_lab.sampling import NegativeSampler
from gru4rec_lab.score_matrix import join_columns, loss_and_gradient, split_columns
from gru4rec_lab.training.controls import ControlChanged, Settings
from gru4rec_lab.training.events import Finished, Report, Started, StepDone
from gru4rec_lab.training.graph_step import GraphStep
from gru4rec_lab.training.numba_step.step import NumbaStep
from gru4rec_lab.training.numba_step.supported import missing_kernel
from gru4rec_lab.training.optim import EPS
from gru4rec_lab.widgets import TrainingLab
from gru4rec_lab.widgets.controls import set_value, steps_slider
from gru4rec_lab.widgets.training_lab.picture import View, drawn
from gru4rec_lab.widgets.training_lab.text import hint
from tests.labs import TINY, finished
from tests.recorded import RecordedCapture
from tests.test_step import (
    ITEMS,
    MODES,
    SIZE,
    assert_same_weights,
    by_columns,
    every_loss,
    how,
    make_step,
    some_batches,
    weights,
)

SMALL = Config(layers=(12,), batch_size=8, n_sample=40, logq=0.8, n_epochs=2, report_every=1)
every_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="module")
def cycle():
    return load_sessions("world:cycle", n_sessions=40, seed=1)


def exact(got, expected):
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


# The setting.


def test_all_is_a_number_of_samples_as_any_other(tmp_path, cycle):
    config = Config(n_sample="all", layers=(4,), n_epochs=0, device="cpu")
    assert config.n_sample == check_setting("n_sample", "all") == "all"
    model = next(iter(train(config, cycle))).model
    assert load_model(model.save(tmp_path / "model.pt"), device="cpu").config == config


@pytest.mark.parametrize("value", ["ALL", "everything", "", -1, True, 1.5, None, ["all"]])
def test_what_is_neither_all_nor_a_number_is_refused_with_both_ways_out(value):
    message = r"n_sample must be a whole number of at least 0, or 'all', got .*default is 2048"
    with pytest.raises(ValueError, match=message):
        Config(n_sample=value)
    with pytest.raises(ValueError, match=message):
        Controls.of(Config()).n_sample = value


@pytest.mark.parametrize("sampler", ["popularity", "hard"])
@pytest.mark.parametrize("collisions", ["keep", "mask", "resample"])
def test_nothing_is_drawn_whatever_the_sampler(sampler, collisions):
    generator = torch.Generator()
    state = generator.get_state()
    support = torch.arange(1, 6)
    policy = NegativeSampler(support, sampler=sampler, collisions=collisions, generator=generator)
    policy.set_sample_alpha(0.5)
    batch, _ = next(some_batches())
    assert policy.pick(batch, "all", lambda _batch, _items: pytest.fail("asks for scores")) is None
    assert torch.equal(generator.get_state(), state)


# The score matrix.


def test_columns_of_all_items_split_by_hand():
    """Row 0's target is item 2, the last, row 1's item 0, whose place the last item takes."""
    scores, own = torch.tensor([[1.0, 2, 3], [4, 5, 6]]), torch.tensor([2, 0])
    target, negatives = split_columns(scores, own)
    assert target.tolist() == [3, 4]
    assert negatives.tolist() == [[1, 2], [6, 5]]


@given(st.data())
def test_each_item_but_the_target_is_a_negative_once(data):
    n_items, rows = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    own = torch.tensor([data.draw(st.integers(0, n_items - 1)) for _ in range(rows)])
    scores = torch.arange(rows * n_items, dtype=torch.float64).reshape(rows, n_items)
    target, negatives = split_columns(scores, own)
    for row, items in enumerate(scores.tolist()):
        assert target[row] == items.pop(own[row])
        assert sorted(negatives[row].tolist()) == items
    assert torch.equal(join_columns(target, negatives, own), scores)


@every_loss
@pytest.mark.parametrize(("bpreg", "elu_param"), [(0.0, 0.0), (0.7, 0.5)])
def test_every_loss_equals_that_of_the_other_items_as_explicit_negatives(loss, bpreg, elu_param):
    """A row at a time, with its target in front, as a batch of one with samples."""
    scores = torch.randn(SIZE, ITEMS, generator=torch.Generator().manual_seed(3)).double()
    own, shape = torch.tensor([3, 0, ITEMS - 1, 3]), {"bpreg": bpreg, "elu_param": elu_param}
    value, gradient = loss_and_gradient(scores, LOSSES[loss], own=own, **shape)
    for row, item in enumerate(own):
        others = [other for other in range(ITEMS) if other != item]
        alone = scores[row, [item, *others]][None]
        expected, by_alone = loss_and_gradient(alone, LOSSES[loss], **shape)
        exact(value[row : row + 1], expected)
        exact(gradient[row, [item, *others]], by_alone[0])


def test_cross_entropy_is_that_of_the_full_softmax():
    random = torch.Generator().manual_seed(4)
    scores = (3 * torch.randn(SIZE, ITEMS, generator=random)).double().requires_grad_()
    own = torch.tensor([5, 5, 0, ITEMS - 1])
    value, gradient = loss_and_gradient(scores.detach(), LOSSES["cross-entropy"], own=own)
    expected = cross_entropy(scores, own, reduction="none")
    exact(value, expected.detach())
    exact(gradient, torch.autograd.grad(expected.sum(), scores)[0])


# A whole step.


def slow_loss(scores, targets, settings):
    """Sum of the rows' losses for autograd, each row's target put in front of all other items."""
    if settings.loss == "cross-entropy":
        return cross_entropy(scores, targets, reduction="sum")
    shape = (settings.bpreg, settings.elu_param) if settings.loss == "bpr-max" else (0.0, 0.0)
    rows = zip(scores, targets.tolist(), strict=True)
    alone = (torch.cat([row[own : own + 1], row[:own], row[own + 1 :]])[None] for row, own in rows)
    return sum(by_columns(row, LOSSES[settings.loss], *shape).sum() for row in alone)


def dense_steps(network, settings, move):
    """Losses and hidden states of steps by autograd on whole tables; `move` updates the weights."""
    hidden = network.start(SIZE)
    for batch, _ in some_batches():
        _, table = network.input_table()
        hidden = network(table[batch.inputs], carried(hidden, batch.carry))
        scores = hidden[-1] @ network.items.T + network.bias.T
        total = slow_loss(scores, batch.targets, settings) / SIZE
        names, parameters = zip(*network.named_parameters(), strict=True)
        gradients = torch.autograd.grad(total, parameters)
        move(dict(zip(names, gradients, strict=True)))
        yield total.detach(), hidden


def torch_adagrad(network, settings):
    # A constant that starts the accumulator is one inside the root, as ours is.
    start = {"eps": 0.0, "initial_accumulator_value": EPS}
    optimiser = torch.optim.Adagrad(network.parameters(), lr=settings.learning_rate, **start)

    def move(gradients):
        for name, parameter in network.named_parameters():
            parameter.grad = gradients[name]
        optimiser.step()

    return move


def heavy_ball(network, settings):
    sums, velocity = ({n: 0 for n, _ in network.named_parameters()} for _ in range(2))

    @torch.no_grad()
    def move(gradients):
        for name, parameter in network.named_parameters():
            sums[name] = sums[name] + gradients[name] ** 2
            push = settings.learning_rate * gradients[name] / (sums[name] + EPS).sqrt()
            velocity[name] = settings.momentum * velocity[name] - push
            parameter += velocity[name]

    return move


def assert_equal_steps(step, other, settings, updates):
    expected = dense_steps(other.network, settings, updates(other.network, settings))
    for (batch, _), (total, hidden) in zip(some_batches(), expected, strict=True):
        loss = torch.as_tensor(step(batch, None, settings), dtype=torch.float64)
        exact(loss, total)
        torch.testing.assert_close(step.hidden, [layer.detach() for layer in hidden])
    assert_same_weights(weights(step), weights(other))


STEPS = {
    "plain": lambda plain: plain,
    "numba": NumbaStep,
    "graph": lambda plain: GraphStep(plain, capture=RecordedCapture(None, torch.Generator())),
}
every_step = pytest.mark.parametrize("name", STEPS)


@every_step
@every_loss
@every_mode
def test_steps_equal_autograd_and_torchs_adagrad_on_whole_tables(mode, loss, name):
    """Also where logq is asked for: of all items none is sampled, and nothing to correct."""
    settings = how(loss, n_sample="all", momentum=0.0)
    step = STEPS[name](make_step(mode))
    assert_equal_steps(step, make_step(mode), settings, torch_adagrad)


@every_step
def test_with_momentum_every_row_moves_in_every_step(name):
    settings = how("cross-entropy", n_sample="all", momentum=0.3)
    assert_equal_steps(STEPS[name](make_step()), make_step(), settings, heavy_ball)


@every_step
@pytest.mark.parametrize("changes", [{"logq_mode": "exact"}, {"mask_collisions": True}])
def test_corrections_and_collisions_change_nothing(name, changes):
    settings = how("cross-entropy", n_sample="all", momentum=0.0)
    step = STEPS[name](make_step(**changes))
    assert_equal_steps(step, make_step(), settings, torch_adagrad)


@every_step
def test_the_other_targets_of_the_batch_count_once_and_the_own_not_at_all(name):
    """Two rows of one target: by hand, mean softplus(r_j - r_i) over the ITEMS - 1 others."""
    step = STEPS[name](make_step())
    one, fresh = torch.tensor([3, 3, 5, 5]), torch.full((SIZE,), -1)
    batch = Batch(one, one, fresh)
    with torch.no_grad():
        scores = step.network.scores(step.network.advance(one, step.hidden, fresh))
    gaps = scores - scores.gather(1, one[:, None])
    everything = torch.nn.functional.softplus(gaps).sum(dim=1) - torch.tensor(2.0).double().log()
    expected = (everything / (ITEMS - 1)).sum() / SIZE
    got = float(step(batch, None, how("bpr", n_sample="all")))
    assert got == pytest.approx(expected.item(), abs=1e-12)


def test_a_catalogue_of_one_item_has_no_negatives():
    value, gradient = loss_and_gradient(
        torch.tensor([[3.0], [4.0]]), LOSSES["bpr"], own=torch.tensor([0, 0])
    )
    assert value.tolist() == [0, 0]
    assert gradient.tolist() == [[0], [0]]


def test_kernels_run_all_items_also_where_logq_would_have_none():
    settings = how("cross-entropy", n_sample="all", logq=1.0)
    step = make_step(shape_scores="all")
    assert missing_kernel(step, settings) is None
    assert "no kernel" in missing_kernel(step, replace(settings, n_sample=6))


# A training.


def run(config, sessions, changes=(), replay=()):
    """Changed controls, losses and weights of a training; `changes`: step numbers to n_sample."""
    controls, losses, made = Controls.of(config, replay=replay), [], []
    for event in train(config, sessions, controls=controls):
        match event:
            case Started():
                started = event
            case Report():
                losses.append(event.loss)
            case ControlChanged():
                made.append(event)
            case StepDone() if event.step + 1 in dict(changes):
                controls.n_sample = dict(changes)[event.step + 1]
            case Finished():
                assert len(losses) == event.step
    return made, losses, {n: w.clone() for n, w in started.model.network.state_dict().items()}


LIVE = {4: "all", 9: 0, 12: "all", 15: 40}


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_all_is_set_and_left_in_a_running_training_that_replays_exactly(step, cycle):
    config = SMALL.with_changes(device="cpu", step=step)
    made, losses, after = run(config, cycle, LIVE)
    assert [(change.step, change.old, change.new) for change in made] == [
        (4, 40, "all"), (9, "all", 0), (12, 0, "all"), (15, "all", 40),
    ]  # fmt: skip
    again, same, weights_again = run(config, cycle, replay=made)
    assert (again, same) == (made, losses)
    assert all(torch.equal(weight, weights_again[name]) for name, weight in after.items())
    assert losses[:3] == run(config, cycle)[1][:3]


def test_every_step_trains_the_same_while_all_comes_and_goes():
    """In float64, with the negatives of the numbers between."""
    steps, settings = {name: make(make_step()) for name, make in STEPS.items()}, how()
    numbers = ["all", 0, 6, "all", 6, "all"]
    for n_sample, (batch, extra) in zip(numbers, some_batches(6), strict=True):
        settings = replace(settings, n_sample=n_sample, loss="cross-entropy")
        negatives = None if n_sample == "all" else extra[:n_sample]
        got = {name: float(step(batch, negatives, settings)) for name, step in steps.items()}
        assert got == pytest.approx(dict.fromkeys(STEPS, got["plain"]), rel=1e-9)
    for step in steps.values():
        assert_same_weights(weights(step), weights(steps["plain"]))


def test_a_graph_of_all_items_is_captured_once_and_kept():
    captured = []

    class Counting(RecordedCapture):
        def __call__(self, work):
            captured.append(1)
            return super().__call__(work)

    step = GraphStep(make_step(), capture=Counting(None, torch.Generator()))
    few, every = how(), how(n_sample="all")
    for settings, (batch, extra) in zip([few, every, few, every], some_batches(4), strict=True):
        step(batch, None if settings is every else extra, settings)
    assert len(captured) == 2


# What is looked at.


def test_the_probe_sees_every_other_item_once(cycle):
    config = SMALL.with_changes(n_sample="all", n_epochs=0, device="cpu")
    model = next(iter(train(config, cycle))).model
    target, negatives = probe_scores(model, cycle)
    assert negatives.shape == (len(target), cycle.n_items - 1)
    linear, _ = probe_scores(model, cycle, n_sample=0, logq=0.0)
    torch.testing.assert_close(target, linear)
    again = probe_scores(model, cycle, settings=Settings.of(config), seed=5)
    assert torch.equal(again[1], negatives)


def test_the_stored_scores_have_every_other_item_once():
    scores = trained_scores(4)
    rows, n_items = scores.rows("all"), scores.catalogue.shape[1]
    assert rows.shape == (len(scores.columns), n_items - 1)
    whole = torch.cat([rows, scores.target[:, None]], dim=1)
    assert torch.equal(whole.sort(dim=1).values, scores.catalogue.sort(dim=1).values)
    assert reference_gradients("all", 0.0) is reference_gradients("all", 0.0)


# The lab.


def test_a_slider_of_numbers_takes_a_word_that_it_has_and_no_other():
    slider = steps_slider("n", 8, [0, 8, "all"], css="n", tooltip="", order=order, words=str)
    set_value(slider, "n", "all")
    assert (slider.value, slider.index) == ("all", 2)
    set_value(slider, "n", 64)
    assert [value for _, value in slider.options] == [0, 8, 64, "all"]
    for odd in ("ALL", -1, 1.5, None, ["all"]):
        with pytest.raises(ValueError, match="n must be a whole number from 0 on, or 'all', got"):
            set_value(slider, "n", odd)
    numbers = steps_slider("n", 8, [0, 8], css="n", tooltip="")
    with pytest.raises(ValueError, match="whole number from 0 on, got 'all'"):
        set_value(numbers, "n", "all")


def order(step):
    return float("inf") if step == "all" else step


def test_the_right_end_of_the_labs_slider_is_all_items(training_lab):
    slider = training_lab.n_sample
    assert slider.options[-1] == ("all items", "all")
    slider.index = len(slider.options) - 1
    assert training_lab.controls.n_sample == "all"
    assert "n_sample=all " in training_lab.settings_string
    fields = training_lab._elements.controls.fields
    assert "none is drawn" in fields["sample_alpha"].note.value
    training_lab.loss.value = "cross-entropy"
    assert "none is drawn" in fields["logq"].note.value
    training_lab.take({"n_sample": 300})
    assert [value for _, value in slider.options][-2:] == [2048, "all"]
    assert fields["logq"].note.value == ""


def test_a_lab_of_all_items_trains_is_pinned_restored_and_replayed(short_lab, stops):
    short_lab.n_sample.value = "all"
    finished(short_lab)
    seen, n_items = short_lab.run.history.last_observation, short_lab.model.network.n_items
    assert short_lab.error == ""
    assert seen.n_negatives == n_items - 1
    assert 1 <= seen.effective <= n_items - 1
    short_lab.pin()
    assert "all extra negatives" in short_lab.pinned.label
    short_lab.scores_of.value = "reference"
    assert short_lab.error == ""
    with closing(TrainingLab.restore(short_lab.settings_string, stops)) as again:
        assert again.n_sample.value == again.controls.n_sample == "all"


def test_all_items_are_enough_for_the_hint():
    curves = {"bpr": np.array([0.01, 1.0]), "bpr-max": np.array([0.8, 1.0])}
    at = {"bpr": 1.0, "bpr-max": 1.0}
    gradients = GradientByRank(np.array([0.0, 9.0]), np.array([1, 1]), curves, at)
    asked = replace(Settings.of(TINY), n_sample="all")
    assert "switch <b>loss</b> to bpr-max" in hint("running", gradients, asked, "model")


@pytest.mark.parametrize(("n_negatives", "highest"), [(2999, 3000), (3001, 10**4), (10**5, 10**5)])
def test_the_axes_of_the_lab_reach_to_all_negatives(short_lab, n_negatives, highest):
    history = finished(short_lab).run.history
    last = history.observations[-1]
    history.observations[-1] = replace(last, value=replace(last.value, n_negatives=n_negatives))
    panes = drawn(history, Settings.of(TINY), View())[0].panes
    limits = panes["pull"].x.limits[1], panes["effective"].y.limits[1], panes["right"].x.limits[1]
    assert limits == (highest, highest, highest)
