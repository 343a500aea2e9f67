import pytest

from gru4rec_lab.widgets import lab_run
from gru4rec_lab.widgets.lab_run import CATCH_UP, SpeedLimit


class Clock:
    """A clock that only sleeping and `work` move."""

    def __init__(self):
        self.now = 100.0

    def work(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lab_run, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(lab_run, "sleep", clock.work)
    return clock


def test_steps_come_no_faster_than_the_limit(clock):
    limit, began = SpeedLimit(50), clock.now
    for _ in range(200):
        clock.work(0.001)
        assert limit.wait()
    assert clock.now - began == pytest.approx(200 / 50)


def test_no_limit_and_a_slow_machine_do_not_wait(clock):
    for limit in (SpeedLimit(0), SpeedLimit(50)):
        began = clock.now
        for _ in range(100):
            clock.work(0.1)
            assert not limit.wait()
        assert clock.now - began == pytest.approx(100 * 0.1)


def test_time_lost_to_a_look_is_made_up_for_but_not_a_pause(clock):
    limit, began = SpeedLimit(50), clock.now
    for step in range(100):
        clock.work(0.2 if step == 50 else 0.001)
        limit.wait()
    assert clock.now - began == pytest.approx(100 / 50)
    clock.work(60)
    began = clock.now
    for _ in range(100):
        clock.work(0.001)
        limit.wait()
    assert clock.now - began == pytest.approx(100 / 50 - CATCH_UP, abs=0.03)


def test_another_limit_counts_from_the_next_step_on(clock):
    limit = SpeedLimit(5)
    limit.wait()
    limit.steps_per_second = 100
    began = clock.now
    for _ in range(100):
        limit.wait()
    assert clock.now - began == pytest.approx(1)
