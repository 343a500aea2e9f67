"""Sweeps: what is tried, where it runs, what is kept, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from joblib.externals.loky import get_reusable_executor

from gru4rec_lab import LOSSES, Config, evaluate, fit, grid, load_sessions, load_sweep, sweep
from gru4rec_lab.sweeps import local, trial
from gru4rec_lab.sweeps.data import SweepData, mapped
from gru4rec_lab.sweeps.store import Store
from gru4rec_lab.sweeps.sweep import Sweep
from gru4rec_lab.sweeps.trial import TIMES

from .labs import until

TINY = Config(
    layers=(6,), batch_size=16, n_sample=4, n_epochs=2, report_every=20, device="cpu", step="plain"
)
LONG = TINY.with_changes(n_epochs=1_000_000)
EXPLODING = TINY.with_changes(learning_rate=1e38)
FOUR = grid(TINY, loss=["bpr", "bpr-max"], seed=[0, 1])


@pytest.fixture(scope="module")
def split():
    return load_sessions("world:cycle", n_sessions=120, n_items=20).split_last(fraction=0.2)


@pytest.fixture(scope="module")
def serial(split):
    """The four trials, one after the other."""
    return sweep(FOUR, *split, progress=False)


def lasting(results):
    """All that does not differ from run to run."""
    return [{name: row[name] for name in row if name not in TIMES} for row in results.rows]


def workers():
    """The processes of joblib's workers."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            if "LokyProcess" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.fixture(scope="module", autouse=True)
def idle_workers_end():
    """joblib keeps its workers for the next sweep."""
    yield
    end_workers()


def end_workers():
    get_reusable_executor(max_workers=1).shutdown(kill_workers=True)
    until(lambda: not workers())


# Trials


def test_a_grid_has_each_combination_once_and_the_last_setting_varies_fastest():
    trials = grid(TINY, loss=["bpr", "bpr-max"], n_sample=(0, 4, 4), seed=1)
    found = [(trial.loss, trial.n_sample, trial.seed) for trial in trials]
    assert found == [("bpr", 0, 1), ("bpr", 4, 1), ("bpr-max", 0, 1), ("bpr-max", 4, 1)]
    assert trials[0] == TINY.with_changes(loss="bpr", n_sample=0, seed=1)


def test_layers_take_a_tuple_as_one_value_and_a_list_as_several():
    assert [trial.layers for trial in grid(layers=(8, 4))] == [(8, 4)]
    assert [trial.layers for trial in grid(layers=[8, (8, 4)])] == [(8,), (8, 4)]
    assert [trial.seed for trial in grid(seed=range(2))] == [0, 1]
    assert [trial.sample_alpha for trial in grid(sample_alpha=np.array([0, 0.5]))] == [0.0, 0.5]


def test_a_grid_shows_how_many_trials_it_has_and_what_varies():
    assert repr(FOUR) == "4 trials; loss bpr, bpr-max; seed 0, 1"
    assert repr(grid(TINY)) == "1 trial"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_samples": [1]}, "unknown setting 'n_samples'; choose one of layers"),
        ({"loss": []}, r"loss has no values; give at least one, for example \['cross-entropy'\]"),
        ({"loss": ["bpr"], "n_sample": [0, -1]},
         r"trial 2 of 2 \(loss='bpr', n_sample=-1\): n_sample must be a whole number"),
        ({"loss": ["hinge"]}, r"trial 1 of 1 \(loss='hinge'\): unknown loss 'hinge'"),
    ],
)  # fmt: skip
def test_a_grid_that_cannot_run_is_refused_and_the_trial_named(settings, message):
    with pytest.raises(ValueError, match=message):
        grid(TINY, **settings)


# Rows


def test_a_row_holds_what_fit_and_evaluate_give(split, serial):
    model = fit(FOUR[2], split[0], progress=False)
    quality, row = evaluate(model, split[1], k=(1, 20)), serial.row(FOUR[2])
    assert row["recall@1"] == quality.recall[1]
    assert row["mrr@20"] == quality.mrr[20]
    assert row["mrr@20_se"] == quality.standard_error("mrr", 20)
    assert (row["loss"], row["seed"], row["layers"]) == ("bpr-max", 0, [6])
    assert (row["epochs"], row["targets"], row["error"]) == (2, quality.n_targets, None)
    assert (row["ran_on"], row["ran_step"]) == ("cpu", "plain")


