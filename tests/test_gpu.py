"""A step on a GPU: it never waits, does what it does on a CPU, and does it again bit for bit.

That it does not wait is seen on a CPU too; tests marked `gpu` need CUDA.
"""

import warnings
from contextlib import contextmanager
from unittest.mock import patch

import pytest
import torch

from gru4rec_lab import (
    LOSSES,
    Config,
    ControlChanged,
    Controls,
    LiveRun,
    Report,
    Sampler,
    StepDone,
    evaluate,
    fit,
    load_sessions,
    loss_and_gradient,
    network_of,
    popularity_weight,
    session_parallel,
    train,
)
from gru4rec_lab.device import best_device, generator
from gru4rec_lab.sampling import first_without, hardest
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.optim import Adagrad
from gru4rec_lab.training.run import NonFiniteLoss
from gru4rec_lab.training.step import Step
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


@pytest.mark.gpu
def test_auto_takes_cuda_and_the_plain_step(sessions):
    with patch("gru4rec_lab.device.best_device", best_device):  # in other tests it is the CPU
        started = next(train(SMALL.with_changes(device="auto", step="auto"), sessions))
    assert (started.device, started.step) == ("cuda", "plain")


def made_step(config, sessions, device, dtype):
    network = network_of(config, sessions.n_items, generator(0, "weights")).to(device, dtype)
    return Step(
        network,
        torch.from_numpy(sessions.support),
        batch_size=config.batch_size,
        shape_scores=config.shape_scores,
        logq_mode=config.logq_mode,
        mask_collisions=config.collisions == "mask",
    )


def picked(config, step, batch, pool):
    """The negatives that `NegativeSampler` would pick from this pool."""
    if config.sampler == "hard":
        return hardest(pool, step.scores_of(batch, pool), batch.targets, config.n_sample)
    if config.collisions == "resample":
        return first_without(pool, batch.targets, config.n_sample)
    return pool[: config.n_sample]


