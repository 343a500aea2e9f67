"""Training that goes on from a file is the training that never stopped, bit for bit."""

import os
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch

from gru4rec_lab import (
    LOSSES,
    Config,
    Controls,
    fit,
    load_model,
    load_sessions,
    resume,
    session_parallel,
    train,
    train_from,
)
from gru4rec_lab.storage import read_model, write_model
from gru4rec_lab.training.checkpoints import Checkpoints
from gru4rec_lab.training.controls import ControlChanged
from gru4rec_lab.training.events import EpochDone, Finished, Report, Started, StepDone
from gru4rec_lab.training.run import NonFiniteLoss

from . import killed

ROOT = Path(__file__).parents[1]
SMALL = Config(
    layers=(8,), batch_size=8, n_sample=24, learning_rate=0.1, n_epochs=2, report_every=5,
    device="cpu",
)  # fmt: skip
WAYS = {
    **{loss: {"loss": loss} for loss in LOSSES},
    "separate": {"constrained_embedding": False, "embedding": 5},
    "one-hot": {"constrained_embedding": False, "loss": "bpr-max"},
    "two layers": {"layers": (8, 6), "dropout_p_hidden": 0.2},
    "momentum": {"momentum": 0.3, "loss": "bpr"},
    "dropout": {"dropout_p_embed": 0.3, "dropout_p_hidden": 0.2, "momentum": 0.1},
    "logq": {"logq": 0.8, "sample_alpha": 0.7},
    "exact logq": {"logq": 0.8, "logq_mode": "exact", "sampler": "log-uniform"},
    "mask": {"collisions": "mask", "sampler": "uniform"},
    "resample": {"collisions": "resample", "logq": 1.0},
    "hard": {"sampler": "hard", "loss": "bpr-max", "dropout_p_embed": 0.2},
    "all items": {"n_sample": "all"},
    "no samples": {"n_sample": 0, "constrained_embedding": False},
    "blocks of draws": {"n_sample": 9000},
    "shaped": {"loss": "bpr", "shape_scores": "all", "momentum": 0.2},
    "feed-forward": {"cell": "feed-forward"},
}


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=16, n_items=20, seed=2)


@pytest.fixture
def written_after(monkeypatch):
    """A function that sets the steps after which checkpoints are written."""
    return lambda steps: monkeypatch.setattr(
        Checkpoints, "due", lambda self, step, _: step in steps
    )


@pytest.fixture(scope="module")
def later():
    return load_sessions("world:cycle", n_sessions=16, n_items=20, seed=3)


def told(events):
    """What was told after each step and what the model became; seconds differ, and are left out."""
    seen = {}
    for event in events:
        match event:
            case Started():
                model = event.model
            case Report():
                seen[event.step, "report"] = event.epoch, event.loss, event.clicks, event.settings
            case EpochDone():
                ranks = event.evaluation and event.evaluation.ranks.tolist()
                seen[event.step, "epoch"] = event.epoch, event.loss, ranks
            case ControlChanged():
                seen[event.step, event.name] = event.new
    tensors = model.contents()[0]
    return seen, {name: tensor.clone() for name, tensor in tensors.items()}


def copies_after(steps, events, path):
    """The events; after each of these steps its checkpoint is copied aside."""
    for event in events:
        yield event
        if isinstance(event, StepDone) and event.step in steps:
            shutil.copy(path, path.with_stem(f"after {event.step}"))


def assert_goes_on(expected, events, step):
    seen, tensors = expected
    started = next(events)
    assert started.n_done == step
    again, became = told(chain([started], events))
    assert again == {key: value for key, value in seen.items() if key[0] > step}
    assert became.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(became[name], tensor), name


def moments(config, sessions):
    """Steps in the body of an epoch, at its end, and in the tail of the next, where rows go."""
    rows = [len(batch) for batch in session_parallel(sessions, config.batch_size)]
    tail = next(step for step, count in enumerate(rows, 1) if count < max(rows))
    assert 3 < tail < len(rows)
    return 3, len(rows), len(rows) + tail


