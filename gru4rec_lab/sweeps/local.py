"""Trials on this machine: one after the other in this process, or side by side in others."""

import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Protocol, runtime_checkable

import torch

from .data import SweepData, mapped
from .trial import Row, Task, run_trial

# How often in a row workers may die before any of them has finished a trial.
PATIENCE = 3
# Seconds that idle workers wait for the next sweep.
IDLE = 60


@runtime_checkable
class Backend(Protocol):
    """What runs the trials of a sweep.

    Attributes:
        travels: whether trials leave this process, and own losses with them.
    """

    travels: bool

    def run(self, tasks: list[Task]) -> Iterator[tuple[Task, Row]]:
        """Each trial with its row, in the order in which they end.

        Raises:
            RuntimeError: workers died again and again.
        """

    def cancel(self) -> None:
        """End all trials now, from any thread; `run` then ends without them."""


class Serial:
    """One trial after the other, in this process."""

    travels = False

    def __init__(self, data: SweepData):
        self._data, self._cancelled = data, threading.Event()

    def run(self, tasks: list[Task]) -> Iterator[tuple[Task, Row]]:
        """As `Backend` says."""
        for task in tasks:
            threads = torch.get_num_threads()
            try:
                row = run_trial(task, self._data, self._cancelled.is_set)
            finally:
                torch.set_num_threads(threads)
            if row is None:
                return
            yield task, row

    def cancel(self) -> None:
        """As `Backend` says; a trial under way ends after its step."""
        self._cancelled.set()


class Processes:
    """Trials side by side in processes of this machine, by joblib.

    The processes map the data into their memory, where it is there once for all of them. They end
    when they have been idle for a minute, or when this process does.
    """

    travels = True

    def __init__(self, data: SweepData, n_jobs: int):
        self._data, self._n_jobs = data, n_jobs
        self._cancelled, self._running = False, False

    def run(self, tasks: list[Task]) -> Iterator[tuple[Task, Row]]:
        """As `Backend` says."""
        left, failures = {task.address: task for task in tasks}, 0
        with TemporaryDirectory(prefix="gru4rec-sweep-", ignore_cleanup_errors=True) as folder:
            self._data.save(folder)
            while left and not self._cancelled:
                try:
                    for address, row in self._outcomes(folder, list(left.values())):
                        failures = 0
                        yield left.pop(address), row
                # A worker died and the others were ended with it, or someone ended them all.
                except RuntimeError as error:
                    failures += 1
                    if failures == PATIENCE and not self._cancelled:
                        raise RuntimeError(
                            f"workers died {failures} times, with {len(left)} trials left to do; "
                            f"is there memory for {self._n_jobs} at a time? try a smaller n_jobs"
                        ) from error

    def _outcomes(self, folder: str, tasks: list[Task]) -> Iterator[tuple[str, Row]]:
        from joblib import Parallel, delayed, parallel_config

        work = delayed(partial(_on_mapped, folder, os.getpid()))
        n_jobs = max(2, min(self._n_jobs, len(tasks)))  # with one job joblib starts no process
        with parallel_config(
            "loky", n_jobs=n_jobs, inner_max_num_threads=1, idle_worker_timeout=IDLE
        ):
            parallel = Parallel(return_as="generator_unordered", batch_size=1)
        self._running = True
        try:
            yield from parallel(work(task) for task in tasks if not self._cancelled)
        finally:
            self._running = False

    def cancel(self) -> None:
        """As `Backend` says; the processes are killed."""
        from joblib.externals.loky import get_reusable_executor

        self._cancelled = True
        if self._running:
            get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _on_mapped(folder: str, parent: int, task: Task) -> tuple[str, Row]:
    """What a process does; it ends, and its files with it, when nobody is left who asked."""

    def stop() -> bool:
        if os.getppid() != parent:
            rmtree(folder, ignore_errors=True)
            os.kill(os.getpid(), signal.SIGTERM)
        return False

    return task.address, run_trial(task, mapped(folder), stop)
