"""The speed that a report tells is that of the steps; nothing else that happens counts."""

from time import perf_counter

import pytest
import torch

from gru4rec_lab import Config, load_sessions, train
from gru4rec_lab.sampling import Sampler
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.events import EpochDone, Report, StepDone
from gru4rec_lab.training.run import Tally

from .clock import Clock

SMALL = Config(layers=(8,), batch_size=16, n_sample=16, n_epochs=2, step="plain", report_every=5)

SETTINGS = Settings.of(SMALL)


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=100, seed=1)


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("gru4rec_lab.training.run.perf_counter", lambda: made.now)
    return made


def seconds_in(events):
    return sum(event.seconds for event in events if isinstance(event, Report))


def test_pauses_and_looks_between_steps_are_not_in_the_seconds(sessions, clock):
    events = []
    for event in train(SMALL, sessions):
        events.append(event)
        clock.wait(1)
    assert seconds_in(events) == 0


def test_evaluation_is_not_in_the_seconds(sessions, clock, monkeypatch):
    monkeypatch.setattr("gru4rec_lab.training.loop.evaluate", lambda *_: clock.wait(1))
    events = list(train(SMALL, sessions, validation=sessions))
    assert sum(isinstance(event, EpochDone) for event in events) == clock.now == 2
    assert seconds_in(events) == 0


def test_sampling_and_steps_are_in_the_seconds(sessions, clock, monkeypatch):
    draw = Sampler.draw
    monkeypatch.setattr(Sampler, "draw", lambda *given: clock.wait(1) or draw(*given))
    events = list(train(SMALL, sessions))
    assert seconds_in(events) == sum(isinstance(event, StepDone) for event in events)


def test_a_tally_adds_up_numbers_as_it_adds_up_tensors():
    reports = []
    for kind in (float, torch.tensor):
        tally = Tally(batch_size=4)
        for loss, clicks in ((0.5, 4), (0.25, 2)):
            tally.add(kind(loss), clicks, 1.5)
        reports.append(tally.report(2, 1, perf_counter(), SETTINGS))
        assert tally.epoch_loss == 0.5
        assert tally.clicks == 0
    assert [(r.loss, r.clicks, r.step, r.epoch) for r in reports] == [(0.5, 6, 2, 1)] * 2
    assert all(3 <= report.seconds < 4 for report in reports)


def test_many_small_losses_are_added_up_in_float64():
    tally = Tally(batch_size=1)
    tally.add(torch.tensor(2.0**25), 1, 0.0)
    tally.add(torch.tensor(1.0), 1, 0.0)
    assert tally.report(2, 1, perf_counter(), SETTINGS).loss == (2**25 + 1) / 2
