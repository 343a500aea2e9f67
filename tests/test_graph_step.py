"""The step as a graph against the plain one: on a CPU from a recording, on CUDA from a capture."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gru4rec_lab import Config, Controls, load_sessions, train, train_from
from gru4rec_lab.batches import session_parallel
from gru4rec_lab.device import generator
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.recommender import network_of
from gru4rec_lab.training import choice, graph_step
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.events import Report, Started, StepDone
from gru4rec_lab.training.graph_step import KEPT, GraphStep
from gru4rec_lab.training.step import Step
from tests.recorded import RecordedCapture
from tests.test_numba_step import plain_step

ROOT = Path(__file__).parents[1]
SMALL = Config(layers=(12,), batch_size=8, n_sample=40, logq=0.8, n_epochs=2, report_every=1)
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
    return load_sessions("world:cycle", n_sessions=40, seed=1)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def graphs(request, monkeypatch):
    """Where graphs are tried: `graphs.n_captured` counts them, `graphs.device` is the device."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device; these tests run where there is one")
        capture = graph_step.CudaCapture
    else:
        capture = RecordedCapture
        monkeypatch.setitem(choice.MISSING, "graph", lambda plain, settings: None)

    class Counting(capture):
        n_captured, device = 0, request.param

        def __call__(self, work):
            Counting.n_captured += 1
            return super().__call__(work)

    monkeypatch.setattr(graph_step, "CudaCapture", Counting)
    return Counting


def at(graphs, **changes):
    return SMALL.with_changes(device=graphs.device, **changes)


def run(config, sessions, changes=()):
    """Step's name, losses and weights of a training; `changes`: step numbers to settings."""
    controls, losses, changes = Controls.of(config), [], dict(changes)
    for event in train(config, sessions, controls=controls):
        match event:
            case Started():
                started = event
                controls.set(**changes.get(1, {}))
            case Report():
                losses.append(event.loss)
            case StepDone():
                controls.set(**changes.get(event.step + 1, {}))
    return started.step, losses, started.model.network.state_dict()


def assert_same_run(config, sessions, changes=()):
    """Bit for bit: the same operations on the same numbers."""
    assert_equal(*(run(config.with_changes(step=s), sessions, changes) for s in ("plain", "graph")))


def assert_equal(first, second):
    assert len(first[1]) > 3
    assert second[1] == first[1]
    for name, weight in first[2].items():
        assert torch.equal(second[2][name], weight), name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_whole_epochs_with_their_tails_equal_the_plain_step(mode, way, cycle, graphs):
    if (mode, way) == ("one-hot", "feed-forward"):
        pytest.skip("there is no such network")
    assert_same_run(at(graphs, **MODES[mode] | WAYS[way]), cycle)
    assert graphs.n_captured == 1


def test_a_run_resumed_anywhere_equals_the_plain_one(cycle, graphs, tmp_path):
    config = at(graphs, dropout_p_hidden=0.2, momentum=0.1)
    _, losses, weights = run(config.with_changes(step="plain"), cycle)
    rows = [len(batch) for batch in session_parallel(cycle, config.batch_size)]
    tail = next(step for step, count in enumerate(rows, 1) if count < rows[0])
    same = next(step for step in range(tail, len(rows)) if rows[step] == rows[step - 1])
    for stopped in {3, tail - 1, tail, same, len(rows), len(rows) + 3}:
        path, config = tmp_path / str(stopped), config.with_changes(step="graph")
        for event in train(config, cycle, checkpoint=path, checkpoint_every=stopped):
            if isinstance(event, StepDone) and event.step == stopped:
                break
        before, events = graphs.n_captured, train_from(path, cycle)
        model = next(events).model
        assert [e.loss for e in events if isinstance(e, Report)] == losses[stopped:]
        for name, weight in weights.items():
            assert torch.equal(model.network.state_dict()[name], weight), name
        assert graphs.n_captured > before


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", ["as it is", "everything shaped", "exact logq", "mask"])
def test_every_loss_equals_the_plain_step(loss, way, cycle, graphs):
    assert_same_run(at(graphs, loss=loss, **WAYS[way]), cycle)
    assert graphs.n_captured == 1


