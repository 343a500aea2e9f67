import gc
import itertools
import subprocess
import sys
import threading
import time

import pytest

from gru4rec_lab import Config
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.events import Finished, Report, StepDone
from gru4rec_lab.training.live import LiveRun

ENDS_WHILE_TRAINING = """
import sys, time
from gru4rec_lab import Config, LiveRun, load_sessions, train
config = Config(layers=(64,), n_sample=512, n_epochs=100_000, device="cpu", step=sys.argv[1])
run = LiveRun(train(config, load_sessions("world:cycle", n_sessions=300, n_items=50)))
run.start()
while run.steps < 5:
    time.sleep(0.01)
"""

SETTINGS = Settings.of(Config())


def counting(steps):
    for step in steps:
        time.sleep(1e-3)
        yield Report(step, 1, 0.0, 1, 1e-3, SETTINGS)
        yield StepDone(step, 1)


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(1e-3)
    return condition()


@pytest.fixture
def endless():
    run = LiveRun(counting(itertools.count(1)))
    yield run
    assert run.stop()


def test_events_arrive_in_order_and_steps_are_counted():
    run = LiveRun(itertools.chain(counting(range(1, 4)), [Finished(3, 1)]))
    run.start()
    assert run.wait(5)
    events = run.poll()
    assert [type(event) for event in events] == [Report, Report, Report, Finished]
    assert (run.steps, run.state) == (3, "finished")


def test_a_paused_run_takes_no_step_and_goes_on_when_resumed(endless):
    endless.start()
    assert until(lambda: endless.steps > 2)
    endless.pause()
    time.sleep(0.05)
    held = endless.steps
    time.sleep(0.05)
    assert (endless.steps, endless.state) == (held, "paused")
    endless.resume()
    assert until(lambda: endless.steps > held)
    assert endless.state == "running"


def test_step_takes_exactly_one_step(endless):
    for number in (1, 2, 3):
        endless.step()
        assert until(lambda number=number: endless.steps == number and endless.state == "paused")
        time.sleep(0.02)
        assert endless.steps == number


def test_stop_ends_the_thread_from_any_state_and_closes_its_events():
    events = counting(itertools.count(1))
    endless = LiveRun(events)
    endless.start()
    endless.pause()
    assert endless.stop()
    assert endless.state == "stopped"
    assert next(events, None) is None
    assert "gru4rec-training" not in [thread.name for thread in threading.enumerate()]


class Raced(LiveRun):
    """A run on which something happens right after its state was read for the first time."""

    meanwhile = None

    @property
    def state(self):
        value, act = self._state, self.meanwhile
        if act is not None:
            self.meanwhile = None
            act()
        return value

    @state.setter
    def state(self, value):
        self._state = value


def test_a_run_that_is_stopped_while_it_is_resumed_does_not_say_running():
    run = Raced(counting(itertools.count(1)))
    run.step()
    run.pause()
    stop = threading.Thread(target=run.stop)

    def meanwhile():
        stop.start()
        stop.join(0.3)  # a stop that can end here does

    run.meanwhile = meanwhile
    run.resume()
    stop.join(5)
    assert run.wait(5)
    assert run.state == "stopped"


@pytest.mark.parametrize("end", ["stopped", "finished"])
def test_nothing_wakes_a_run_that_has_ended(end):
    run = LiveRun(counting(itertools.count(1) if end == "stopped" else [1]))
    run.start()
    assert run.stop() if end == "stopped" else run.wait(5)
    run.resume()
    run.step()
    run.pause()
    assert run.state == end


def test_a_run_that_is_resumed_during_a_single_step_goes_on():
    near_end, goes_on = threading.Event(), threading.Event()

    def events():
        near_end.wait(5)
        yield StepDone(1, 1)
        yield Finished(1, 1)
        goes_on.set()

    run = LiveRun(events())
    run.step()
    run.pause()
    run.resume()
    near_end.set()
    assert goes_on.wait(5)
    assert run.wait(5)
    assert run.state == "finished"


def test_a_run_that_is_resumed_during_its_first_single_step_goes_on():
    near_end, goes_on = threading.Event(), threading.Event()

    def events():
        near_end.wait(5)
        yield StepDone(1, 1)
        goes_on.set()

    run = LiveRun(events())
    run.step()
    run.resume()
    near_end.set()
    assert goes_on.wait(5)
    assert run.wait(5)


@pytest.mark.parametrize("paused", [True, False])
def test_a_run_that_nobody_refers_to_gives_its_thread_back(paused):
    closed = threading.Event()

    def events():
        try:
            yield from counting(itertools.count(1))
        finally:
            closed.set()

    class Owner:
        def __init__(self):
            self.run = LiveRun(events(), self.on_event)

        def on_event(self, event):
            pass

    before, owner = set(threading.enumerate()), Owner()
    (owner.run.step if paused else owner.run.start)()
    (thread,) = set(threading.enumerate()) - before
    del owner

    def ended():
        gc.collect()  # more than once: while it hands over an event, the thread holds its run
        return not thread.is_alive()

    assert until(ended)
    assert closed.is_set()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["plain", "auto"])
def test_a_process_that_ends_while_a_run_is_going_ends_well(step):
    ended = subprocess.run(
        [sys.executable, "-c", ENDS_WHILE_TRAINING, step],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_stop_before_the_start_is_a_stop():
    run = LiveRun(iter([]))
    assert run.stop()
    assert run.state == "stopped"


def test_a_run_cannot_start_twice():
    run = LiveRun(iter([]))
    run.start()
    run.wait(5)
    with pytest.raises(RuntimeError, match="this run is finished and cannot start again"):
        run.start()


def test_an_error_is_kept_for_whoever_shows_the_run():
    def failing():
        yield StepDone(1, 1)
        raise ArithmeticError("the loss is not finite at step 2")

    run = LiveRun(failing())
    run.start()
    run.wait(5)
    assert run.state == "failed"
    assert "not finite at step 2" in str(run.error)


def test_steps_that_are_asked_for_at_once_are_all_taken(endless):
    for _ in range(3):
        endless.step()
    assert until(lambda: endless.steps == 3 and endless.state == "paused")
    time.sleep(0.02)
    assert endless.steps == 3
