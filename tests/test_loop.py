import itertools

import pytest
import torch

from gru4rec_lab import Config, Controls, evaluate, fit, load_sessions, train
from gru4rec_lab.training.controls import ControlChanged
from gru4rec_lab.training.events import EpochDone, Finished, Observed, Report, Started, StepDone
from gru4rec_lab.training.loop import NonFiniteLoss, observed

SMALL = Config(layers=(16,), batch_size=16, n_sample=32, learning_rate=0.1, n_epochs=2)


@pytest.fixture(scope="module")
def cycle():
    return load_sessions("world:cycle", n_sessions=400, seed=1).split_last(fraction=0.2)


def losses(events):
    return [event.loss for event in events if isinstance(event, Report)]


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bpr-max", "cross-entropy", "top1-max"])
def test_a_trained_model_knows_the_next_item_of_the_oracle_world(loss):
    train_set, test_set = load_sessions("world:cycle", n_sessions=3000).split_last(fraction=0.1)
    config = Config(
        loss=loss, layers=(32,), batch_size=32, n_sample=64, learning_rate=0.1, n_epochs=3
    )
    assert evaluate(fit(config, train_set), test_set).recall[1] > 0.99


def test_events_come_in_order(cycle):
    events = list(train(SMALL.with_changes(report_every=7), cycle[0], validation=cycle[1]))
    steps = [event.step for event in events if isinstance(event, StepDone)]
    n_steps = events[0].n_steps
    assert isinstance(events[0], Started)
    assert steps == list(range(1, 2 * n_steps + 1))
    ends = [event for event in events if isinstance(event, EpochDone)]
    assert [(end.step, end.epoch) for end in ends] == [(n_steps, 1), (2 * n_steps, 2)]
    assert ends[0].evaluation.n_targets == cycle[1].n_clicks - cycle[1].n_sessions
    assert events[-1] == Finished(2 * n_steps, 2)


def test_reports_count_every_click_once(cycle):
    events = list(train(SMALL, cycle[0]))
    clicks = sum(event.clicks for event in events if isinstance(event, Report))
    assert clicks == 2 * (cycle[0].n_clicks - cycle[0].n_sessions)


def test_the_same_seed_gives_the_same_run_bit_for_bit(cycle):
    assert losses(train(SMALL, cycle[0])) == losses(train(SMALL, cycle[0]))


def test_another_seed_gives_another_run(cycle):
    assert losses(train(SMALL, cycle[0])) != losses(train(SMALL.with_changes(seed=1), cycle[0]))


def test_torchs_global_generator_plays_no_part(cycle):
    state = torch.get_rng_state()
    first = losses(train(SMALL, cycle[0]))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert losses(train(SMALL, cycle[0])) == first


def test_a_changed_control_is_an_event_and_replays_exactly(cycle):
    controls = Controls.of(SMALL)
    events = []
    for event in train(SMALL, cycle[0], controls=controls):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 11:
            controls.set(loss="bpr-max", n_sample=8, sample_alpha=1.0)
    changes = [event for event in events if isinstance(event, ControlChanged)]
    assert {(change.step, change.name) for change in changes} == {
        (12, "loss"),
        (12, "n_sample"),
        (12, "sample_alpha"),
    }
    again = train(SMALL, cycle[0], controls=Controls.of(SMALL, replay=changes))
    assert losses(again) == losses(events)
    assert losses(train(SMALL, cycle[0])) != losses(events)


def test_a_hopeless_learning_rate_stops_the_run_and_leaves_a_usable_model(cycle):
    config = SMALL.with_changes(loss="cross-entropy", learning_rate=1e38, n_sample=8)
    events = train(config, cycle[0])
    model = next(events).model
    with pytest.raises(
        NonFiniteLoss, match="cross-entropy loss is not finite at step .* learning_rate 1e"
    ):
        list(events)
    assert all(weight.isfinite().all() for weight in model.network.parameters())
    assert evaluate(model, cycle[1]).n_targets > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"sampler": "uniform"},
        {"sampler": "log-uniform"},
        {"sampler": "hard"},
        {"collisions": "mask"},
        {"collisions": "resample"},
        {"logq": 1.0},
        {"logq": 1.0, "logq_mode": "exact"},
        {"constrained_embedding": False},
        {"constrained_embedding": False, "embedding": 8},
        {"layers": (16, 12), "constrained_embedding": False, "embedding": 8},
        {"dropout_p_embed": 0.3, "dropout_p_hidden": 0.2, "momentum": 0.3},
        {"loss": "bpr", "shape_scores": "all"},
        {"cell": "feed-forward"},
    ],
    ids=str,
)
def test_every_way_to_sample_and_to_embed_trains(cycle, changes):
    history = losses(train(SMALL.with_changes(**changes), cycle[0]))
    assert history[-1] < history[0]
    assert losses(train(SMALL.with_changes(**changes), cycle[0])) == history


