import threading
import time
from types import SimpleNamespace

import pytest

from gru4rec_lab.widgets.training_lab import run as lab_run
from gru4rec_lab.widgets.training_lab.run import CATCH_UP, SpeedLimit

from .clock import Clock


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lab_run, "perf_counter", lambda: clock.now)
    return clock


def held(clock, steps_per_second):
    """A limit whose waiting moves the clock."""
    limit = SpeedLimit(steps_per_second)
    limit._freed = SimpleNamespace(wait=clock.wait, is_set=lambda: False)
    return limit


def test_steps_come_no_faster_than_the_limit(clock):
    limit, began = held(clock, 50), clock.now
    for _ in range(200):
        clock.wait(0.001)
        assert limit.wait()
    assert clock.now - began == pytest.approx(200 / 50)


def test_no_limit_and_a_slow_machine_do_not_wait(clock):
    for limit in (held(clock, 0), held(clock, 50)):
        began = clock.now
        for _ in range(100):
            clock.wait(0.1)
            assert not limit.wait()
        assert clock.now - began == pytest.approx(100 * 0.1)


def test_time_lost_to_an_observation_is_made_up_for_but_not_a_pause(clock):
    limit, began = held(clock, 50), clock.now
    for step in range(100):
        clock.wait(0.2 if step == 50 else 0.001)
        limit.wait()
    assert clock.now - began == pytest.approx(100 / 50)
    clock.wait(60)
    began = clock.now
    for _ in range(100):
        clock.wait(0.001)
        limit.wait()
    assert clock.now - began == pytest.approx(100 / 50 - CATCH_UP, abs=0.03)


def test_another_limit_counts_from_the_next_step_on(clock):
    limit = held(clock, 5)
    limit.wait()
    limit.steps_per_second = 100
    began = clock.now
    for _ in range(100):
        limit.wait()
    assert clock.now - began == pytest.approx(1)


def test_a_limit_that_was_freed_holds_nobody_back():
    limit = SpeedLimit(1)
    threading.Timer(0.05, limit.free).start()
    began = time.monotonic()
    limit.wait()
    assert not limit.wait()
    assert time.monotonic() - began < 0.9
