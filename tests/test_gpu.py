"""What a step must not do, so that a GPU never waits for Python: seen on a CPU, tried on CUDA."""

import pytest
import torch

from gru4rec_lab import Config, load_sessions, train
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.training.events import StepDone
from tests.watching import Watch

# Each makes the CPU wait for the device, or gives a shape that only the device knows.
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "unique", "_unique2", "equal", "item"}
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


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=60, seed=1)


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


def waits(operations):
    return {operation.name for operation in operations} & WAITS


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_no_step_asks_the_device_for_a_number(sessions, changes):
    for operations in steps_of(SMALL.with_changes(**changes), sessions, 3):
        assert len(operations) > 30
        assert waits(operations) == set()


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_asks_the_device_for_a_number(sessions, loss):
    (operations,) = steps_of(SMALL.with_changes(loss=loss), sessions, 1)
    assert waits(operations) == set()


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
    ],
)
def test_asking_the_device_is_seen(ask, name):
    values = torch.ones(3)
    with Watch() as watch:
        ask(values)
    assert waits(watch.operations) == {name}


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_in_the_body_of_an_epoch_all_shapes_are_the_same_from_step_to_step(sessions, changes):
    """A CUDA graph can then hold a step; only the tail has fewer rows."""
    first, *others = steps_of(SMALL.with_changes(**changes), sessions, 5)
    assert all(other == first for other in others)


def test_the_tail_has_other_shapes(sessions):
    n_steps = next(train(SMALL, sessions)).n_steps
    steps = steps_of(SMALL, sessions, n_steps - 2)
    assert steps[-1] != steps[0]


@pytest.fixture
def cuda():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device; these tests run where there is one")
    torch.cuda.set_sync_debug_mode("error")
    yield torch.device("cuda")
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_cuda_steps_do_not_synchronise(sessions, cuda, changes):
    torch.cuda.set_sync_debug_mode("default")
    events = train(SMALL.with_changes(device="cuda", **changes), sessions)
    _take(events, 2)
    torch.cuda.set_sync_debug_mode("error")
    _take(events, 20)


@pytest.mark.gpu
def test_schedule_samples_and_model_are_on_the_gpu(sessions, cuda):
    torch.cuda.set_sync_debug_mode("default")
    started = next(train(SMALL.with_changes(device="cuda"), sessions))
    assert started.device.startswith("cuda")
    assert {weight.device.type for weight in started.model.network.parameters()} == {"cuda"}
