import itertools
from dataclasses import replace

import pandas as pd
import pytest
import torch

from gru4rec_lab import Config, Controls, Sessions, evaluate, fit, load_sessions, train
from gru4rec_lab.evaluation.metrics import Evaluation
from gru4rec_lab.training.controls import ControlChanged, Settings
from gru4rec_lab.training.events import EpochDone, Finished, Report, Started, StepDone
from gru4rec_lab.training.run import NonFiniteLoss

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


def test_the_last_that_is_told_of_a_step_is_that_it_is_done(cycle):
    controls, told = Controls.of(SMALL), []
    events = train(SMALL.with_changes(report_every=7, n_epochs=1), cycle[0], controls=controls)
    n_steps = next(events).n_steps
    for event in events:
        told.append((type(event), event.step))
        if event == StepDone(6, 1):
            controls.set(loss="top1", n_sample=8)
    assert told[5:9] == [(StepDone, 6), (ControlChanged, 7), (ControlChanged, 7), (Report, 7)]
    reports = [step for kind, step in told if kind is Report]
    assert reports == sorted({*range(7, n_steps, 7), n_steps})
    assert [kind for kind, _ in told[-4:]] == [Report, EpochDone, StepDone, Finished]
    after = [told[told.index((Report, step)) + 1] for step in reports]
    assert after == [(StepDone, step) for step in reports[:-1]] + [(EpochDone, n_steps)]


def test_events_carry_the_settings_that_their_step_trained_with(cycle):
    controls, events = Controls.of(SMALL), []
    for event in train(SMALL.with_changes(report_every=7), cycle[0], controls=controls):
        events.append(event)
        if event == StepDone(7, 1):
            controls.set(loss="top1", n_sample=8)
    was, now = Settings.of(SMALL), Settings.of(SMALL.with_changes(loss="top1", n_sample=8))
    assert events[0].settings == was
    changes = [event for event in events if isinstance(event, ControlChanged)]
    assert [(each.step, each.settings) for each in changes] == [(8, now)] * 2
    assert changes[0].settings is changes[1].settings
    reports = [event for event in events if isinstance(event, Report)]
    assert [each.settings for each in reports[:2]] == [was, now]


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


def failure_of(config, sessions, after_step):
    """The message of a run that fails; `after_step(step, model, controls)` is called meanwhile."""
    controls = Controls.of(config)
    events = train(config, sessions, controls=controls)
    model = next(events).model
    try:
        for event in events:
            if isinstance(event, StepDone):
                after_step(event.step, model, controls)
    except NonFiniteLoss as failure:
        return str(failure)
    return None


def broken_at(number, **changes):
    """Weights that break before this step, and changes of the controls after it."""

    def after_step(step, model, controls):
        if step == number - 1:
            with torch.no_grad():
                model.network.bias.fill_(torch.inf)
        if step == number:
            controls.set(**changes)

    return after_step


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_the_failure_names_the_loss_and_the_rate_of_its_step_not_those_of_the_report(cycle, step):
    config = SMALL.with_changes(loss="bpr", step=step, device="cpu", report_every=9)
    message = failure_of(config, cycle[0], broken_at(14, loss="top1", learning_rate=0.01))
    assert message.startswith(
        "the bpr loss is not finite at step 14 with learning_rate 0.1; the model is back"
    )


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_the_failure_names_its_step_also_after_steps_of_one_row(step):
    sessions = sessions_of([[f"item {n}" for n in range(30)], ["item 0", "item 1"]])
    config = Config(layers=(4,), batch_size=2, n_sample=0, n_epochs=2, loss="bpr", step=step,
                    device="cpu")  # fmt: skip
    assert "not finite at step 30 with" in failure_of(config, sessions, broken_at(30))


def test_the_failure_names_the_rate_of_the_step_before_where_it_was_another(cycle):
    def after_step(step, model, controls):
        if step in (4, 5):
            controls.learning_rate = {4: 1e38, 5: 0.1}[step]

    message = failure_of(SMALL.with_changes(loss="cross-entropy"), cycle[0], after_step)
    assert "not finite at step 6 with learning_rate 0.1 (the step before: 1e+38)" in message


def sessions_of(clicks):
    rows = [(number, item) for number, items in enumerate(clicks) for item in items]
    frame = pd.DataFrame(rows, columns=["SessionId", "ItemId"])
    return Sessions.from_frame(frame.assign(Time=range(len(rows))))


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


@pytest.mark.parametrize("odd", [b"a", (1, 2), None], ids=str)
def test_ids_that_cannot_be_saved_are_refused_before_the_training(cycle, odd):
    item_ids = cycle[0].item_ids.astype(object)
    item_ids[0] = odd
    sessions = replace(cycle[0], item_ids=item_ids)
    with pytest.raises(ValueError, match="cannot save item id .*; ids must be text or numbers"):
        train(SMALL, sessions)


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

    class Score(Evaluation):
        mrr = None

        def __init__(self, model):
            vars(self)["mrr"] = {20: next(scores)}
            weights.append(model.network.items.detach().clone())

    monkeypatch.setattr("gru4rec_lab.training.loop.evaluate", lambda model, sessions: Score(model))
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


def test_another_sample_alpha_draws_other_negatives_from_the_next_step_on(cycle):
    def with_change(alpha):
        config = SMALL.with_changes(report_every=1, n_epochs=1, sample_alpha=0.0)
        controls, events = Controls.of(config), []
        for event in train(config, cycle[0], controls=controls):
            events.append(event)
            if event == StepDone(2, 1):
                controls.set(sample_alpha=alpha)
        return losses(events)

    same, other = with_change(0.0), with_change(5.0)
    assert same[:2] == other[:2]
    assert same[2] != other[2]
