"""What a step must not do, so that a GPU never waits for Python: seen on a CPU, tried on CUDA."""

import warnings
from contextlib import contextmanager

import pytest
import torch

from gru4rec_lab import Config, load_sessions, train
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.training.events import StepDone
from tests.watching import Watch, names_inside

# Each makes the CPU wait for the device, or gives a shape that only the device knows.
WAITS = {
    "_local_scalar_dense", "nonzero", "masked_select", "_unique", "_unique2", "equal", "item",
}  # fmt: skip
# These copy to the CPU; on a CPU they leave no trace among the operations.
FETCHES = ("cpu", "numpy", "tolist", "item", "__bool__", "__int__", "__float__", "__index__")
SMALL = Config(layers=(8,), batch_size=8, n_sample=16, n_epochs=1, step="plain", device="cpu",
               report_every=10**9)  # fmt: skip
WAYS = {
    "plain": {},
    "exact logq": {"logq": 1.0, "logq_mode": "exact"},
    "official logq": {"logq": 1.0},
    "mask": {"collisions": "mask"},
    "resample": {"collisions": "resample"},
    "hard": {"sampler": "hard"},
    "dropout, momentum": {"dropout_p_embed": 0.2, "dropout_p_hidden": 0.2, "momentum": 0.2},
    "one-hot": {"constrained_embedding": False},
    "separate": {"constrained_embedding": False, "embedding": 4, "layers": (8, 6)},
    "feed-forward": {"cell": "feed-forward"},
}
# Operations change with the sizes: torch.isin sorts from some 36 targets on.
SIZES = {f"batch {b}, {n} samples": {"batch_size": b, "n_sample": n}
         for b, n in ((8, 16), (80, 2048), (128, 512), (512, 64))}  # fmt: skip


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=60, seed=1)


@pytest.fixture(scope="module")
def many_sessions():
    return load_sessions("world:cycle", n_sessions=800, n_items=300, seed=1)


def steps_of(config, sessions, n):
    """The operations of steps 3 to n + 2, a list a step; the first two make what is made once."""
    events, steps = train(config, sessions), []
    _take(events, 2)
    for _ in range(n):
        with Watch() as watch:
            _take(events, 1)
        steps.append(watch.operations)
    return steps


def _take(events, n):
    while n:
        n -= isinstance(next(events), StepDone)


def waits_of_a_step(config, sessions):
    """What the third step does that waits for the device."""
    events = train(config, sessions)
    _take(events, 2)
    with names_inside() as names:
        _take(events, 1)
    assert len(names) > 30
    return names & WAITS


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_no_step_asks_the_device_for_a_number(many_sessions, changes, size):
    assert waits_of_a_step(SMALL.with_changes(**changes, **size), many_sessions) == set()


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_asks_the_device_for_a_number(many_sessions, loss):
    config = SMALL.with_changes(loss=loss, batch_size=128, n_sample=512)
    assert waits_of_a_step(config, many_sessions) == set()


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_no_step_fetches_a_tensor(sessions, changes, monkeypatch):
    events = train(SMALL.with_changes(**changes), sessions)
    _take(events, 2)
    for name in FETCHES:
        monkeypatch.setattr(torch.Tensor, name, refuse)
    with pytest.raises(AssertionError, match="fetched"):
        torch.ones(1).cpu()
    _take(events, 3)


def refuse(tensor, *arguments, **named):
    raise AssertionError(f"fetched a tensor of shape {list(tensor.shape)}")


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda values: values.sum().item(), "_local_scalar_dense"),
        (lambda values: bool(values.isfinite().all()), "_local_scalar_dense"),
        (lambda values: values.nonzero(), "nonzero"),
        (lambda values: values.unique(), "_unique2"),
        (lambda values: torch.isin(values, torch.ones(80)), "_unique"),
    ],
)
def test_asking_the_device_is_seen(ask, name):
    values = torch.ones(300)
    with names_inside() as names:
        ask(values)
    assert name in names & WAITS


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_in_the_body_of_an_epoch_all_shapes_are_the_same_from_step_to_step(sessions, changes):
    """A CUDA graph can then hold a step; only the tail has fewer rows."""
    first, *others = steps_of(SMALL.with_changes(**changes), sessions, 5)
    assert all(other == first for other in others)


def test_the_tail_has_other_shapes(sessions):
    n_steps = next(train(SMALL, sessions)).n_steps
    steps = steps_of(SMALL, sessions, n_steps - 2)
    assert steps[-1] != steps[0]


@contextmanager
def waits_refused():
    """A step that waits for CUDA raises inside."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Synchronization debug mode is a prototype")
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_cuda_steps_do_not_synchronise(many_sessions, changes, size):
    config = SMALL.with_changes(device="cuda", **changes, **size)
    events = train(config, many_sessions)
    _take(events, 2)
    with waits_refused():
        # Within an epoch, which ends with a report; 2,048 samples are drawn again in 60 steps.
        _take(events, 60 if size["n_sample"] == 2048 else 18)


@pytest.mark.gpu
def test_waiting_for_cuda_is_refused():
    values = torch.ones(3, device="cuda")
    with waits_refused(), pytest.raises(RuntimeError, match="synchroniz"):
        values.sum().item()


@pytest.mark.gpu
def test_schedule_samples_and_model_are_on_the_gpu(sessions):
    started = next(train(SMALL.with_changes(device="cuda"), sessions))
    assert started.device.startswith("cuda")
    assert {weight.device.type for weight in started.model.network.parameters()} == {"cuda"}