@pytest.mark.parametrize("step", ["plain", "numba"])
@pytest.mark.parametrize("way", WAYS)
def test_a_run_goes_on_bit_for_bit_from_any_moment(way, step, sessions, tmp_path, written_after):
    config = SMALL.with_changes(step=step, **WAYS[way])
    if step == "numba" and way == "feed-forward":
        pytest.skip("the feed-forward cell has no kernel")
    path, steps = tmp_path / "run.safetensors", moments(config, sessions)
    written_after(steps)
    events = train(config, sessions, checkpoint=path)
    expected = told(copies_after(steps, events, path))
    for stopped in steps:
        copy = path.with_stem(f"after {stopped}")
        assert_goes_on(expected, train_from(copy, sessions), stopped)


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_changes_go_on_too_those_before_and_those_to_come(step, sessions, tmp_path, written_after):
    config = SMALL.with_changes(step=step, dropout_p_hidden=0.2)
    first, end, tail = steps = moments(config, sessions)
    changes = [
        ControlChanged(2, "sample_alpha", 0.5, 1.0),
        ControlChanged(3, "momentum", 0.0, 0.4),
        ControlChanged(first + 1, "n_sample", 24, 7),
        ControlChanged(first + 2, "momentum", 0.4, 0.0),
        ControlChanged(first + 4, "logq", 0.0, 0.5),
        ControlChanged(end + 1, "loss", "cross-entropy", "top1"),
        ControlChanged(tail + 2, "n_sample", 7, 40),
        ControlChanged(tail + 2, "learning_rate", 0.1, 0.02),
    ]
    path, controls = tmp_path / "run.safetensors", Controls.of(config, replay=changes)
    written_after(steps)
    events = train(config, sessions, controls=controls, checkpoint=path)
    expected = told(copies_after(steps, events, path))
    assert sum(key[1] in Controls.of(config).settings.__dict__ for key in expected[0]) == 8
    for stopped in steps:
        assert_goes_on(expected, train_from(path.with_stem(f"after {stopped}"), sessions), stopped)


def test_a_change_that_no_step_has_seen_yet_goes_on_too(sessions, tmp_path):
    path, controls = tmp_path / "run.safetensors", Controls.of(SMALL)

    def changed(events):
        for event in events:
            if isinstance(event, Report) and event.step == 5:
                controls.set(n_sample=5)
            yield event

    events = train(SMALL, sessions, controls=controls, checkpoint=path, checkpoint_every=5)
    expected = told(copies_after([5], changed(events), path))
    assert expected[0][6, "n_sample"] == 5
    assert_goes_on(expected, train_from(path.with_stem("after 5"), sessions), 5)


