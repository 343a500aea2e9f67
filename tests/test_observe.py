import pytest
import torch

from gru4rec_lab import Config, fit, load_sessions, train
from gru4rec_lab.recommender import Recommender
from gru4rec_lab.training import observe
from gru4rec_lab.training.controls import Controls, Settings
from gru4rec_lab.training.events import ControlChanged, EpochDone, Observed, Started, StepDone
from gru4rec_lab.training.observe import ObservationSchedule, at_epochs, observed

CONFIG = Config(layers=(8,), n_sample=4, batch_size=16, n_epochs=2, learning_rate=0.1)
# Nobody observes it: time is all that counts here.
MODEL, SETTINGS = object.__new__(Recommender), Settings.of(CONFIG)


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=50, n_items=20)


def weights(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(observe, "perf_counter", clock)
    return clock


def steps_observed(schedule, clock, steps, *, takes=0.03, step=0.003, epoch=None):
    """A run of steps of 3 ms with observations of 30 ms: where, and their share of the time."""
    epoch = epoch or steps

    def see(_model, _settings):
        clock.now += takes

    def events():
        yield Started(MODEL, steps, "cpu", "plain", SETTINGS)
        for number in range(1, steps + 1):
            clock.now += step
            if number % epoch == 0:
                yield EpochDone(number, 1, 0.0, None)
            yield StepDone(number, 1)

    began = clock.now
    at = [each.step for each in observed(events(), see, schedule) if isinstance(each, Observed)]
    return at, len(at) * takes / (clock.now - began)


def test_observations_take_a_small_share_of_the_time(clock):
    at, share = steps_observed(ObservationSchedule(50), clock, 5000)
    assert len(at) > 20
    assert share < 0.07
    assert all(step % 50 == 0 for step in at)


def test_at_the_ends_of_short_epochs_they_take_no_larger_share(clock):
    at, share = steps_observed(ObservationSchedule(25), clock, 5000, epoch=170)
    assert {*range(170, 5000, 170)} <= {*at}
    assert share < 0.07


def test_observations_of_a_change_are_not_paid_for_by_the_usual_ones(clock):
    schedule = ObservationSchedule(50)
    for _ in range(20):
        schedule.changed()
        schedule.timed(lambda: setattr(clock, "now", clock.now + 0.03))
        clock.now += 0.07
    clock.now += 0.06 / 0.06
    assert schedule.due(50)


def test_a_throttled_training_is_observed_more_often(clock):
    schedule = ObservationSchedule(50)
    schedule.throttled = True
    often, _ = steps_observed(schedule, clock, 5000)
    assert len(often) > 2 * len(steps_observed(ObservationSchedule(50), clock, 5000)[0])


def test_without_a_limit_a_cheap_observation_comes_every_fifty_steps(clock):
    at, _ = steps_observed(ObservationSchedule(50), clock, 200, takes=0.001)
    assert at == [0, 50, 100, 150, 200]


def test_a_changed_control_is_observed_soon_but_not_at_every_step_of_a_drag(clock):
    schedule = ObservationSchedule(50)
    schedule.timed(lambda: setattr(clock, "now", 1.0))
    clock.now += 0.1
    schedule.changed()
    assert not schedule.due(7)
    clock.now += 3
    assert schedule.due(8)
    schedule.timed(lambda: None)
    assert not schedule.due(9)


def test_step_by_step_each_step_is_observed_however_long_that_takes(clock):
    schedule = ObservationSchedule(50)
    schedule.each_step = True
    at, _ = steps_observed(schedule, clock, 5, takes=9.0)
    assert at == [0, 1, 2, 3, 4, 5]


def test_a_repeated_run_is_observed_after_the_same_steps_and_no_others(clock):
    first, _ = steps_observed(ObservationSchedule(50), clock, 1000)
    again, _ = steps_observed(ObservationSchedule(50, first), clock, 1000, takes=9.0)
    assert again == first


def test_an_observation_comes_before_the_step_is_told_as_done(sessions):
    events = list(observed(train(CONFIG, sessions), lambda *_: None, ObservationSchedule(3)))
    for place, event in enumerate(events):
        if isinstance(event, Observed) and event.step:
            assert events[place + 1] == StepDone(event.step, event.epoch)
    assert sum(isinstance(event, Observed) for event in events) > 3


def test_the_observer_is_given_what_the_last_step_trained_with_and_not_what_is_asked_for(sessions):
    controls, given = Controls.of(CONFIG), []
    events = observed(
        train(CONFIG, sessions, controls=controls),
        lambda _model, settings: given.append(settings.n_sample),
        ObservationSchedule(1, at=range(100)),
    )
    for event in events:
        if isinstance(event, StepDone) and event.step == 2:
            controls.set(n_sample=9)
        if isinstance(event, Observed):
            assert event.settings.n_sample == given[-1] == (4 if event.step < 3 else 9)
        if isinstance(event, ControlChanged):
            assert (event.step, event.settings.n_sample) == (3, 9)


def test_ends_of_epochs_are_observed_and_the_steps_after_them_are_not(sessions):
    events = observed(train(CONFIG, sessions), lambda *_: None, ObservationSchedule(1000))
    n_steps = next(events).n_steps
    steps = [event.step for event in events if isinstance(event, Observed)]
    assert steps == [0, n_steps, 2 * n_steps]


def test_the_first_step_after_a_change_is_observed(sessions):
    controls, seen = Controls.of(CONFIG), []
    for event in observed(
        train(CONFIG, sessions, controls=controls), lambda *_: None, ObservationSchedule(1000)
    ):
        if isinstance(event, StepDone) and event.step == 3:
            controls.set(n_sample=3, loss="top1")
        if isinstance(event, Observed):
            seen.append(event.step)
    assert seen[:2] == [0, 4]


def test_untrained_model_and_ends_of_epochs_are_seen_at_their_steps(sessions):
    seen = list(at_epochs(CONFIG, sessions, lambda model: None, (2, 0, 0.5)))
    last = seen[-1].step
    assert [(at.epoch, at.step) for at in seen] == [(0, 0), (0.5, round(last / 4)), (2, last)]


def test_model_at_the_end_is_the_one_that_fit_returns(sessions):
    (end,) = at_epochs(CONFIG, sessions, weights, [2])
    for name, value in weights(fit(CONFIG, sessions, progress=False)).items():
        torch.testing.assert_close(end.value[name], value, rtol=0, atol=0)


def test_training_goes_on_as_long_as_the_moments_do_not_as_the_config_says(sessions):
    one, three = (end.step for end in at_epochs(CONFIG, sessions, weights, [1, 3]))
    assert three == 3 * one


def test_observing_does_not_change_the_training(sessions):
    many = list(at_epochs(CONFIG, sessions, weights, [0, 0.3, 0.6, 1]))[-1].value
    (once,) = at_epochs(CONFIG, sessions, weights, [1])
    assert all(torch.equal(many[name], once.value[name]) for name in many)


@pytest.mark.parametrize("epochs", [(), (-1, 2)])
def test_no_moment_and_one_before_the_start_are_refused(sessions, epochs):
    with pytest.raises(ValueError, match="from 0 on"):
        at_epochs(CONFIG, sessions, weights, epochs)


def test_two_moments_in_the_same_step_are_both_seen(sessions):
    seen = list(at_epochs(CONFIG, sessions, lambda model: None, (0, 0.0001)))
    assert [(at.epoch, at.step) for at in seen] == [(0, 0), (0.0001, 0)]


def test_a_repeated_run_that_goes_on_is_observed_as_usual_after_the_last_of_the_steps(clock):
    at, _ = steps_observed(ObservationSchedule(50, [0, 7, 60]), clock, 200, takes=0.001)
    assert at == [0, 7, 60, 100, 150, 200]


def test_who_goes_step_by_step_in_a_repeated_run_sees_each_step_too(clock):
    schedule = ObservationSchedule(50, [0, 9])
    schedule.each_step = True
    assert all(schedule.due(step) for step in range(12))