def test_strengths_change_without_another_capture(cycle, graphs):
    config = at(graphs, loss="bpr-max", momentum=0.1, shape_scores="all", n_epochs=1)
    changes = {
        4: {"learning_rate": 0.5},
        7: {"momentum": 0.4, "bpreg": 0.2},
        9: {"elu_param": 1.5, "learning_rate": 0.01},
    }
    assert_same_run(config, cycle, changes)
    assert graphs.n_captured == 1
    xe = at(graphs, n_epochs=1)
    assert_same_run(xe, cycle, {5: {"logq": 0.3}})
    assert graphs.n_captured == 2


def test_what_is_baked_in_is_captured_again(cycle, graphs):
    changes = {
        3: {"loss": "bpr"}, 5: {"n_sample": 90}, 7: {"momentum": 0.5}, 9: {"loss": "bpr-max"},
        11: {"elu_param": 0.0}, 13: {"momentum": 0.0}, 15: {"n_sample": 0}, 17: {"n_sample": 40},
        19: {"loss": "cross-entropy", "logq": 0.0}, 21: {"logq": 0.5}, 23: {"sample_alpha": 0.9},
    }  # fmt: skip
    assert_same_run(at(graphs), cycle, changes)
    assert graphs.n_captured == 1 + len(changes)


def test_a_momentum_that_was_there_once_is_not_forgotten(cycle, graphs):
    assert_same_run(at(graphs, n_epochs=1), cycle, {4: {"momentum": 0.5}, 7: {"momentum": 0.0}})
    assert graphs.n_captured == 3


def test_a_setting_that_comes_back_is_not_captured_again_while_it_is_kept(cycle, graphs):
    assert_same_run(
        at(graphs), cycle, {4: {"n_sample": 41}, 7: {"n_sample": 40}, 9: {"n_sample": 41}}
    )
    assert graphs.n_captured == 2
    dragged = {step: {"n_sample": 40 + step} for step in range(2, 2 + KEPT)}
    assert_same_run(at(graphs), cycle, dragged | {2 + KEPT: {"n_sample": 40}})
    assert graphs.n_captured == 2 + 1 + KEPT + 1


@pytest.mark.parametrize("changes", [{}, {3: {"loss": "bpr"}, 9: {"n_sample": 17}}])
def test_the_same_seed_and_changes_are_the_same_run(changes, cycle, graphs):
    config = at(graphs, dropout_p_hidden=0.3, sampler="hard", step="graph")
    assert_equal(run(config, cycle, changes), run(config, cycle, changes))


def test_weights_that_were_moved_away_are_found_again(cycle, graphs):
    config = at(graphs, n_epochs=1)
    runs = []
    for step in ("plain", "graph"):
        events = train(config.with_changes(step=step), cycle)
        network = next(events).model.network
        for event in events:
            if isinstance(event, StepDone) and event.step == 5:
                network.items.data = network.items.data.clone()
        runs.append(network.items)
    assert torch.equal(*runs)
    assert graphs.n_captured == 2


def test_a_hidden_state_that_was_read_does_not_change(cycle, graphs):
    step, batch, settings = step_of(graphs, cycle)
    for _ in range(3):
        step(*batch, settings)
    (seen,) = step.hidden
    kept = seen.clone()
    step(*batch, settings)
    assert torch.equal(seen, kept)
    assert not torch.equal(step.hidden[0], kept)


def test_a_new_epoch_forgets_the_hidden_state(cycle, graphs):
    step, batch, settings = step_of(graphs, cycle)
    for _ in range(3):
        step(*batch, settings)
    step.begin_epoch()
    assert not step.hidden[0].any()


def test_a_loss_that_was_returned_does_not_change(cycle, graphs):
    step, batch, settings = step_of(graphs, cycle)
    losses = [step(*batch, settings) for _ in range(4)]
    assert len({float(loss) for loss in losses}) == 4


def test_from_a_loss_on_that_is_not_finite_the_weights_stand_still(cycle, graphs):
    step, batch, settings = step_of(graphs, cycle)
    for _ in range(3):
        step(*batch, settings)
    with torch.no_grad():
        step.network.items[batch[0].targets] = torch.inf
    before = {name: w.clone() for name, w in step.network.state_dict().items()}
    for _ in range(2):
        assert not torch.isfinite(step(*batch, settings))
    assert (bool(step.finite), int(step.n_finite)) == (False, 3)
    assert all(torch.equal(w, before[name]) for name, w in step.network.state_dict().items())


