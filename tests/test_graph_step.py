"""The step as a graph against the plain one: on a CPU from a recording, on CUDA from a capture."""

import pytest
import torch

from gru4rec_lab import Config, Controls, LiveRun, load_sessions, train
from gru4rec_lab.batches import Batch
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.training import choice
from gru4rec_lab.training.events import Finished, Report, Started, StepDone
from gru4rec_lab.training.graph_step import KEPT, GraphStep
from tests.recorded import RecordedCapture

SMALL = Config(
    layers=(12,), batch_size=8, n_sample=40, logq=0.8, n_epochs=2, report_every=1, device="cpu"
)
MODES = {
    "constrained": {},
    "separate": {"constrained_embedding": False, "embedding": 5},
    "one-hot": {"constrained_embedding": False},
}
WAYS = {
    "as it is": {},
    "momentum": {"momentum": 0.3},
    "two layers": {"layers": (12, 7)},
    "dropout": {"dropout_p_embed": 0.3, "dropout_p_hidden": 0.2},
    "everything shaped": {"shape_scores": "all", "bpreg": 0.7},
    "exact logq": {"logq_mode": "exact"},
    "mask": {"collisions": "mask"},
    "resample": {"collisions": "resample"},
    "hard": {"sampler": "hard"},
    "no samples": {"n_sample": 0, "logq": 0.0},
    "feed-forward": {"cell": "feed-forward"},
    "one large batch": {"batch_size": 400},
}  # fmt: skip


@pytest.fixture(scope="module")
def cycle():
    return load_sessions("world:cycle", n_sessions=60, seed=1)


@pytest.fixture
def recorded(monkeypatch):
    """Let a CPU have graphs."""
    monkeypatch.setattr(choice, "missing_graph", lambda plain, settings: None)
    monkeypatch.setitem(choice.MISSING, "graph", lambda plain, settings: None)
    monkeypatch.setattr("gru4rec_lab.training.graph_step.CudaCapture", RecordedCapture)
    RecordedCapture.n_captured = 0
    return RecordedCapture


def run(config, sessions, changes=(), **named):
    """Losses and final weights of a training; `changes` maps step numbers to settings."""
    controls, losses = Controls.of(config), []
    changes = dict(changes)
    events = train(config, sessions, controls=controls, **named)
    for event in events:
        if isinstance(event, Started):
            started = event
        if isinstance(event, Report):
            losses.append(event.loss)
        if isinstance(event, Started | StepDone):
            number = getattr(event, "step", 0) if isinstance(event, StepDone) else 0
            controls.set(**changes.get(number + 1, {}))
    weights = {name: w.clone() for name, w in started.model.network.state_dict().items()}
    return started.step, losses, weights


def assert_same_run(config, sessions, changes=()):
    """Bit for bit: the same operations on the same numbers."""
    plain = run(config.with_changes(step="plain"), sessions, changes)
    graph = run(config.with_changes(step="graph"), sessions, changes)
    assert (plain[0], graph[0]) == ("plain", "graph")
    assert len(plain[1]) > 3
    assert graph[1] == plain[1]
    for name, weight in plain[2].items():
        assert torch.equal(graph[2][name], weight), name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_whole_epochs_with_their_tails_equal_the_plain_step(mode, way, cycle, recorded):
    if (mode, way) == ("one-hot", "feed-forward"):
        pytest.skip("there is no such network")
    assert_same_run(SMALL.with_changes(**MODES[mode] | WAYS[way]), cycle)
    assert recorded.n_captured == 1


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", ["as it is", "everything shaped", "exact logq", "mask"])
def test_every_loss_equals_the_plain_step(loss, way, cycle, recorded):
    assert_same_run(SMALL.with_changes(loss=loss, **WAYS[way]), cycle)
    assert recorded.n_captured == 1


def test_strengths_change_without_another_capture(cycle, recorded):
    config = SMALL.with_changes(loss="bpr-max", momentum=0.1, shape_scores="all", n_epochs=1)
    changes = {
        4: {"learning_rate": 0.5},
        7: {"momentum": 0.4, "bpreg": 0.2},
        9: {"elu_param": 1.5, "learning_rate": 0.01},
    }
    assert_same_run(config, cycle, changes)
    assert recorded.n_captured == 1
    xe = SMALL.with_changes(n_epochs=1)
    assert_same_run(xe, cycle, {5: {"logq": 0.3}})
    assert recorded.n_captured == 2


def test_what_is_baked_in_is_captured_again(cycle, recorded):
    changes = {
        3: {"loss": "bpr"}, 5: {"n_sample": 90}, 7: {"momentum": 0.5}, 9: {"loss": "bpr-max"},
        11: {"elu_param": 0.0}, 13: {"momentum": 0.0}, 15: {"n_sample": 0}, 17: {"n_sample": 40},
        19: {"loss": "cross-entropy", "logq": 0.0}, 21: {"logq": 0.5}, 23: {"sample_alpha": 0.9},
    }  # fmt: skip
    assert_same_run(SMALL, cycle, changes)
    assert recorded.n_captured == 1 + len(changes)


def test_a_setting_that_comes_back_is_not_captured_again_while_it_is_kept(cycle, recorded):
    assert_same_run(SMALL, cycle, {4: {"n_sample": 41}, 7: {"n_sample": 40}, 9: {"n_sample": 41}})
    assert recorded.n_captured == 2
    dragged = {step: {"n_sample": 40 + step} for step in range(2, 2 + KEPT)}
    assert_same_run(SMALL, cycle, dragged | {2 + KEPT: {"n_sample": 40}})
    assert recorded.n_captured == 2 + 1 + KEPT + 1


def test_changes_are_replayed_bit_for_bit(cycle, recorded):
    config = SMALL.with_changes(step="graph", dropout_p_hidden=0.3, sampler="hard", n_epochs=1)
    first = LiveRun(train(config, cycle, controls=(controls := Controls.of(config))))
    assert controls is not None and first is not None


def test_a_loss_that_cannot_be_captured_trains_by_the_plain_step_and_says_so(cycle, recorded):
    def asks(target, negatives):
        return (negatives - target[:, None]).square().mean(dim=1) * float(negatives.sum() < 1e9)

    LOSSES.add("asks", asks)
    try:
        config = SMALL.with_changes(loss="asks", n_epochs=1)
        plain = run(config.with_changes(step="plain"), cycle)
        with pytest.warns(RuntimeWarning, match="no CUDA graph for these settings .*capturing"):
            graph = run(config.with_changes(step="graph"), cycle)
        assert graph[1] == plain[1]
    finally:
        LOSSES.remove("asks")