def test_results_are_a_table_with_a_row_a_trial_and_a_history_each(serial):
    frame = serial.frame()
    assert frame["loss"].tolist() == ["bpr", "bpr", "bpr-max", "bpr-max"]
    assert frame["layers"].tolist() == [(6,)] * 4
    assert {"recall@1", "recall@20", "mrr@20", "training_loss", "seconds", "steps"} <= {*frame}
    history = serial.history(FOUR[1])
    ends = history.dropna()
    assert ends["epoch"].tolist() == [1, 2]
    assert ends["recall@20"].iloc[-1] == frame["recall@20"][1]
    assert history["step"].iloc[-1] == frame["steps"][1]
    assert history.equals(serial.history(1))
    assert repr(serial) == "4 trials: 4 done"
    with pytest.raises(ValueError, match="this trial has not ended: Config"):
        serial.history(LONG)
    with pytest.raises(ValueError, match="there is no row 4; 4 trials: 4 done"):
        serial.history(4)


def test_an_untrained_model_has_metrics_too(split):
    (row,) = sweep([TINY.with_changes(n_epochs=0)], *split, k=[5], progress=False).rows
    assert (row["epochs"], row["steps"], row["training_loss"], row["history"]) == (0, 0, None, [])
    assert 0 <= row["mrr@5"] <= row["recall@5"] <= 1
    assert "recall@20" not in row


def test_a_trial_that_fails_is_a_row_with_its_error_and_the_others_run(split, tmp_path):
    results = sweep([EXPLODING, FOUR[0]], *split, store=tmp_path, progress=False)
    failed, done = results.rows
    assert failed["error"].startswith("NonFiniteLoss: the cross-entropy loss is not finite at step")
    assert failed["recall@20"] is None
    assert done["error"] is None
    assert repr(results) == "2 trials: 1 done, 1 failed"


def test_a_failed_trial_runs_again_on_request_alone(split, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(local, "run_trial", lambda task, *_: tried.append(task) or row(task, "odd"))
    for retry_failed in (False, False, True):
        sweep([TINY], *split, store=tmp_path, retry_failed=retry_failed, progress=False)
    assert len(tried) == 2


def row(task, error):
    return task.settings | {"finished_at": "now", "error": error, "history": []}


def test_this_process_has_its_threads_back(split):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for ended in Sweep(FOUR[:2], *split):
            assert ended["error"] is None
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# Data


def test_data_is_written_and_mapped_back_without_names(split, tmp_path):
    data = SweepData.of(*split)
    data.save(str(tmp_path))
    again = mapped(str(tmp_path))
    assert isinstance(again.train_items.base, np.memmap)
    assert again.fingerprint == data.fingerprint
    for mine, given in zip((again.train, again.test), split, strict=True):
        assert np.array_equal(mine.items, given.items)
        assert np.array_equal(mine.offsets, given.offsets)
        assert mine.n_items == split[0].n_items


def test_other_data_has_another_fingerprint(split):
    train_set, test_set = split
    fewer = test_set.take(np.arange(test_set.n_sessions) > 0)
    assert SweepData.of(train_set, fewer).fingerprint != SweepData.of(*split).fingerprint


# Store


def test_a_sweep_that_runs_again_trains_nothing(split, serial, tmp_path, monkeypatch):
    first = sweep(FOUR, *split, store=tmp_path, progress=False)
    monkeypatch.setattr(local, "run_trial", None)
    again = sweep(FOUR, *split, store=str(tmp_path), progress=False)
    assert again.rows == first.rows
    assert lasting(again) == lasting(serial)


def test_a_store_is_a_folder_that_pandas_reads(split, tmp_path):
    results = sweep(FOUR, *split, store=tmp_path, progress=False)
    paths = sorted(tmp_path.glob("*.jsonl"))
    assert len(paths) == len(list(tmp_path.iterdir())) == 4
    frame = pd.concat(pd.read_json(path, lines=True) for path in paths)
    assert sorted(frame["mrr@20"]) == pytest.approx(sorted(results.frame()["mrr@20"]))
    stored = load_sweep(tmp_path)
    assert len(stored) == 4
    assert stored.row(FOUR[3]) == results.rows[3]


def test_rows_of_other_data_cut_offs_and_versions_are_left_alone(split, tmp_path, monkeypatch):
    sweep(FOUR[:1], *split, store=tmp_path, progress=False)
    shorter = split[0].sample(60), split[1]
    assert len(sweep(FOUR[:1], *shorter, store=tmp_path, progress=False)) == 1
    assert len(sweep(FOUR[:1], *split, store=tmp_path, k=[5], progress=False)) == 1
    monkeypatch.setattr(trial, "library_version", lambda: "9.9")
    assert len(sweep(FOUR[:1], *split, store=tmp_path, progress=False)) == 1
    stored = load_sweep(tmp_path).frame()
    assert len(stored) == 4
    assert stored["data"].nunique() == stored["version"].nunique() == 2


def test_a_damaged_file_is_run_again_and_named_when_read(split, tmp_path):
    sweep(FOUR[:1], *split, store=tmp_path, progress=False)
    (path,) = tmp_path.iterdir()
    whole = json.loads(path.read_text())
    path.write_text(path.read_text()[:100])
    with pytest.raises(ValueError, match=f"{path.name} is damaged"):
        load_sweep(tmp_path)
    (again,) = sweep(FOUR[:1], *split, store=tmp_path, progress=False).rows
    assert again["mrr@20"] == whole["mrr@20"] == load_sweep(tmp_path).rows[0]["mrr@20"]


def test_two_sweeps_on_one_store_are_safe(split, serial, tmp_path):
    results = [None, None]

    def run(number):
        results[number] = sweep(FOUR, *split, store=tmp_path, progress=False)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lasting(results[0]) == lasting(results[1]) == lasting(serial)
    assert len(list(tmp_path.iterdir())) == 4


def test_no_store_is_an_error_that_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no trials in .*nowhere"):
        load_sweep(tmp_path / "nowhere")


# What is refused before anything is trained


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "threads"}, "unknown backend 'threads'; choose one of serial, loky, dask"),
        ({"n_jobs": 2}, "n_jobs=2 is not possible with backend='serial'"),
        ({"n_jobs": 0, "backend": "loky"}, "n_jobs must be .* at least 1, got 0"),
        ({"client": object()}, "backend='serial' uses no client"),
        ({"k": []}, "there is no cut-off"),
        ({"k": [0]}, "each cut-off in k must be .*, got 0"),
    ],
)
def test_what_a_sweep_cannot_do_is_refused(split, options, message):
    with pytest.raises(ValueError, match=message):
        Sweep([TINY], *split, **options)


