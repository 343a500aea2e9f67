import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import torch

from gru4rec_lab import LOSSES, fit, load_model, load_sessions
from gru4rec_lab.data.lab_split import lab_data
from gru4rec_lab.recommender import Recommender
from gru4rec_lab.training.controls import Controls, Settings
from gru4rec_lab.training.events import EpochDone, Observed, Report, StepDone
from gru4rec_lab.training.observe import ObservationSchedule
from gru4rec_lab.training.run import NonFiniteLoss
from gru4rec_lab.widgets.training_lab import observation, picture
from gru4rec_lab.widgets.training_lab.comparison import Comparison
from gru4rec_lab.widgets.training_lab.history import History
from gru4rec_lab.widgets.training_lab.observation import observe
from gru4rec_lab.widgets.training_lab.probe import Probe
from gru4rec_lab.widgets.training_lab.run import LabRun, SpeedLimit, lab_events

from .labs import TINY, training_threads, until


@pytest.fixture
def run(stops):
    """A run without a limit that lasts longer than a test; no thread of it is left behind."""
    before = training_threads()
    made = LabRun(TINY, stops, speed_limit=0)
    yield made
    made.stop()
    until(lambda: training_threads() <= before)


@pytest.fixture
def short(stops):
    made = LabRun(TINY.with_changes(n_epochs=2), stops, speed_limit=0)
    yield made
    made.stop()


def ended(run):
    run.start()
    until(lambda: run.state == "finished")
    run.poll()
    return run


def one_step(run):
    before = run.steps
    run.step()
    until(lambda: run.state == "paused" and run.steps == before + 1)
    run.poll()


def said_by(run):
    """What a run's events say, without seconds."""
    said = []
    for event in run.history.events:
        match event:
            case Report():
                said.append((event.step, event.loss, event.settings))
            case EpochDone():
                said.append((event.step, event.loss, event.evaluation.ranks.tolist()))
            case Observed(value=seen):
                measured = seen.mrr_20, seen.effective, seen.gradients.badly_ranked
                said.append((event.step, event.settings, *measured, seen.recommended.top))
    return said


