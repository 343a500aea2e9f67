"""Sweeps on a Dask cluster: a scheduler and two workers as processes that talk over TCP."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gru4rec_lab import grid, load_sweep, search, sweep
from gru4rec_lab.sweeps import cluster
from gru4rec_lab.sweeps.sweep import Sweep

from .labs import until
from .test_sweeps import FOUR, LONG, TINY, cell, in_background, lasting, serial, split  # noqa: F401

distributed = pytest.importorskip("distributed", reason="no package distributed: no cluster here")
pytestmark = pytest.mark.slow
MIDDLING = grid(TINY.with_changes(n_epochs=5), loss=["bpr", "bpr-max"], seed=[0, 1])


# They end when the tests could not end them.
ALONE = ("--nthreads", "1", "--no-nanny", "--death-timeout", "60")


def start(command, *options):
    """A scheduler or worker that ends with the tests; what it says is of no interest."""
    arguments = [
        sys.executable,
        "-m",
        f"distributed.cli.dask_{command}",
        *options,
        "--no-dashboard",
    ]
    return subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[1],
    )


class Machines:
    """A scheduler and its workers."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = start("scheduler", "--host", "127.0.0.1", "--port", port)
        self.workers = []
        self.client = distributed.Client(self.address, timeout=60)

    def fill(self):
        """Start workers until there are two."""
        while len(self.workers) < 2:
            self.workers.append(start("worker", self.address, *ALONE))
        self.client.wait_for_workers(2, timeout=60)

    def kill_a_worker(self):
        """End one as a power cut does."""
        worker = self.workers.pop()
        worker.kill()
        worker.wait()


@pytest.fixture(scope="module")
def machines():
    made = Machines()
    yield made
    made.client.close()
    for process in (*made.workers, made.scheduler):
        process.kill()
        process.wait()


@pytest.fixture
def two_workers(machines):
    machines.fill()
    return machines


def test_without_a_client_the_way_out_is_named(split):  # noqa: F811
    with pytest.raises(ValueError, match=r"needs a client .*client = Client\('tcp://scheduler"):
        Sweep(FOUR, *split, backend="dask")


def test_without_the_package_the_way_out_is_named(split, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"needs the package distributed: pip install"):
        Sweep(FOUR, *split, backend="dask")


def test_a_search_chooses_what_it_does_with_as_many_processes(split, two_workers):  # noqa: F811
    pytest.importorskip("optuna", reason="no package optuna: no search here")
    space = {"loss": ["bpr", "bpr-max"], "learning_rate": (0.01, 0.2, "log")}

    def found(**how):
        return search(space, *split, config=TINY, n_trials=12, progress=False, **how)

    there = lasting(found(backend="dask").results)
    assert there == lasting(found(backend="loky", n_jobs=2).results)
    # After ten random points the others depend on what has been told by then.
    assert there != lasting(found(backend="dask", n_jobs=12).results)


def test_a_cluster_gives_the_rows_of_one_process(split, serial, two_workers):  # noqa: F811
    results = sweep(FOUR, *split, backend="dask", progress=False)
    assert lasting(results) == lasting(serial)


def test_workers_of_another_version_are_refused(split, two_workers, monkeypatch):  # noqa: F811
    monkeypatch.setattr(cluster, "library_version", lambda: "9.9")
    with pytest.raises(ValueError, match=r"the worker at tcp.* has gru4rec-lab '.*', here it is"):
        Sweep(FOUR, *split, backend="dask", client=two_workers.client)


def test_a_loss_of_a_notebook_travels_to_a_cluster(split, two_workers, cell):  # noqa: F811
    trials = grid(TINY, loss="hinge", seed=[0, 1])
    there = sweep(trials, *split, backend="dask", progress=False)
    assert lasting(there) == lasting(sweep(trials, *split, progress=False))


def test_a_worker_that_is_killed_costs_a_retry_and_no_result(split, two_workers):  # noqa: F811
    under_way = Sweep(MIDDLING, *split, backend="dask")
    for number, row in enumerate(under_way):
        assert row["error"] is None
        if number == 0:
            two_workers.kill_a_worker()
    assert repr(under_way.results) == "4 trials: 4 done"


def test_when_all_workers_are_killed_new_ones_go_on(split, two_workers):  # noqa: F811
    under_way = Sweep(MIDDLING, *split, backend="dask")
    for number, row in enumerate(under_way):
        assert row["error"] is None
        if number == 0:
            two_workers.kill_a_worker()
            two_workers.kill_a_worker()
            two_workers.fill()
    assert repr(under_way.results) == "4 trials: 4 done"


def executing(machines):
    found = machines.client.run(lambda dask_worker: len(dask_worker.state.executing))
    return sum(found.values())


def test_a_cancelled_sweep_leaves_no_trial_on_the_workers(split, two_workers):  # noqa: F811
    under_way = Sweep([*FOUR[:1], LONG, LONG.with_changes(seed=1)], *split, backend="dask")
    thread, rows = in_background(under_way)
    until(lambda: rows and executing(two_workers) == 2)
    under_way.cancel()
    thread.join()
    until(lambda: executing(two_workers) == 0)
    assert repr(under_way.results) == "3 trials: 1 done, 2 not run"


SCRIPT = """
import sys
from distributed import Client
from gru4rec_lab import load_sessions, sweep
from tests.test_cluster import FOUR, LONG

if __name__ == "__main__":
    split = load_sessions("world:cycle", n_sessions=120, n_items=20).split_last(fraction=0.2)
    with Client(sys.argv[1]) as client:
        trials = [*FOUR[:2], LONG, LONG.with_changes(seed=1)]
        sweep(trials, *split, backend="dask", store=sys.argv[2], progress=False)
"""


def test_a_sweep_whose_process_is_killed_frees_the_cluster_and_goes_on(
    split,  # noqa: F811
    serial,  # noqa: F811
    two_workers,
    tmp_path,
):
    started = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, two_workers.address, str(tmp_path)],
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[1],
    )
    until(lambda: len(list(tmp_path.glob("*.jsonl"))) == 2)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    until(lambda: executing(two_workers) == 0)
    kept = load_sweep(tmp_path).rows
    results = sweep(FOUR, *split, backend="dask", store=tmp_path, progress=False)
    assert all(row in results.rows for row in kept)
    assert lasting(results) == lasting(serial)


def test_a_scheduler_that_is_killed_ends_the_sweep_with_what_to_do(split):  # noqa: F811
    machines = Machines()
    machines.workers.append(start("worker", machines.address, *ALONE))
    machines.client.wait_for_workers(1, timeout=60)
    under_way = iter(Sweep([*FOUR[:1], LONG], *split, backend="dask", client=machines.client))
    try:
        assert next(under_way)["error"] is None
        machines.scheduler.kill()
        with pytest.raises(RuntimeError, match="the cluster is gone.* 1 trials left to do"):
            next(under_way)
        with pytest.raises(ValueError, match="no worker answered .*no connection"):
            Sweep(FOUR, *split, backend="dask", client=machines.client)
    finally:
        machines.client.close(timeout=10)
        for process in (*machines.workers, machines.scheduler):
            process.kill()
            process.wait()
