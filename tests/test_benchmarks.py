"""The benchmarks that take minutes, with sizes that take a second: they run."""

import importlib
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmarks import __main__ as cpu
from benchmarks import answers, growth, growth_figure, parts, raw_logs, results, sweeps
from benchmarks.cases import CASES, WORDS, options
from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import bench, inside, steps
from benchmarks.official import OfficialTrainer
from benchmarks.official_adapter import make_trainer
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
    yield importlib.import_module("gru4rec_pytorch")
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


@pytest.mark.parametrize(("device", "n_samples"), [("cpu", 200), ("meta", 10_000_000)])
def test_the_official_store_of_samples_is_small_on_a_cpu_alone(official, device, n_samples):
    trainer = OfficialTrainer(str(STUB), CLICKS, SMALL, device)
    (model,) = official.GRU4Rec.models
    trainer.close()
    assert (model.device.type, model.store) == (device, n_samples)


def test_an_official_training_that_ends_is_an_error(official):
    trainer = OfficialTrainer(str(STUB), CLICKS, SMALL)
    n_steps = official.STEPS_OF_EPOCH * official.MOST_EPOCHS
    trainer(n_steps - 1)
    with pytest.raises(RuntimeError, match="ended by itself"):
        trainer(2)


def test_the_cpu_benchmarks_run_the_five_cases_that_a_cpu_can_take():
    assert options("all").parse_args([]).cases == "abcde"
    assert list(CASES) == list(WORDS) == list("abcdefg")


def test_a_case_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        options("all").parse_args(["--cases", "axb"])
    assert "no case 'x'; choose from abcdefg" in capsys.readouterr().err


FILED = """# Benchmarks

Facts.

## Training

| a |

## On a GPU

old

### Steps

## Import

| b |
"""


@pytest.fixture
def filed(tmp_path, monkeypatch):
    """A RESULTS.md of its own."""
    path = tmp_path / "RESULTS.md"
    path.write_text(FILED)
    monkeypatch.setattr(results, "RESULTS", path)
    return path


def test_what_is_read_of_the_results_is_written_as_it_was(filed):
    sections = results.read()
    assert list(sections) == ["", "Training", "On a GPU", "Import"]
    assert sections["On a GPU"] == "old\n\n### Steps"
    results.write(sections)
    assert filed.read_text() == FILED


def test_results_can_be_written_where_there_are_none(filed):
    filed.unlink()
    results.write(results.read() | {"On a GPU": "new"})
    assert filed.read_text() == "## On a GPU\n\nnew\n"


class Part:
    """In place of a benchmark."""

    HEAD, SECONDS = ("what", "ms", "x"), 1

    @staticmethod
    def rows(_):
        return [("this", "1", "2x")]


def test_make_bench_keeps_what_was_measured_on_a_gpu(filed, monkeypatch):
    monkeypatch.setattr(cpu, "PARTS", {"Training": Part})
    monkeypatch.setattr("sys.argv", ["bench"])
    cpu.main()
    sections = results.read()
    assert list(sections) == ["", "Training", "On a GPU"]
    assert sections["Training"].endswith("| this | 1 | 2x |")
    assert sections["On a GPU"] == "old\n\n### Steps"


TRIAL = ["--device", "cpu", "--tiny", "--rounds", "1"]