def test_a_run_trains_is_changed_pinned_and_saved_where_there_is_no_ipywidgets(tmp_path):
    code = f"""
import sys
sys.modules["ipywidgets"] = None
from gru4rec_lab import load_sessions
from gru4rec_lab.widgets.training_lab.observation import observe
from gru4rec_lab.widgets.training_lab.probe import Probe
from gru4rec_lab.widgets.training_lab.run import LabRun
from tests.labs import TINY
stops = load_sessions("world:cycle", n_sessions=200, n_items=30)
run = LabRun(TINY.with_changes(n_epochs=2), stops, speed_limit=0)
run.controls.loss = "top1"
run.start()
run.wait(100)
run.pin("first")
run.save(r"{tmp_path / "run"}")
print(run.history.settings.loss, len(run.history.epochs), "pinned: first" in run.compared())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "top1 2 True\n", done.stderr
    assert load_model(tmp_path / "run").config.loss == "top1"


def test_step_shows_the_model_after_the_step(run):
    for press in (1, 2, 3):
        one_step(run)
        assert run.history.observations[-1].step == press
        assert run.steps == press


def test_step_shows_the_model_after_the_step_at_the_end_of_an_epoch_too(run):
    one_step(run)
    for _ in range(run.history.started.n_steps):
        one_step(run)
        assert run.history.observations[-1].step == run.steps
    assert [end.epoch for end in run.history.epochs] == [1]


def test_a_change_while_paused_labels_nothing_that_it_has_not_trained(run):
    one_step(run)
    run.controls.set(loss="top1-max", n_sample=64)
    assert [(change.name, change.step) for change in run.pending] == [("loss", 2), ("n_sample", 2)]
    run.poll()
    assert run.history.settings == Settings.of(TINY)
    last = run.history.observations[-1]
    assert (last.step, last.settings, last.value.n_negatives) == (1, Settings.of(TINY), 31)
    one_step(run)
    last = run.history.observations[-1]
    assert (last.step, last.settings.loss, last.value.n_negatives) == (2, "top1-max", 79)
    assert (run.pending, run.history.settings.loss) == ([], "top1-max")


def test_a_change_while_a_step_is_held_back_labels_nothing_that_it_has_not_trained(stops):
    run = LabRun(TINY, stops, observe_every=1, speed_limit=5)
    run.start()
    until(lambda: run.steps == 1)  # the second step now waits for its time
    run.controls.set(loss="bpr-max", n_sample=64)
    until(lambda: run.steps == 3)
    run.stop()
    changed = {change.step for change in run.history.changes}
    for seen in run.history.observations:
        trained = "bpr" if seen.step < min(changed) else "bpr-max"
        assert seen.settings.loss == trained
        assert seen.value.n_negatives == (31 if trained == "bpr" else 79)


def test_a_replay_repeats_every_observation_of_a_run_with_changes_while_it_was_held(short):
    torch.set_num_threads(1)
    for press in range(14):
        one_step(short)
        if press == 3:
            short.controls.set(loss="bpr-max", n_sample=64, learning_rate=0.05)
        if press == 8:
            short.controls.set(sample_alpha=1.0)
    ended(short)
    first, changes = said_by(short), list(short.history.changes)
    assert len(changes) == 4
    short.replay()
    until(lambda: short.state == "finished")
    short.poll()
    assert short.history.changes == changes
    assert said_by(short) == first
    assert short.controls.settings == short.history.settings


def test_reports_carry_the_settings_that_trained_and_a_mean_of_two_losses_is_of_none(run):
    for _ in range(7):
        one_step(run)
    run.controls.loss = "cross-entropy"
    for _ in range(9):
        one_step(run)
    reports = [event for event in run.history.events if isinstance(event, Report)]
    assert [(report.step, report.settings.loss) for report in reports] == [
        (5, "bpr"), (10, "cross-entropy"), (15, "cross-entropy")]  # fmt: skip
    assert {name: [step for step, _ in points] for name, points in run.history.losses.items()} == {
        "bpr": [5], "cross-entropy": [15]}  # fmt: skip


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_a_failure_that_an_observation_meets_first_names_the_step_that_failed(stops, step):
    config = TINY.with_changes(report_every=50, step=step)
    controls, schedule = Controls.of(config), ObservationSchedule(at=[20])
    how = schedule, Probe(), threading.Lock(), SpeedLimit(0)
    events = lab_events(config, controls, lambda: lab_data(stops, None), *how)
    network = next(events).model.network

    def train_on():
        for event in events:
            if event == StepDone(9, 1):
                network.bias.data.fill_(torch.inf)
            if event == StepDone(12, 1):
                controls.set(loss="top1", learning_rate=0.01)

    with pytest.raises(NonFiniteLoss, match=r"the bpr loss .* at step 10 with learning_rate 0\.1;"):
        train_on()
    assert all(weight.isfinite().all() for weight in network.state_dict().values())


@pytest.mark.parametrize(
    "changes",
    [
        {"sampler": "uniform"},
        {"sampler": "hard"},
        {"collisions": "mask"},
        {"collisions": "resample"},
        {"logq_mode": "exact"},
    ],
    ids=str,
)
def test_the_scores_observed_are_those_of_the_runs_own_sampler_collisions_and_logq(changes):
    config = TINY.with_changes(loss="cross-entropy", logq=1.0, n_epochs=1)
    data = lab_data(load_sessions("world:markov", n_sessions=300, n_items=60), None)
    model = fit(config, data.training, progress=False)
    other = Recommender(model.network, model.item_ids, config.with_changes(**changes))
    usual, own = (observe(each, Settings.of(config), data, Probe()) for each in (model, other))
    assert own.effective != usual.effective
    assert own.mrr_20 == usual.mrr_20


def test_a_bad_setting_of_the_next_run_leaves_the_last_one_as_it_is(short):
    ended(short)
    before = len(short.history.events)
    with pytest.raises(ValueError, match="batch_size"):
        short.prepare(batch_size=0)
    assert (short.state, len(short.history.events)) == ("finished", before)


def test_controls_set_before_during_and_after_a_run_are_those_of_the_next(short):
    short.controls.loss = "top1"
    ended(short)
    assert short.history.config.loss == "top1"
    short.controls.n_sample = 8
    assert short.pending == []
    ended(short)
    assert (short.history.config.loss, short.history.config.n_sample) == ("top1", 8)


def test_a_comparison_is_made_anew_for_a_run_that_lies_where_an_old_one_lay(short):
    ended(short).pin("first")
    table = Comparison()
    first = table.table(short.pinned, short.history)
    # Objects of Python that are gone give their ids away: only the objects themselves tell.
    for label in ("second", "third"):
        other = replace(short.pinned, label=label)
        assert f"pinned: {label}" in table.table(other, short.history)
        del other
    assert table.table(short.pinned, short.history) == first
    fresh = History(short.history.config)
    assert "now" not in table.table(short.pinned, fresh)


def test_the_legend_of_the_quality_goes_by_name(monkeypatch):
    names = dict(reversed(picture.QUALITY_NAMES.items()))
    monkeypatch.setattr(picture, "QUALITY_NAMES", names)
    described, _ = picture.drawn(History(TINY), Settings.of(TINY), picture.View())
    for name, (colour, dash, _) in picture.LOOKS.items():
        line = described.lines[name]
        assert (line.label, line.colour, line.dash) == (names[name], colour, dash)


def test_speed_is_by_the_seconds_of_the_reports(stops):
    history = History(TINY)
    assert (history.steps_per_second, history.clicks_per_second) == (0, 0)
    run = LabRun(TINY.with_changes(n_epochs=2), stops, speed_limit=0)
    ended(run)
    reports = [event for event in run.history.events if isinstance(event, Report)]
    last, before = reports[-1], reports[-2]
    assert run.history.steps_per_second == (last.step - before.step) / last.seconds
    assert run.history.clicks_per_second == last.clicks / last.seconds


def test_events_reach_the_listener_and_the_history_in_the_same_order(stops):
    given = []
    run = LabRun(TINY.with_changes(n_epochs=1), stops, speed_limit=0, on_event=given.append)
    ended(run)
    assert [(type(event), getattr(event, "step", 0)) for event in given] == [
        (type(event), getattr(event, "step", 0)) for event in run.history.events
    ]
    assert not any(isinstance(event, StepDone) for event in given)


def test_step_pressed_quickly_takes_as_many_steps_and_shows_each(run):
    for _ in range(3):
        run.step()
    until(lambda: run.steps == 3 and run.state == "paused")
    run.poll()
    assert [seen.step for seen in run.history.observations] == [0, 1, 2, 3]


def test_step_in_a_replay_shows_the_model_after_the_step(run):
    run.start()
    until(lambda: run.steps > 30)
    run.stop()
    run.replay()
    run.pause()
    until(lambda: run.state == "paused")
    for _ in range(2):
        one_step(run)
        assert run.history.observations[-1].step == run.steps


def test_a_replay_of_a_run_that_was_stopped_is_observed_where_it_goes_on(run):
    one_step(run)
    run.stop()
    run.replay()
    until(lambda: run.steps > 100)
    run.stop()
    assert run.history.observations[-1].step > 1


def test_a_report_from_the_first_step_of_a_changed_loss_on_is_of_that_loss_alone(run):
    run.controls.loss = "top1"  # before the first step
    run.start()
    run.pause()
    until(lambda: run.steps > 0 or run.state == "paused")
    while run.steps < 5:
        one_step(run)
    run.controls.loss = "cross-entropy"  # after the report of step 5
    for _ in range(5):
        one_step(run)
    assert {name: [step for step, _ in points] for name, points in run.history.losses.items()} == {
        "top1": [5], "cross-entropy": [10]}  # fmt: skip


def test_the_last_observation_is_whole_at_any_moment(short):
    ended(short)
    seen = []

    class Watched(list):
        """What another thread may find, whenever the list changes."""

        def append(self, each):
            super().append(each)
            seen.append(self[-1].value.weights)

        def __setitem__(self, place, each):
            super().__setitem__(place, each)
            seen.append(self[-1].value.weights)

    history = short.history
    history.observations = Watched(history.observations)
    history.add(history.observations[-1])
    assert len(seen) == 2
    assert all(weights is not None for weights in seen)


def test_the_ends_of_epochs_share_what_is_the_same_in_their_evaluations(short):
    told = []
    short._on_event = told.append
    first, last = ended(short).history.epochs
    assert last in short.history.events
    for name in ("session", "position", "target"):
        assert getattr(last.evaluation, name) is getattr(first.evaluation, name)
        whole = next(each for each in reversed(told) if isinstance(each, EpochDone)).evaluation
        assert (getattr(last.evaluation, name) == getattr(whole, name)).all()
    assert last.evaluation.recall == whole.recall


def test_a_config_of_a_loss_that_is_not_here_is_refused_with_the_way_out(stops):
    config = object.__new__(type(TINY))
    config.__dict__.update(TINY.__dict__, loss="hinge")
    with pytest.raises(ValueError, match="unknown loss 'hinge'.*LOSSES.add"):
        LabRun(config, stops)


def test_validation_sessions_of_other_items_are_refused_with_the_way_out(stops):
    others = load_sessions("world:markov", n_sessions=50, n_items=10)
    with pytest.raises(ValueError, match="no validation session has two clicks on items"):
        lab_data(stops, others)


def test_sessions_that_judge_the_flights_judge_no_other_named_set(stops):
    shop = lab_data(None, stops, "world:shop")
    assert not set(shop.validation.item_ids.tolist()) & set(stops.item_ids.tolist())


def test_a_run_whose_loss_was_removed_is_not_half_forgotten(run):
    one_step(run)
    LOSSES.add("gone", lambda target, negatives: (negatives - target[:, None]).relu().mean(1))
    run.controls.loss = "gone"
    LOSSES.remove("gone")
    with pytest.raises(ValueError, match="unknown loss 'gone'"):
        run.reset()
    assert (run.state, run.steps) == ("stopped", 1)


def test_a_model_is_saved_between_two_steps(run, monkeypatch):
    one_step(run)
    held = []

    def save(_model, path):
        held.append(run._stepping.locked())
        return path

    monkeypatch.setattr(Recommender, "save", save)
    run.save("somewhere")
    assert held == [True]


def test_start_after_a_step_observes_as_usual_again(run):
    one_step(run)
    run.start()
    until(lambda: run.steps > 100)
    run.stop()
    assert len(run.history.observations) < 30


def test_a_run_that_waits_for_its_limit_is_observed_more_often(stops):
    run = LabRun(TINY, stops, speed_limit=20)
    run.start()
    until(lambda: run.steps > 2)
    assert run._schedule.throttled
    run.stop()


@pytest.mark.parametrize("worst", [float("inf"), float("nan")])
def test_negatives_that_are_no_numbers_are_a_fault_and_absent_ones_are_not(
    run, stops, monkeypatch, worst
):
    one_step(run)
    target, data = torch.zeros(2), lab_data(stops, None)
    for value, fails in ((-torch.inf, False), (worst, True)):
        scores = target, torch.tensor([[0.0, value], [0.0, 0.0]])
        monkeypatch.setattr(observation, "probe_scores", lambda *_a, s=scores, **_k: s)
        seen = observe(run.model, Settings.of(TINY), data, Probe())
        assert (seen is None) == fails
