"""`sweep`: many trainings on the cores of this machine or on a cluster, results as they end."""

import pickle
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import whole
from ..config import Config
from ..data.sessions import Sessions
from ..evaluation.metrics import cutoffs_of
from ..losses import LOSSES
from .data import SweepData
from .local import Backend, Processes, Serial
from .store import Results, Store
from .trial import Row, Task, tasks_of

if TYPE_CHECKING:
    from distributed import Client

BACKENDS = ("serial", "loky", "dask")


class Sweep:
    """A sweep that can be followed: iterate over it, and each row comes when its trial has ended.

    Rows that are in the store come first. A row is stored before it is handed over. Who leaves the
    loop, interrupts it or calls `cancel` from another thread ends the trials under way, and a new
    sweep with the same store goes on from there. Arguments and errors are those of `sweep`.
    """

    def __init__(
        self,
        trials: Iterable[Config],
        train_set: Sessions,
        test_set: Sessions,
        *,
        backend: str = "serial",
        n_jobs: int | None = None,
        client: "Client | None" = None,
        store: str | Path | None = None,
        k: Iterable[int] = (1, 20),
        retry_failed: bool = False,
    ):
        trials = tuple(trials) if isinstance(trials, Iterable) else (trials,)
        _check(trials)
        cutoffs = cutoffs_of(k)
        data = SweepData.of(train_set, test_set)
        self._store = Store(store)
        self._backend = _backend(backend, data, n_jobs, client)
        self._tasks = tasks_of(trials, data, cutoffs)
        self._retry, self._cancelled = retry_failed, False
        kept = {task.address: self._store.get(task.address) for task in self._tasks}
        self._rows = {address: row for address, row in kept.items() if self._is_final(row)}
        left = (task for task in self._tasks if task.address not in self._rows)
        self._left = [_for_travel(task) if self._backend.travels else task for task in left]

    def _is_final(self, row: Row | None) -> bool:
        return row is not None and (row["error"] is None or not self._retry)

    def __iter__(self) -> Iterator[Row]:
        yield from list(self._rows.values())
        if self._cancelled:
            return
        ended = self._backend.run([task for task in self._left if task.address not in self._rows])
        try:
            for task, row in ended:
                self._keep(task, row)
                yield row
        except BaseException:
            self.cancel()
            # What had ended by then is kept; how the others ended is no news.
            with suppress(Exception):
                for task, row in ended:
                    self._keep(task, row)
            raise

    def _keep(self, task: Task, row: Row) -> None:
        self._rows[task.address] = row
        self._store.put(task.address, row)

    def cancel(self) -> None:
        """End the trials under way, from any thread; the iteration then ends."""
        self._cancelled = True
        self._backend.cancel()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def results(self) -> Results:
        """What has ended so far, in the order of the trials."""
        found = (self._rows.get(task.address) for task in self._tasks)
        return Results([row for row in found if row is not None], len(self))


def sweep(
    trials: Iterable[Config],
    train_set: Sessions,
    test_set: Sessions,
    *,
    backend: str = "serial",
    n_jobs: int | None = None,
    client: "Client | None" = None,
    store: str | Path | None = None,
    k: Iterable[int] = (1, 20),
    retry_failed: bool = False,
    progress: bool = True,
) -> Results:
    """Train and evaluate each trial, with a progress bar; Ctrl-C keeps the results so far.

    `backend` is "serial" (in this process), "loky" (in `n_jobs` processes, one a core unless said)
    or "dask" (on the cluster of `client`, or of the client that was made last). All give the same
    numbers, bit for bit on machines of one kind, but for the seconds.

    With a `store`, a folder, a trial that is in it is not run again, so that a sweep goes on where
    it was ended; a trial that failed is only run again with `retry_failed`. What counts is the
    config, the data, the cut-offs `k` and the version of the library: other rows in the store are
    neither shown nor touched.

    Raises:
        ValueError: before anything is trained: no trials, data that cannot be trained on, a store
            that cannot be written to, an own loss that cannot travel, a cluster that does not
            answer.
        RuntimeError: workers died again and again, or the cluster is gone.
    """
    from tqdm.auto import tqdm

    under_way = Sweep(
        trials,
        train_set,
        test_set,
        backend=backend,
        n_jobs=n_jobs,
        client=client,
        store=store,
        k=k,
        retry_failed=retry_failed,
    )
    bar = tqdm(under_way, unit="trial", leave=False, disable=not progress)
    with bar, suppress(KeyboardInterrupt):
        for _ in bar:
            pass
    return under_way.results


def _check(trials: tuple) -> None:
    if not trials:
        raise ValueError("there are no trials; make some, such as grid(loss=['bpr', 'bpr-max'])")
    odd = [trial for trial in trials if not isinstance(trial, Config)]
    if odd:
        raise ValueError(f"a trial is a Config, got {odd[0]!r}; make trials with grid(...)")


def _backend(name: str, data: SweepData, n_jobs: int | None, client: "Client | None") -> Backend:
    if name not in BACKENDS:
        raise ValueError(f"unknown backend {name!r}; choose one of {', '.join(BACKENDS)}")
    if n_jobs is not None and whole("n_jobs", n_jobs) and name != "loky":
        raise ValueError(f"n_jobs={n_jobs} is not possible with backend={name!r}; it is the number "
                         "of processes of backend='loky'")  # fmt: skip
    if client is not None and name != "dask":
        raise ValueError(f"backend={name!r} uses no client; did you mean backend='dask'?")
    if name == "dask":
        from .cluster import Cluster

        return Cluster(data, client)
    if name == "loky":
        from joblib import cpu_count

        n_jobs = n_jobs or cpu_count()
    return Serial(data) if (n_jobs or 1) == 1 else Processes(data, n_jobs)


def _for_travel(task: Task) -> Task:
    """The task with its own loss, if it has one, as bytes that another process can read.

    Raises:
        ValueError: a loss that cannot be pickled.
    """
    import cloudpickle

    loss = LOSSES[task.config.loss]
    if loss.given is None:
        return task
    flags = {"corrects_logq": loss.corrects_logq, "shapes_scores": loss.shapes_scores}
    try:
        pickled = cloudpickle.dumps((loss.name, loss.given, flags))
        pickle.loads(pickled)
    except Exception as error:
        raise ValueError(
            f"your loss {loss.name!r} cannot be sent to other processes: {error}; let it use "
            f"nothing but torch and plain values, or take backend='serial'"
        ) from error
    return replace(task, own_loss=pickled)