def same_weights(one, other):
    pairs = zip(one.network.parameters(), other.network.parameters(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


def stopped_after(step, events):
    for event in events:
        if isinstance(event, StepDone) and event.step == step:
            events.close()


def test_a_stopped_run_resumed_twice_equals_one_without_checkpoints(sessions, tmp_path):
    path = tmp_path / "run"
    stopped_after(4, train(SMALL, sessions, checkpoint=path, checkpoint_every=3))
    assert next(train_from(path, sessions)).n_done == 3
    stopped_after(20, train_from(path, sessions))
    assert next(train_from(path, sessions)).n_done == 18
    model = resume(path, sessions, progress=False)
    assert same_weights(model, fit(SMALL, sessions, progress=False))
    assert same_weights(model, resume(path, sessions, progress=False))
    assert same_weights(model, load_model(path))


def test_a_checkpoint_is_there_from_the_start_and_at_the_ends_of_epochs(sessions, tmp_path):
    path = tmp_path / "run.safetensors"
    events = train(SMALL, sessions, checkpoint=path)
    n_steps = next(events).n_steps
    written = {0: path.read_bytes()}
    for event in events:
        if isinstance(event, StepDone) and path.read_bytes() not in written.values():
            written[event.step] = path.read_bytes()
    assert list(written) == [0, n_steps, 2 * n_steps]


def test_more_epochs_are_those_of_a_longer_run(sessions, tmp_path):
    fit(SMALL, sessions, checkpoint=tmp_path / "run", progress=False)
    model = resume(tmp_path / "run", sessions, n_epochs=3, progress=False)
    assert same_weights(model, fit(SMALL.with_changes(n_epochs=3), sessions, progress=False))
    assert model.config.n_epochs == 3


def test_patience_goes_on_counting(sessions, later, tmp_path):
    path, config = tmp_path / "run.safetensors", SMALL.with_changes(n_epochs=9, learning_rate=1.0)
    how = {"validation": later, "patience": 2}
    events = train(config, sessions, checkpoint=path, **how)
    n_steps = next(events).n_steps
    steps = [n_steps * epoch for epoch in range(1, 9)]
    model = fit(config, sessions, progress=False, **how)
    ended = [event.step for event in copies_after(steps, events, path) if type(event) is Finished]
    assert ended[0] < 9 * n_steps
    for stopped in range(n_steps, ended[0] + 1, n_steps):
        copy = path.with_stem(f"after {stopped}")
        assert same_weights(resume(copy, sessions, validation=later, progress=False), model)
    for other in (None, sessions):
        with pytest.raises(ValueError, match="was trained on other validation sessions than"):
            resume(path, sessions, validation=other)


def test_other_sessions_are_refused_and_other_numbers_for_the_same_items_are_not(
    sessions, later, tmp_path
):
    stopped_after(9, train(SMALL, sessions, checkpoint=tmp_path / "run", checkpoint_every=9))
    for other in (later, sessions.sample(15)):
        with pytest.raises(
            ValueError, match="was trained on other sessions than .*: give the same"
        ):
            resume(tmp_path / "run", other)
    turned = sessions.with_items(sessions.item_ids[::-1].copy())
    assert turned.items.tolist() != sessions.items.tolist()
    model = resume(tmp_path / "run", turned, progress=False)
    assert same_weights(model, fit(SMALL, sessions, progress=False))


def test_what_is_no_checkpoint_is_refused_with_the_way_out(sessions, tmp_path):
    with pytest.raises(FileNotFoundError, match="no model at .*none.safetensors"):
        resume(tmp_path / "none", sessions)
    path = fit(SMALL, sessions, progress=False).save(tmp_path / "model")
    with pytest.raises(ValueError, match=r"without the state of its training; .*checkpoint=path"):
        resume(path, sessions)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"model.safetensors is damaged"):
        resume(path, sessions)


def test_a_file_that_is_there_is_not_written_over(sessions, tmp_path):
    fit(SMALL, sessions, checkpoint=tmp_path / "run", progress=False)
    with pytest.raises(FileExistsError, match=r"run.safetensors: resume\(path, sessions\) goes on"):
        fit(SMALL, sessions, checkpoint=tmp_path / "run")


def test_every_so_many_steps_needs_a_path_and_a_step(sessions, tmp_path):
    with pytest.raises(ValueError, match="checkpoint_every=5 needs checkpoint="):
        fit(SMALL, sessions, checkpoint_every=5)
    with pytest.raises(ValueError, match="checkpoint_every must be a whole .* 1, got 0"):
        fit(SMALL, sessions, checkpoint=tmp_path / "run", checkpoint_every=0)


def test_a_device_or_a_loss_that_is_not_here_is_named(sessions, tmp_path):
    LOSSES.add("mine", lambda target, negatives: -target)
    path = tmp_path / "run"
    fit(SMALL.with_changes(loss="mine"), sessions, checkpoint=path, progress=False)
    LOSSES.remove("mine")
    with pytest.raises(ValueError, match="unknown loss 'mine'; choose one of"):
        resume(path, sessions)
    tensors, facts = read_model(path)
    facts["run"]["device"] = "cuda:99"
    write_model(path, tensors, facts)
    with pytest.raises(ValueError, match=r"trained on 'cuda:99': no device .*; load_model\(path\)"):
        resume(path, sessions)


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_a_loss_that_fails_leaves_the_checkpoint_before(step, sessions, tmp_path):
    config = SMALL.with_changes(step=step, loss="cross-entropy", report_every=50)
    controls, path = Controls.of(config), tmp_path / "run"
    events = train(config, sessions, controls=controls, checkpoint=path, checkpoint_every=4)
    model = next(events).model

    def failing():
        for event in events:
            if event == StepDone(5, 1):
                controls.learning_rate = 1e38

    with pytest.raises(NonFiniteLoss, match=r"not finite at step [78] .* back at step 4; try"):
        failing()
    assert same_weights(load_model(path), model)
    again = train_from(path, sessions, controls=controls)
    assert next(again).n_done == 4
    with pytest.raises(NonFiniteLoss, match=r"not finite at step [67] .* back at step 4; try"):
        list(again)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the training is forked, to be killed quickly")
def test_a_training_killed_anywhere_goes_on_from_its_last_checkpoint(tmp_path):
    path, command = tmp_path / "run.safetensors", [sys.executable, "-m", "tests.killed"]
    done = subprocess.run(
        [*command, path, "10"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    steps = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert len(steps) == 10
    assert steps == sorted(steps)
    assert steps[-1] > 10
    events = train(killed.CONFIG, killed.sessions())
    model = next(events).model
    stopped_after(steps[-1], events)
    assert same_weights(load_model(path), model)
    next(train_from(path, killed.sessions()))
    assert list(tmp_path.iterdir()) == [path]