def rows_of(text):
    """The cells of every row of every table."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines if not line.startswith("| ---")]


@pytest.mark.slow
def test_a_trial_of_the_gpu_benchmark_measures_all_and_leaves_the_results_alone(
    official, filed, tmp_path
):
    out = tmp_path / "out"
    gpu.main([*TRIAL, "--cases", "bf", "--official", str(STUB), "--out", str(out)])
    text = (out / "gpu.md").read_text()
    assert text.startswith("## On a GPU\n\n`python -m benchmarks.gpu --official official` on 2")
    assert [line[4:] for line in text.splitlines() if line.startswith("### ")] == list(gpu.PARTS)
    n_rows = {steps: 2, gpu.epoch: 2, gpu.ranking: 2, gpu.growth: 2, inside: 2}
    tables = text.split("### ")[1:]
    for part, table in zip(gpu.PARTS.values(), tables, strict=True):
        head, *rows = rows_of(table)
        assert tuple(head) == part.HEAD
        assert len(rows) == n_rows[part]
        assert {len(row) for row in rows} == {len(head)}
    for word in ("Error", "left out", "nan"):
        assert word not in text
    for _, step, *times in rows_of(tables[0])[1:]:
        assert step == "plain"
        assert [time.split("x ")[0].rstrip("%").replace(".", "").isdigit() for time in times] == (
            [True] * 5 + [False] * 3
        )
    assert filed.read_text() == FILED


def test_the_gpu_benchmark_writes_its_own_section_alone(filed, monkeypatch):
    monkeypatch.setattr(bench, "USUAL", bench.TINY)
    monkeypatch.setattr(gpu, "PARTS", {"Growth": gpu.growth})
    gpu.main(["--device", "cpu"])
    sections = results.read()
    assert [sections[name] for name in ("", "Training", "Import")] == [
        "# Benchmarks\n\nFacts.",
        "| a |",
        "| b |",
    ]
    assert [row[:2] for row in rows_of(sections["On a GPU"])] == [
        ["items", "step"],
        ["50", "plain"],
        ["80", "plain"],
    ]
    assert "old" not in sections["On a GPU"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_the_gpu_benchmark_says_that_there_is_no_device(filed, tmp_path, capsys):
    gpu.main(["--out", str(tmp_path / "out")])
    assert capsys.readouterr().out == "no CUDA device here: nothing to measure\n"
    assert filed.read_text() == FILED
    assert not (tmp_path / "out").exists()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_trial_on_a_gpu_measures_all(filed, tmp_path):
    gpu.main(["--tiny", "--rounds", "1", "--out", str(tmp_path)])
    assert "Error" not in (tmp_path / "gpu.md").read_text()


class Broken(Part):
    """Its second row fails."""

    @staticmethod
    def rows(_):
        def fail():
            raise RuntimeError("no | memory\nnor time")

        return {"first": lambda: ("1", "2x"), "second": fail, "third": lambda: ("3", "4x")}


def trial(*more):
    """The benchmark as `main` makes it for a trial."""
    parser = gpu.parser()
    return bench.Bench(parser.parse_args([*TRIAL, *more]))


def test_a_row_that_fails_shows_its_error_and_the_next_is_measured():
    assert list(gpu.rows(trial(), Broken)) == [
        ("first", "1", "2x"),
        ("second", "RuntimeError: no / memory", ""),
        ("third", "3", "4x"),
    ]


def test_rows_for_which_no_time_is_left_are_named():
    for part in gpu.PARTS.values():
        made = list(gpu.rows(trial("--seconds", "1"), part))
        assert len(made) >= 2
        assert all(row[0] and row[1] == "left out: no time" for row in made)


def works(n):
    return n


def fails_later():
    calls = iter(range(3))
    return lambda n: next(calls)


def test_a_side_that_fails_leaves_its_error_and_the_others_go_on():
    def no_memory():
        raise RuntimeError("out of memory")

    makers = {"ours": lambda: works, "none": no_memory, "late": fails_later}
    race = bench.Race(trial("--rounds", "3"), makers)
    assert len(race.times["ours"]) == 3
    assert float(race.milliseconds("ours")) >= 0
    assert race.times_faster("none", "ours") == "RuntimeError: out of memory"
    assert race.milliseconds("late").startswith("StopIteration")
    assert race.times_faster("ours", "none") == "-"
    assert race.milliseconds("official") == "-"


def test_lines_that_wait_for_the_gpu_are_found(monkeypatch):
    def sync_debug_mode(mode):
        warnings.warn("Synchronization debug mode is a prototype feature", stacklevel=1)

    def side(n):
        for _ in range(n):
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", sync_debug_mode)
    line = side.__code__.co_firstlineno + 2
    assert inside.watched(side, 2) == [f"test_benchmarks.py:{line}"] * 2


def test_weights_that_differ_between_two_runs_are_counted(monkeypatch):
    runs = iter([torch.zeros(2, 3), torch.tensor([[0.0, 0, 0], [0, -0.0, 1e-30]])])
    taken = lambda side, n: [next(runs).view(torch.int32)]  # noqa: E731
    monkeypatch.setattr(inside, "weights_after", taken)
    made = trial()
    assert inside.differences(made, made.settings("c"), "plain") == "2 of 6 weights differ"


def test_growth_is_measured_over_items_that_are_all_clicked_and_drawn():
    sessions = gpu.growth.sessions_over(70)
    assert sessions.support.min() >= 1
    assert sessions.lengths.min() >= 2
    assert sessions.lengths.sum() == sessions.n_clicks == 21 * 70


@pytest.mark.slow
def test_the_benchmark_of_sweeps_measures_all(capsys):
    sweeps.main(["--quick"])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert tuple(rows[0]) == sweeps.HEAD
    assert [len(row) for row in rows] == [3] * 8


@pytest.mark.skipif(sys.platform != "linux", reason="its memory is read from /proc")
def test_a_raw_file_is_made_and_each_step_on_it_measured(monkeypatch):
    monkeypatch.setattr(raw_logs, "BLOCK", 1000)
    table = list(raw_logs.rows(3000))
    assert [row[0] for row in table] == list(raw_logs.STEPS)
    assert 2500 < int(table[0][1].replace(",", "")) < 3500
    assert all(0 < float(row[-1]) < 4 for row in table)


def test_answers_are_timed(monkeypatch):
    for name, size in {"N_ITEMS": 50, "N_VISITS": 3, "LENGTH": 4, "N_SESSIONS": 5}.items():
        monkeypatch.setattr(answers, name, size)
    for row in answers.rows():
        assert len(row) == len(answers.HEAD)
        assert all(float(cell.strip("%").replace(",", "")) > 0 for cell in row)