@pytest.mark.parametrize(
    ("trials", "message"),
    [([], "there are no trials"), (["bpr"], "a trial is a Config, got 'bpr'")],
)
def test_what_is_no_trial_is_refused(split, trials, message):
    with pytest.raises(ValueError, match=message):
        Sweep(iter(trials), *split)


def test_data_that_cannot_be_trained_on_is_refused(split):
    train_set, test_set = split
    none = np.zeros(train_set.n_sessions, dtype=bool)
    with pytest.raises(ValueError, match="there are no sessions"):
        Sweep([TINY], train_set.take(none), test_set)
    with pytest.raises(ValueError, match="none of the 0 test sessions has 2 clicks"):
        Sweep([TINY], train_set, test_set.take(np.zeros(test_set.n_sessions, dtype=bool)))


def test_a_store_that_cannot_be_written_is_refused(split, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(ValueError, match=r"cannot write to the store .*taken"):
        Sweep([TINY], *split, store=taken)
    Store(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


# Processes


def test_processes_give_the_rows_of_one_process(split, serial):
    assert lasting(sweep(FOUR, *split, backend="loky", n_jobs=2, progress=False)) == lasting(serial)


def test_a_sweep_shows_its_progress(split, capfd):
    sweep(FOUR[:2], *split)
    assert "2/2" in capfd.readouterr().err


def in_background(sweep):
    """The thread that takes all rows of a sweep, and the list that they come into."""
    rows = []
    thread = threading.Thread(target=lambda: [rows.append(each) for each in sweep])
    thread.start()
    return thread, rows


@pytest.mark.parametrize(("backend", "n_jobs"), [("serial", None), ("loky", 2)])
def test_a_sweep_is_cancelled_from_another_thread_and_goes_on(
    split, serial, tmp_path, backend, n_jobs
):
    options = {"backend": backend, "n_jobs": n_jobs, "store": tmp_path}
    under_way = Sweep([*FOUR[:2], LONG, LONG.with_changes(seed=1)], *split, **options)
    thread, rows = in_background(under_way)
    until(lambda: len(rows) == 2)
    under_way.cancel()
    thread.join()
    assert repr(under_way.results) == "4 trials: 2 done, 2 not run"
    assert len(list(under_way)) == 2
    if backend == "loky":
        until(lambda: not workers())
    results = sweep(FOUR, *split, progress=False, **options)
    assert results.rows[:2] == under_way.results.rows
    assert lasting(results) == lasting(serial)


def test_a_sweep_that_is_cancelled_before_it_starts_trains_nothing(split):
    under_way = Sweep([LONG], *split)
    under_way.cancel()
    assert list(under_way) == []


@pytest.mark.parametrize("backend", ["serial", "loky"])
def test_who_leaves_the_loop_leaves_no_process_and_no_warning(split, tmp_path, backend):
    n_jobs = 2 if backend == "loky" else None
    under_way = Sweep([*FOUR, LONG], *split, backend=backend, n_jobs=n_jobs, store=tmp_path)
    for ended in under_way:
        assert ended["error"] is None
        break
    if backend == "loky":
        until(lambda: not workers())
    assert len(under_way.results) == len(list(tmp_path.iterdir())) >= 1


def test_an_interrupt_keeps_the_results_so_far(split, tmp_path, monkeypatch):
    def interrupted(task, *_):
        if task.config == FOUR[2]:
            raise KeyboardInterrupt
        return row(task, None)

    monkeypatch.setattr(local, "run_trial", interrupted)
    results = sweep(FOUR, *split, store=tmp_path, progress=False)
    assert repr(results) == "4 trials: 2 done, 2 not run"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_result(split, serial):
    end_workers()
    under_way = Sweep(FOUR, *split, backend="loky", n_jobs=2)
    for number, _ in enumerate(under_way):
        if number == 0:
            workers()[0].kill()
    assert lasting(under_way.results) == lasting(serial)


@pytest.mark.slow
def test_workers_that_die_again_and_again_are_an_error(split):
    end_workers()
    under_way = Sweep([LONG, LONG.with_changes(seed=1)], *split, backend="loky", n_jobs=2)
    ended = threading.Event()

    def kill():
        while not ended.wait(0.05):
            for worker in workers():
                worker.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(RuntimeError, match="workers died 3 times, with 2 trials left"):
            list(under_way)
    finally:
        ended.set()
        killer.join()


SCRIPT = """
import sys
from gru4rec_lab import Config, load_sessions, sweep
from tests.test_sweeps import FOUR, LONG

if __name__ == "__main__":
    split = load_sessions("world:cycle", n_sessions=120, n_items=20).split_last(fraction=0.2)
    trials = [*FOUR[:2], LONG, LONG.with_changes(seed=1)]
    print(sweep(trials, *split, backend=sys.argv[1], store=sys.argv[2], progress=False,
                n_jobs=2 if sys.argv[1] == "loky" else None))
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_whose_process_is_ended_goes_on_where_it_was(split, serial, tmp_path, ending):
    store, temporary = tmp_path / "store", tmp_path / "temporary"
    temporary.mkdir()
    started = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "loky", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[1],
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    until(lambda: len(list(store.glob("*.jsonl"))) == 2)
    children = psutil.Process(started.pid).children(recursive=True)
    if ending == signal.SIGKILL:
        started.kill()
    else:
        os.killpg(started.pid, ending)  # as Ctrl-C in a terminal: the workers get it too
    printed, _ = started.communicate()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert not list(temporary.glob("gru4rec-sweep-*"))
    if ending == signal.SIGINT:
        assert printed == "4 trials: 2 done, 2 not run\n"
    kept = load_sweep(store).rows
    results = sweep(FOUR, *split, store=store, progress=False)
    assert all(each in results.rows for each in kept)
    assert lasting(results) == lasting(serial)


# A learner's own loss

HINGE = """
def hinge(target, negatives):
    return (MARGIN + negatives - target[:, None]).clamp(min=0).square().mean(dim=1)
"""


@pytest.fixture
def cell():
    """Defines `hinge` as a cell of a notebook would, with names of its own; takes it back."""

    def define(**names):
        space = {"__name__": "__main__", "MARGIN": 1.0} | names
        exec(HINGE, space)
        LOSSES.add("hinge", space["hinge"])

    define()
    yield define
    LOSSES.remove("hinge")


def test_a_loss_of_a_notebook_travels_to_processes(split, cell):
    trials = grid(TINY, loss="hinge", seed=[0, 1])
    here = sweep(trials, *split, progress=False)
    there = sweep(trials, *split, backend="loky", n_jobs=2, progress=False)
    assert [each["error"] for each in there.rows] == [None, None]
    assert lasting(there) == lasting(here)


def test_a_changed_loss_of_the_same_name_is_another_trial(split, tmp_path, cell):
    trials, rows = grid(TINY, loss="hinge", seed=[0, 1]), []
    for margin in (1.0, 2.0, 1.0):
        cell(MARGIN=margin)
        options = {"store": tmp_path, "backend": "loky", "n_jobs": 2}
        rows.append(sweep(trials, *split, progress=False, **options).rows)
    assert rows[0] == rows[2]
    assert rows[0][0]["training_loss"] != rows[1][0]["training_loss"]
    assert len(list(tmp_path.iterdir())) == 4


def test_a_loss_that_cannot_travel_is_refused(split, cell):
    class Margin:
        lock = threading.Lock()

        def __radd__(self, other):
            return other + 1.0

        def __add__(self, other):
            return other + 1.0

    cell(MARGIN=Margin())
    with pytest.raises(ValueError, match="your loss 'hinge' cannot be sent to other processes"):
        Sweep([TINY.with_changes(loss="hinge")], *split, backend="loky", n_jobs=2)
