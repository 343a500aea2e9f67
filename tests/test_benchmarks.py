"""The benchmarks that take minutes, with sizes that take a second: they run."""

import argparse
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmarks import gpu, growth, growth_figure, parts
from benchmarks.cases import CASES
from benchmarks.official import OfficialTrainer
from benchmarks.official_adapter import config_of, make_trainer
from gru4rec_lab import load_sessions

STUB = Path(__file__).with_name("official_stub")


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(growth, "USUAL", {"n_sample": 8, "units": 4, "batch": 2, "items": 20})
    sizes = {"n_sample": (0, 8), "units": (2, 4), "batch": (2, 3), "items": (20, 40)}
    monkeypatch.setattr(growth, "SIZES", sizes)
    monkeypatch.setattr(growth, "FIXED", 10)
    monkeypatch.setattr(growth, "peak", lambda name, items: (100.0 + items, float(items)))


def test_growth_measures_each_size_with_both_steps_and_draws_it(small, tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "TABLE", tmp_path / "growth.csv")
    monkeypatch.setattr(growth_figure, "FIGURE", tmp_path / "growth.svg")
    growth.main(["--rounds", "1"])
    lines = (tmp_path / "growth.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * (2 + 2 + 2 + 2 + 2)
    assert sum(line.startswith("items,numba,40,") for line in lines) == 1
    assert lines[-1].startswith("same 10000 items,plain,40,")
    assert (tmp_path / "growth.svg").read_text().count("extra samples") == 1


@pytest.mark.parametrize("name", growth.STEPS)
def test_a_catalogue_of_which_ten_items_are_met_trains_no_other(name):
    steps = growth.Steps(name, n_sample=8, units=4, batch=2, items=40, met=10)
    items = steps._step.network.items
    before = items.detach().clone()
    for _ in range(5):
        steps()
    changed = (items != before).any(dim=1)
    assert changed[:10].any()
    assert not changed[10:].any()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_the_gpu_benchmark_says_that_there_is_no_device(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gpu"])
    gpu.main()
    assert capsys.readouterr().out == "no CUDA device here: nothing to measure\n"


def test_the_gpu_benchmark_has_a_row_a_case(monkeypatch):
    """On the CPU in both columns."""
    monkeypatch.setattr(gpu, "SECONDS", 0.0)
    on_cpu = lambda settings, **ours: config_of(settings, **ours | {"device": "cpu"})  # noqa: E731
    monkeypatch.setattr(gpu, "config_of", on_cpu)
    sessions = load_sessions("world:cycle", n_sessions=400, seed=1).to_frame()
    monkeypatch.setattr(gpu.clicks, "make_clicks", lambda n_clicks: sessions)
    monkeypatch.setattr(gpu.clicks, "split_last_day", lambda frame: (frame, frame))
    (row,) = gpu.rows(argparse.Namespace(cases="c", clicks=0))
    assert row[0] == "c: as a, no samples"
    assert all(float(figure.removesuffix("x")) > 0 for figure in row[1:])


def test_what_runs_inside_of_another_part_counts_for_its_own_alone(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(parts, "process_time", lambda: now[0])
    clock = parts.Clock()

    def wait(seconds, then=lambda: None):
        now[0] += seconds
        then()

    inner = clock.on(lambda: wait(2), "inner")
    clock.on(lambda: wait(1, inner), "outer")()
    assert clock.seconds == {"outer": 1, "inner": 2}


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_every_part_of_a_step_is_found(step, monkeypatch):
    monkeypatch.setattr(parts, "N_STEPS", 3)
    clicks = load_sessions("world:cycle", n_sessions=400, seed=1).to_frame()
    seconds = parts.parts_of(make_trainer(clicks, CASES["a"], step=step))
    assert all(taken > 0 for taken in seconds.values())


@pytest.fixture
def official(monkeypatch):
    """A folder with what the benchmarks need of the official code, and the module in it."""
    monkeypatch.syspath_prepend(str(STUB))
    for name in ("gru4rec_pytorch", "evaluation"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = pytest.importorskip("gru4rec_pytorch")
    yield module
    for name in ("gru4rec_pytorch", "evaluation"):
        sys.modules.pop(name, None)


CLICKS = pd.DataFrame({"SessionId": [1, 1, 2, 2], "ItemId": [5, 6, 6, 7], "Time": range(4)})
SMALL = {"layers": [4], "n_sample": 2}


def test_the_official_training_is_held_beyond_the_end_of_an_epoch(official):
    trainer = OfficialTrainer(str(STUB), CLICKS, SMALL)
    (model,) = official.GRU4Rec.models
    assert model.n_steps == 0
    for taken in (2, 4, 7):
        trainer(taken - model.n_steps)
        assert model.n_steps == taken
    trainer.close()
    assert model.n_steps == 7


def test_an_official_training_that_ends_is_an_error(official):
    trainer = OfficialTrainer(str(STUB), CLICKS, SMALL)
    n_steps = official.STEPS_OF_EPOCH * official.MOST_EPOCHS
    trainer(n_steps - 1)
    with pytest.raises(RuntimeError, match="ended by itself"):
        trainer(2)