@pytest.mark.parametrize("n_sample", [0, 1000])
def test_no_samples_and_more_samples_than_items_both_train(cycle, n_sample):
    history = losses(train(SMALL.with_changes(n_sample=n_sample), cycle[0]))
    assert history[-1] < history[0]


def test_more_slots_than_sessions_train(cycle):
    few = cycle[0].sample(10)
    assert losses(train(SMALL.with_changes(batch_size=64), few))


def test_a_session_set_of_one_click_sessions_is_refused_before_training(cycle):
    single = cycle[0]._keep(~(cycle[0].session_of_click >= 0), "all")
    with pytest.raises(ValueError, match="there are no sessions"):
        train(SMALL, single)


def test_an_observer_sees_the_model_at_the_start_every_so_often_and_at_epoch_ends(cycle):
    events = observed(train(SMALL, cycle[0]), 10, lambda model: model.network.items.sum().item())
    seen = [event for event in events if isinstance(event, Observed)]
    n_steps = next(train(SMALL, cycle[0])).n_steps
    at = [event.step for event in seen]
    assert at[0] == 0
    assert set(range(10, 2 * n_steps, 10)) <= set(at)
    assert n_steps in at
    assert len({event.value for event in seen}) > 2


def test_an_observer_sees_the_first_step_after_a_change(cycle):
    controls, seen = Controls.of(SMALL), []
    for event in observed(train(SMALL, cycle[0], controls=controls), 1000, lambda model: None):
        if isinstance(event, StepDone) and event.step == 7:
            controls.set(n_sample=3, loss="top1")
        if isinstance(event, Observed):
            seen.append(event.step)
    assert seen[:2] == [0, 8]


def test_ctrl_c_keeps_the_model_so_far(cycle, monkeypatch):
    from gru4rec_lab.training import loop as training

    def interrupted(*args, **kwargs):
        yield from itertools.islice(train(SMALL, cycle[0]), 20)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    assert evaluate(fit(SMALL, cycle[0]), cycle[1]).n_targets > 0


def test_patience_ends_the_training_and_returns_the_best_epoch(cycle, monkeypatch):
    scores = iter([0.1, 0.3, 0.2, 0.2, 0.9])
    weights = []

    class Score:
        def __init__(self, model):
            self.mrr = {20: next(scores)}
            weights.append(model.network.items.detach().clone())

    monkeypatch.setattr("gru4rec_lab.training.loop.evaluate", lambda model, sessions: Score(model))
    monkeypatch.setattr("gru4rec_lab.training.events.Evaluation", Score)
    monkeypatch.setattr(
        EpochDone,
        "__init__",
        lambda self, *values: self.__dict__.update(
            zip(("step", "epoch", "loss", "evaluation"), values, strict=True)
        ),
    )
    config = SMALL.with_changes(n_epochs=5)
    model = fit(config, cycle[0], validation=cycle[1], patience=2, progress=False)
    assert len(weights) == 4
    assert torch.equal(model.network.items, weights[1])


def test_patience_without_validation_is_refused(cycle):
    with pytest.raises(ValueError, match="patience=2 needs validation= sessions"):
        fit(SMALL, cycle[0], patience=2)


@pytest.mark.slow
def test_memory_decides_in_the_world_that_needs_it():
    world = load_sessions("world:memory", n_sessions=2500)
    train_set, test_set = world.split_last(fraction=0.1)
    config = SMALL.with_changes(layers=(48,), batch_size=32, n_epochs=6)
    gru, last_click = (
        evaluate(fit(config.with_changes(cell=cell), train_set, progress=False), test_set)
        for cell in ("gru", "feed-forward")
    )
    assert gru.recall[20] > last_click.recall[20] + 0.1
