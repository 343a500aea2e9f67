"""The step on kernels against the plain one: same batches, same random numbers, same weights."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, Controls, LiveRun, evaluate, load_model, load_sessions, train
from gru4rec_lab.batches import Batch, session_parallel
from gru4rec_lab.device import generator
from gru4rec_lab.kernels.draws import GuidedSearch
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.recommender import network_of
from gru4rec_lab.sampling import Sampler, popularity_weight
from gru4rec_lab.training.choice import choose_step
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.events import Report, Started, StepDone
from gru4rec_lab.training.numba_step.step import NumbaStep
from gru4rec_lab.training.numba_step.tables import aligned, padded
from gru4rec_lab.training.step import Step
from gru4rec_lab.warm_up import load_ahead

SMALL = Config(
    layers=(12,),
    batch_size=8,
    n_sample=40,
    sample_alpha=0.5,
    logq=0.8,
    learning_rate=0.1,
    n_epochs=2,
)
# The configurations that the speed is measured on, scaled down.
MEASURED = {
    "a": SMALL,
    "b": Config(
        layers=(20,), loss="bpr-max", batch_size=10, n_sample=40, sample_alpha=0.4,
        dropout_p_embed=0.5, dropout_p_hidden=0.05, momentum=0.4,
    ),
    "c": SMALL.with_changes(n_sample=0, logq=0.0),
    "d": SMALL.with_changes(batch_size=150),
    "e": SMALL.with_changes(constrained_embedding=False),
}  # fmt: skip
MODES = {
    "constrained": {},
    "separate": {"constrained_embedding": False, "embedding": 5},
    "one-hot": {"constrained_embedding": False},
}


@pytest.fixture(scope="module")
def cycle():
    return load_sessions("world:cycle", n_sessions=400, seed=1)


def plain_step(config, sessions, dtype=torch.float64):
    return Step.of(
        config,
        network_of(config, sessions.n_items, generator(0, "weights")).to(dtype),
        torch.from_numpy(sessions.support),
        generator(0, "dropout"),
    )


def both(config, sessions, dtype=torch.float64):
    return plain_step(config, sessions, dtype), NumbaStep(plain_step(config, sessions, dtype))


def batches(config, sessions, n_steps=None):
    """The first steps of an epoch, or of its end if `n_steps` is negative, with negatives."""
    schedule = session_parallel(sessions, config.batch_size)
    weight = popularity_weight(torch.from_numpy(sessions.support), config.sample_alpha)
    sampler = Sampler(weight, generator=generator(0, "negatives"))
    steps = range(len(schedule))
    for number in steps[n_steps:] if n_steps and n_steps < 0 else steps[:n_steps]:
        yield schedule[number], sampler.draw(config.n_sample)


def state(step):
    kinds = {
        "weight": dict(step.network.named_parameters()),
        "sum": step.optimiser.accumulated,
        "velocity": step.optimiser.velocity,
        "hidden": dict(enumerate(step.hidden)),
    }
    return {(k, name): t.detach().clone() for k, part in kinds.items() for name, t in part.items()}


def assert_same_state(first, second, **within):
    got, expected = state(second), state(first)
    assert got.keys() == expected.keys()
    for key, value in got.items():
        torch.testing.assert_close(
            value, expected[key], **within, msg=lambda text, key=key: f"{key}: {text}"
        )


def assert_same_loss(got, expected, **within):
    torch.testing.assert_close(float(got), expected.item(), **within)


def run_both(config, sessions, n_steps=None, settings=None, dtype=torch.float64, **within):
    first, second = both(config, sessions, dtype)
    settings = settings or Settings.of(config)
    for batch, negatives in batches(config, sessions, n_steps):
        expected = first(batch, negatives, settings)
        assert_same_loss(second(batch, negatives, settings), expected, **within)
    assert_same_state(first, second, **within)


# Equality.


@pytest.mark.parametrize("name", MEASURED)
def test_a_whole_epoch_with_its_tail_equals_the_plain_one(name, cycle):
    config = MEASURED[name]
    sizes = [len(batch.targets) for batch, _ in batches(config, cycle)]
    assert len(sizes) >= 50 or name == "d"
    assert sizes[0] == config.batch_size > sizes[-1]
    run_both(config, cycle)


def test_fifty_steps_in_blocks_of_rows_equal_the_plain_ones(cycle):
    first, second = both(MEASURED["d"], cycle)
    settings, steps = Settings.of(MEASURED["d"]), list(batches(MEASURED["d"], cycle))
    for number in range(50):
        batch, negatives = steps[number % len(steps)]
        if number % len(steps) == 0:
            first.begin_epoch()
            second.begin_epoch()
        assert_same_loss(second(batch, negatives, settings), first(batch, negatives, settings))
    assert_same_state(first, second)


@pytest.mark.parametrize("name", MEASURED)
def test_the_first_steps_are_the_same_in_float32(name, cycle):
    run_both(MEASURED[name], cycle, 5, dtype=torch.float32, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "changes",
    [
        {"momentum": 0.3},
        {"layers": (12, 7)},
        {"shape_scores": "all", "logq": 0.0, "bpreg": 0.7},
        {"shape_scores": "all", "logq_mode": "exact"},
        {"collisions": "mask"},
        {"logq_mode": "exact", "n_sample": 0},
        {"dropout_p_embed": 0.3, "dropout_p_hidden": 0.2, "layers": (7, 12)},
    ],
    ids=str,
)
def test_every_loss_embedding_and_setting_equals_the_plain_step(mode, loss, changes, cycle):
    run_both(SMALL.with_changes(loss=loss, **MODES[mode] | changes), cycle, 12)


def test_settings_that_change_between_steps_equal_the_plain_step(cycle):
    first, second = both(SMALL, cycle)
    changes = [
        {}, {"loss": "bpr"}, {"n_sample": 90, "momentum": 0.5}, {"loss": "bpr-max", "bpreg": 2.0},
        {"n_sample": 3}, {"elu_param": 0.0}, {"loss": "cross-entropy", "logq": 0.0},
        {"logq": 1.0, "sample_alpha": 1.0}, {"momentum": 0.0, "learning_rate": 0.01},
        {"loss": "top1"},
    ]  # fmt: skip
    settings = Settings.of(SMALL)
    draw = Sampler(torch.ones(cycle.n_items), generator=generator(0, "negatives")).draw
    for change, (batch, _) in zip(changes * 3, batches(SMALL, cycle), strict=False):
        settings = replace(settings, **change)
        negatives = draw(settings.n_sample)
        assert_same_loss(second(batch, negatives, settings), first(batch, negatives, settings))
    assert_same_state(first, second)


def test_the_same_item_everywhere_equals_the_plain_step(cycle):
    first, second = both(SMALL.with_changes(collisions="mask"), cycle)
    one, fresh = torch.tensor([3, 3]), torch.tensor([-1, -1])
    for negatives in (torch.tensor([3, 3]), torch.tensor([3, 4]), torch.empty(0).long()):
        given = Batch(one, one, fresh), negatives, Settings.of(SMALL)
        assert_same_loss(second(*given), first(*given))
    assert_same_state(first, second)


# What has no kernel.


def test_settings_without_a_kernel_run_through_the_plain_step(cycle, monkeypatch):
    config = SMALL.with_changes(shape_scores="all", momentum=0.2)
    first, second = both(config, cycle)
    called = []
    monkeypatch.setattr(second, "_update", lambda: called.append(1))
    for batch, negatives in batches(config, cycle, 6):
        given = batch, negatives, Settings.of(config)
        assert torch.equal(second(*given), first(*given))
    assert_same_state(first, second, rtol=0, atol=0)
    assert called == []


def test_kernels_and_the_plain_step_take_turns_on_the_same_state(cycle):
    config = SMALL.with_changes(shape_scores="all", momentum=0.2)
    first, second = both(config, cycle)
    for number, (batch, negatives) in enumerate(batches(config, cycle, 30)):
        settings = replace(
            Settings.of(config), logq=float(number % 3 == 0), momentum=0.1 * (number > 3)
        )
        assert_same_loss(second(batch, negatives, settings), first(batch, negatives, settings))
    assert_same_state(first, second)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"cell": "feed-forward"}, "the feed-forward cell has no kernel"),
        ({"shape_scores": "all"}, "logq with shape_scores='all' has no kernel"),
    ],
)
def test_numba_is_refused_where_it_cannot_run_and_auto_takes_the_plain_step(changes, why, cycle):
    config = SMALL.with_changes(**changes)
    with pytest.raises(ValueError, match=f"step='numba' is not possible: {why}"):
        train(config.with_changes(step="numba"), cycle)
    assert next(train(config, cycle)).step == "plain"


def test_a_half_precision_network_has_no_kernel(cycle):
    plain = plain_step(SMALL, cycle, torch.bfloat16)
    assert choose_step("auto", plain, Settings.of(SMALL)) is plain
    with pytest.raises(ValueError, match="kernels work in float32 and float64"):
        choose_step("numba", plain, Settings.of(SMALL))


def test_where_numba_does_not_load_auto_takes_the_plain_step(cycle, monkeypatch):
    monkeypatch.setitem(sys.modules, "gru4rec_lab.training.numba_step.step", None)
    assert next(train(SMALL, cycle)).step == "plain"
    with pytest.raises(ValueError, match="step='numba' is not possible: .* NUMBA_CACHE_DIR"):
        next(train(SMALL.with_changes(step="numba"), cycle))


@pytest.mark.parametrize(
    ("step", "runs"), [("auto", "numba"), ("numba", "numba"), ("plain", "plain")]
)
def test_a_run_says_which_step_it_takes(step, runs, cycle):
    started = next(train(SMALL.with_changes(step=step, device="cpu"), cycle))
    assert isinstance(started, Started)
    assert started.step == runs


# State.


def test_weights_are_current_between_steps_and_can_be_written(cycle, tmp_path):
    events = train(SMALL, cycle)
    model = next(events).model
    before = model.network.items.detach().clone()
    for event in events:
        if isinstance(event, StepDone) and event.step == 20:
            break
    assert not torch.equal(model.network.items, before)
    loaded = load_model(model.save(tmp_path / "model"), device="cpu")
    assert loaded.network.items.is_contiguous()
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, loaded.network.state_dict()[name])
    assert evaluate(loaded, cycle).recall[20] == evaluate(model, cycle).recall[20]
    model.network.load_state_dict({k: v * 0 for k, v in model.network.state_dict().items()})
    next(event for event in events if isinstance(event, StepDone))
    assert 0 < model.network.items.abs().max() <= 0.11


def test_weights_that_were_moved_away_are_found_again(cycle):
    first, second = both(SMALL, cycle)
    steps, settings = list(batches(SMALL, cycle, 9)), Settings.of(SMALL)
    for number, given in enumerate(steps):
        if number == 4:
            for parameter in second.network.parameters():
                parameter.data = parameter.data.clone()
        first(*given, settings)
        second(*given, settings)
    assert_same_state(first, second)


def test_a_hidden_state_that_was_read_does_not_change(cycle):
    _, step = both(SMALL, cycle)
    steps = batches(SMALL, cycle, 2)
    step(*next(steps), Settings.of(SMALL))
    (kept,) = step.hidden
    copy = kept.clone()
    step(*next(steps), Settings.of(SMALL))
    assert torch.equal(kept, copy)
    step.begin_epoch()
    assert step.hidden[0].abs().sum() == 0


def test_from_a_loss_on_that_is_not_finite_the_weights_stand_still(cycle):
    config = SMALL.with_changes(momentum=0.3)
    _, step = both(config, cycle)
    steps, settings = list(batches(config, cycle, 4)), Settings.of(config)
    step(*steps[0], settings)
    item = steps[1][0].targets[0]
    with torch.no_grad():
        healthy = step.network.bias[item].clone()
        step.network.bias[item] = torch.inf
    broken = state(step)
    assert np.isnan(step(*steps[1], settings))
    assert not step.finite
    with torch.no_grad():
        step.network.bias[item] = healthy
    step(*steps[2], settings)
    after = state(step)
    for key in after:
        if key[0] != "hidden" and key != ("weight", "bias"):
            assert torch.equal(after[key], broken[key])
    assert step.n_finite == 1


# Whole runs.


def losses(events):
    return [event.loss for event in events if isinstance(event, Report)]


def test_a_run_on_kernels_repeats_bit_for_bit_in_a_thread_too(cycle):
    config = MEASURED["b"].with_changes(n_epochs=1, step="numba")
    history = losses(train(config, cycle))
    assert losses(train(config, cycle)) == history
    live = LiveRun(train(config, cycle))
    live.start()
    live.wait(30)
    assert losses(live.poll()) == history


def test_a_run_on_kernels_has_the_losses_of_a_plain_one(cycle):
    config = SMALL.with_changes(n_epochs=1, report_every=10)
    plain, numba = (losses(train(config.with_changes(step=s), cycle)) for s in ("plain", "numba"))
    np.testing.assert_allclose(numba, plain, rtol=1e-2)
    np.testing.assert_allclose(numba[:3], plain[:3], rtol=1e-4)


def test_a_sampler_draws_the_same_with_either_search(cycle):
    weight = popularity_weight(torch.from_numpy(cycle.support), 0.5)
    plain = Sampler(weight, generator=generator(0, "negatives"))
    guided = Sampler(weight, generator=generator(0, "negatives"), search=GuidedSearch)
    assert torch.equal(plain.draw(70_000), guided.draw(70_000))


def test_changed_controls_replay_on_kernels(cycle):
    controls, config = Controls.of(SMALL), SMALL.with_changes(n_epochs=1)
    events = []
    for event in train(config, cycle, controls=controls):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 5:
            controls.set(loss="bpr-max", n_sample=80, momentum=0.2)
    changes = [event for event in events if hasattr(event, "old")]
    again = train(config, cycle, controls=Controls.of(SMALL, replay=changes))
    assert len(changes) == 3
    assert losses(again) == losses(events)


def test_rows_of_tables_begin_with_cache_lines():
    like = np.zeros(1, np.float32)
    table = aligned(7, padded(101, like), like=like)
    assert table.shape == (7, 112)
    assert [table[row].ctypes.data % 64 for row in range(7)] == [0] * 7


def test_the_warm_up_leaves_nothing_to_compile():
    code = (
        "from gru4rec_lab.warm_up import warm_up; warm_up();"
        "import sys; from gru4rec_lab import Config, evaluate, load_sessions, train;"
        "kernels = lambda: {(m, n): len(f.signatures) for m, o in list(sys.modules.items())"
        " if m.startswith('gru4rec_lab.kernels.') for n, f in vars(o).items()"
        " if hasattr(f, 'signatures')};"
        "before = kernels(); data = load_sessions('world:cycle', n_sessions=40);"
        "config = Config(layers=(4,), batch_size=4, n_epochs=1, device='cpu');"
        "[list(train(config.with_changes(n_sample=n, loss=l), data))"
        " for n in (0, 9) for l in ('bpr-max', 'cross-entropy')];"
        "evaluate(next(train(config, data)).model, data);"
        "print(len(before) > 20, before == kernels())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "True"]


def test_kernels_are_loaded_ahead_once_and_in_a_thread():
    code = (
        "import sys; from gru4rec_lab.warm_up import load_ahead;"
        "before = 'numba' in sys.modules; thread = load_ahead(); again = load_ahead();"
        "thread.join(); from gru4rec_lab.kernels import adagrad, ranking;"
        "print(before, again is thread, not thread.daemon, len(adagrad.learn.signatures) > 0,"
        " len(ranking.count_competitors.signatures) > 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True", "True", "True", "True"]


def test_where_kernels_cannot_be_loaded_loading_ahead_is_quiet(monkeypatch):
    tried = []

    def warm_up():
        tried.append(1)
        raise ImportError("no numba")

    monkeypatch.setattr("gru4rec_lab.warm_up.warm_up", warm_up)
    thread = load_ahead.__wrapped__()
    thread.join(10)
    assert not thread.is_alive()
    assert tried
