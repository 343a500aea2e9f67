import pytest

from gru4rec_lab import Config
from gru4rec_lab.recommend import Recommender
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.events import EpochDone, Observed, Started, StepDone
from gru4rec_lab.widgets.training_lab import observation as lab_look
from gru4rec_lab.widgets.training_lab.observation import Pace, looked

# Nobody looks at it: time is all that counts here.
MODEL = object.__new__(Recommender)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lab_look, "perf_counter", clock)
    return clock


def steps_looked_at(pace, clock, steps, *, look=0.03, step=0.003):
    """A run of steps of 3 ms with looks of 30 ms: where they are, and their share of the time."""

    def see(_model):
        clock.now += look

    def events():
        yield Started(MODEL, steps, "cpu", "plain", Settings.of(Config()))
        for number in range(1, steps + 1):
            clock.now += step
            yield StepDone(number, 1)
        yield EpochDone(steps, 1, 0.0, None)

    began = clock.now
    at = [each.step for each in looked(events(), see, pace) if isinstance(each, Observed)]
    return at, len(at) * look / (clock.now - began)


def test_looks_take_a_small_share_of_the_time(clock):
    at, share = steps_looked_at(Pace(50), clock, 5000)
    assert len(at) > 20
    assert share < 0.07
    assert all(step % 50 == 0 for step in at)


def test_without_a_limit_a_cheap_look_comes_every_fifty_steps(clock):
    at, _ = steps_looked_at(Pace(50), clock, 200, look=0.001)
    assert at == [0, 50, 100, 150, 200]


def test_a_look_is_taken_soon_after_it_is_asked_for(clock):
    pace = Pace(50)
    pace.timed(lambda _model: setattr(clock, "now", 1.0), MODEL)
    clock.now += 0.1
    pace.soon = True
    assert not pace.due(7)
    clock.now += 3
    assert pace.due(8)
    pace.timed(lambda _model: None, MODEL)
    assert not pace.due(9)


def test_a_repeated_run_is_looked_at_after_the_same_steps_and_no_others(clock):
    first, _ = steps_looked_at(Pace(50), clock, 1000)
    again, _ = steps_looked_at(Pace(50, first), clock, 1000, look=9.0)
    assert again == first