STEPS = {name: changes for name, changes in WAYS.items() if "dropout" not in name} | {
    "momentum": {"momentum": 0.3},
    "no samples": {"n_sample": 0},
    "all shaped": {"shape_scores": "all", "bpreg": 0.5, "elu_param": 0.5},
    **{name: {"loss": name} for name in LOSSES},
}


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("changes", STEPS.values(), ids=STEPS)
def test_steps_on_cuda_are_those_of_a_cpu(sessions, changes, dtype):
    """An epoch in float64; in float32 five steps, since Adagrad magnifies what is rounded."""
    config = SMALL.with_changes(n_sample=40, learning_rate=0.1).with_changes(**changes)
    here, there = (made_step(config, sessions, device, dtype) for device in ("cpu", "cuda"))
    schedules = [session_parallel(sessions, 8, device) for device in ("cpu", "cuda")]
    weight, settings = (
        popularity_weight(torch.from_numpy(sessions.support), 0.5),
        Settings.of(config),
    )
    sampler = Sampler(weight, generator=generator(0, "negatives"))
    within = {} if dtype == torch.float64 else {"rtol": 2e-3, "atol": 2e-4}
    for number in range(len(schedules[0]) if dtype == torch.float64 else 5):
        pool, losses = sampler.draw(4 * config.n_sample), []
        for step, schedule in zip((here, there), schedules, strict=True):
            batch = schedule[number]
            negatives = picked(config, step, batch, pool.to(batch.targets.device))
            losses.append(step(batch, negatives, settings).cpu())
        torch.testing.assert_close(*losses, **within)
    for mine, theirs in zip(here.network.parameters(), there.network.parameters(), strict=True):
        torch.testing.assert_close(theirs.cpu(), mine, **within)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("spread", [1.0, 30.0, 3000.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_on_cuda_are_those_of_a_cpu_at_any_spread(loss, spread, dtype):
    random = torch.Generator().manual_seed(1)
    scores = spread * torch.randn(32, 500, generator=random, dtype=dtype)
    absent = torch.rand(32, 500, generator=random) < 0.1
    tight = 1e-9 if dtype == torch.float64 else 2e-5
    for bpreg, elu_param, gone in ((0.0, 0.0, None), (0.7, 0.5, None), (0.0, 0.0, absent)):
        how = {"bpreg": bpreg, "elu_param": elu_param}
        want = loss_and_gradient(scores, LOSSES[loss], absent=gone, **how)
        gone = gone if gone is None else gone.cuda()
        got = loss_and_gradient(scores.cuda(), LOSSES[loss], absent=gone, **how)
        for mine, theirs in zip(want, got, strict=True):
            scale = max(1.0, float(mine.abs().max()))
            torch.testing.assert_close(theirs.cpu(), mine, rtol=10 * tight, atol=tight * scale)


@pytest.mark.gpu
@pytest.mark.parametrize("momentum", [0.0, 0.4])
def test_adagrad_on_cuda_adds_repeated_rows_as_a_cpu_does(momentum):
    random = torch.Generator().manual_seed(3)
    table = torch.randn(500, 32, generator=random, dtype=torch.float64)
    here, there = Adagrad({"t": table.clone()}), Adagrad({"t": table.cuda()})
    for _ in range(20):
        rows = (torch.rand(3000, generator=random) ** 4 * 500).long()
        gradient = torch.randn(3000, 32, generator=random, dtype=torch.float64)
        here.update_rows("t", rows, gradient.clone(), lr=0.1, momentum=momentum)
        there.update_rows("t", rows.cuda(), gradient.cuda(), lr=0.1, momentum=momentum)
    torch.testing.assert_close(there.parameters["t"].cpu(), here.parameters["t"])
    torch.testing.assert_close(there.accumulated["t"].cpu(), here.accumulated["t"])


@pytest.mark.gpu
def test_samples_on_cuda_follow_the_weights_and_repeat_with_the_seed():
    support = torch.randint(0, 1000, (37_000,), generator=torch.Generator().manual_seed(0))
    weight, drawn = popularity_weight(support, 0.5), []
    for _ in range(2):
        draws = Sampler(weight, generator=generator(5, "negatives", "cuda"), device="cuda")
        drawn.append(draws.draw(4_000_000).cpu())
    assert torch.equal(*drawn)
    count, expected = torch.bincount(drawn[0], minlength=37_000), weight / weight.sum() * 4_000_000
    assert count[weight == 0].sum() == 0
    some = weight > 0
    chi_square = ((count - expected)[some].square() / expected[some]).sum() / some.sum()
    assert 0.96 < chi_square < 1.04


@pytest.mark.gpu
def test_float32_products_are_not_rounded_to_tf32():
    values = torch.randn(512, 512, generator=torch.Generator().manual_seed(0))
    got, want = (values.cuda() @ values.cuda()).cpu().double(), values.double() @ values.double()
    assert (got - want).norm() / want.norm() < 1e-5


RUNS = WAYS | {"bpr-max": {"loss": "bpr-max", "n_sample": 256}, "batch 128": {"batch_size": 128}}
CUDA = SMALL.with_changes(
    device="cuda", batch_size=32, n_sample=64, learning_rate=0.1, report_every=5
)


def what_a_run_leaves(config, sessions, **how):
    """Its reports and, at the end, its weights."""
    started, *events = train(config, sessions, **how)
    reports = [event.loss for event in events if isinstance(event, Report)]
    changes = [event for event in events if isinstance(event, ControlChanged)]
    weights = [weight.detach().cpu() for weight in started.model.network.parameters()]
    return reports, changes, weights


def assert_equal_to_the_last_bit(one, other):
    assert one[0] == other[0]
    assert all(map(torch.equal, one[2], other[2]))


@pytest.mark.gpu
@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_on_cuda_the_same_config_gives_the_same_run_bit_for_bit(many_sessions, changes):
    config = CUDA.with_changes(**changes)
    runs = [what_a_run_leaves(config, many_sessions) for _ in range(2)]
    assert_equal_to_the_last_bit(*runs)


@pytest.mark.gpu
def test_on_cuda_a_run_with_changes_is_repeated_by_its_replay(many_sessions):
    controls = Controls.of(CUDA)
    run = LiveRun(train(CUDA, many_sessions, controls=controls))
    run.start()
    controls.set(loss="bpr-max", n_sample=128, sample_alpha=1.0, momentum=0.2)
    assert run.wait(60)
    assert (run.state, run.error) == ("finished", None)
    events = run.poll()
    replay = [event for event in events if isinstance(event, ControlChanged)]
    again = what_a_run_leaves(CUDA, many_sessions, controls=Controls.of(CUDA, replay=replay))
    assert again[0] == [event.loss for event in events if isinstance(event, Report)]


@pytest.mark.gpu
@pytest.mark.parametrize("way", ["plain", "hard", "resample", "dropout, momentum", "one-hot"])
def test_on_cuda_a_model_learns_the_cycle(way):
    sessions, test_set = load_sessions(
        "world:cycle", n_sessions=1500, n_items=60, seed=1
    ).split_last(fraction=0.2)
    config = CUDA.with_changes(layers=(24,), batch_size=32, n_epochs=3).with_changes(**WAYS[way])
    model = fit(config, sessions, validation=test_set, patience=2, progress=False)
    assert evaluate(model, test_set).recall[1] > 0.9


@pytest.mark.gpu
def test_on_cuda_a_loss_that_explodes_is_told_and_the_weights_go_back(sessions):
    events = train(CUDA.with_changes(loss="top1", learning_rate=1e38), sessions)
    model = next(events).model
    with pytest.raises(NonFiniteLoss, match="not finite at step"):
        list(events)
    assert all(weight.isfinite().all() for weight in model.network.parameters())