def step_of(graphs, sessions):
    """A graph step, a batch with its samples, and settings."""
    config = at(graphs, step="graph")
    network = network_of(config, sessions.n_items, generator(0, "weights")).to(graphs.device)
    plain = Step(
        network, torch.from_numpy(sessions.support), batch_size=8,
        generator=generator(0, "dropout", graphs.device),
    )  # fmt: skip
    batch = session_parallel(sessions, 8, graphs.device)[0]
    negatives = torch.arange(40, device=graphs.device) % sessions.n_items
    return GraphStep(plain), (batch, negatives), Settings.of(config)


def asks(target, negatives):
    """A loss that asks the device for a number, which no graph can hold."""
    return (negatives - target[:, None]).square().mean(dim=1) * float(negatives.sum() < 1e9)


def test_a_loss_that_cannot_be_captured_trains_as_it_is_and_says_so(cycle, graphs):
    LOSSES.add("asks", asks)
    try:
        config = at(graphs, loss="asks", n_epochs=1)
        plain = run(config.with_changes(step="plain"), cycle)
        with pytest.warns(RuntimeWarning, match="no CUDA graph for these settings .*capturing"):
            graph = run(config.with_changes(step="graph"), cycle)
        assert_equal(plain, graph)
    finally:
        LOSSES.remove("asks")


def test_a_graph_that_memory_does_not_hold_is_done_without(cycle, graphs, monkeypatch):
    def full(self, work):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore words")

    config = at(graphs, n_epochs=1)
    plain = run(config.with_changes(step="plain"), cycle)
    monkeypatch.setattr(graphs, "__call__", full)
    with pytest.warns(
        RuntimeWarning, match=r"settings \(CUDA out of memory. .* 2 GiB\); the plain"
    ):
        graph = run(config.with_changes(step="graph"), cycle)
    assert_equal(plain, graph)


@pytest.mark.parametrize("step", ["graph", "compiled"])
def test_no_graph_without_cuda(step, cycle):
    config = SMALL.with_changes(step=step, device="cpu")
    refusal = f"step='{step}' is not possible: a CUDA graph runs on CUDA, not on cpu; step='auto' t"
    with pytest.raises(ValueError, match=refusal):
        train(config, cycle)


@pytest.mark.parametrize(
    ("found", "programs", "why"),
    [
        (None, ["cc"], "torch.compile needs triton on CUDA, which is not installed"),
        ("triton", [], "torch.compile finds no C compiler"),
        ("triton", ["gcc"], None),
    ],
)
def test_compiling_asks_for_a_compiler(found, programs, why, cycle, monkeypatch):
    monkeypatch.setattr(graph_step, "missing_graph", lambda plain, settings: None)
    monkeypatch.setattr(graph_step, "find_spec", lambda name: found)
    monkeypatch.setattr(graph_step.shutil, "which", lambda name: name if name in programs else None)
    plain = plain_step(SMALL.with_changes(device="cpu"), cycle)
    assert graph_step.missing_compiler(plain, Settings.of(SMALL)) == why


# In a process of its own, where nobody checks shapes: torch.compile cannot look through that.
COMPILED = """
from gru4rec_lab import load_sessions
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.graph_step import GraphStep
from tests.test_graph_step import SMALL
from tests.test_numba_step import assert_same_loss, assert_same_state, batches, plain_step
sessions = load_sessions("world:cycle", n_sessions=60, seed=1)
config = SMALL.with_changes(loss="bpr-max", momentum=0.3, dropout_p_hidden=0.2, device="cpu")
plain, other = plain_step(config, sessions), plain_step(config, sessions)
step = GraphStep(other, compiled=True, capture=lambda work: work)
for batch, negatives in batches(config, sessions):
    want = plain(batch, negatives, Settings.of(config))
    assert_same_loss(step(batch, negatives, Settings.of(config)), want)
assert_same_state(plain, step)
print(step.name, "equal")
"""


@pytest.mark.slow
def test_compiled_steps_equal_the_plain_ones_to_rounding():
    if not shutil.which("g++"):
        pytest.skip("no C++ compiler, without which torch compiles nothing on a CPU")
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "compiled equal\n", done.stderr
