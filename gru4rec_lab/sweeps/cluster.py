"""Trials on a Dask cluster: each worker gets the data once, then one trial after the other.

Dask's own client and not joblib's backend for it: that one trains in the caller's process where a
cluster has one thread, and waits forever for a trial that killed its workers (joblib 1.6).
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING
from uuid import uuid4

from ..environment import PACKAGE
from .data import SweepData
from .trial import Row, Task, add_loss, failed, library_version, run_trial

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 5  # to wait for an answer of the cluster
RESTART = 30  # seconds that all workers may need to come back
PATIENCE = 3  # rounds in a row in which no trial ends


class Cluster:
    """Trials on the workers of a Dask client, as many at a time as they have threads."""

    travels = True

    def __init__(self, data: SweepData, client: "Client | None"):
        self._data, self._client = data, client_of(client)
        self._futures: dict = {}
        self._cancelled = False
        check_workers(self._client)

    def run(self, tasks: list[Task]) -> Iterator[tuple[Task, Row]]:
        """As `Backend` says."""
        check_losses(self._client, {task.own_loss for task in tasks} - {None})
        left, failures = {task.address: task for task in tasks}, 0
        while left and not self._cancelled:
            failures += 1
            try:
                for task, row in self._rows(list(left.values())):
                    failures = 0
                    del left[task.address]
                    yield task, row
                if left and not self._cancelled:  # all workers died, and the data with them
                    check_connection(self._client)
                    self._client.wait_for_workers(1, timeout=RESTART)
            except OSError as error:
                raise self._gone(len(left)) from error
            if failures == PATIENCE and not self._cancelled:
                raise self._gone(len(left))

    def _rows(self, tasks: list[Task]) -> Iterator[tuple[Task, Row]]:
        """The rows of the tasks whose future was not lost."""
        from distributed import as_completed

        client, run = self._client, uuid4().hex[:8]
        data = client.scatter(self._data, broadcast=True, hash=False)
        submit = partial(client.submit, _on_worker, data=data, pure=False)
        self._futures = {
            submit(task, key=f"{task.address}-{run}", priority=-number): task
            for number, task in enumerate(tasks)
        }
        try:
            # Whoever cancelled before the futures were there could not cancel them.
            for future in as_completed([] if self._cancelled else list(self._futures)):
                task, row = self._futures[future], None
                if future.status == "finished":
                    row = future.result()
                elif future.status == "error":  # such as a trial that killed worker after worker
                    row = failed(task, future.exception())
                if row is not None:
                    yield task, row
        finally:
            client.cancel([*self._futures, data], force=True)
            self._futures = {}

    def _gone(self, n_left: int) -> RuntimeError:
        return RuntimeError(
            f"the cluster is gone, its scheduler ({self._client.status}) or its workers, with "
            f"{n_left} trials left to do; start it, connect to it and call sweep again: what is in "
            f"the store is not run again"
        )

    def cancel(self) -> None:
        """As `Backend` says; a trial under way ends after its step."""
        self._cancelled = True
        self._client.cancel(list(self._futures), force=True)


def client_of(client: "Client | None") -> "Client":
    """This client, or the one that was made last in this process.

    Raises:
        ValueError: there is none, or no package to make one.
    """
    if client is not None:
        return client
    try:
        from distributed import Client

        return Client.current()
    except ImportError:
        raise ValueError(
            "backend='dask' needs the package distributed: pip install 'gru4rec-lab[cluster]'"
        ) from None
    except ValueError:
        raise ValueError(
            "backend='dask' needs a client of a cluster: first `from distributed import Client; "
            "client = Client('tcp://scheduler:8786')`"
        ) from None


def check_connection(client: "Client") -> None:
    """Accept a client that has not lost its scheduler; any other waits for it for long.

    Raises:
        ConnectionError: it has.
    """
    if client.status != "running":
        raise ConnectionError(f"no connection to the scheduler: {client.status}")


def check_workers(client: "Client") -> None:
    """Accept a cluster that answers and whose workers have this version of the library.

    Raises:
        ValueError: none or another one.
    """
    try:
        check_connection(client)
        client.wait_for_workers(1, timeout=SECONDS)
        found = client.run(metadata.version, PACKAGE, on_error="return")
    except Exception as error:
        raise ValueError(
            f"no worker answered within {SECONDS} seconds: {error}; start the scheduler and its "
            f"workers, then connect: client = Client('tcp://scheduler:8786')"
        ) from error
    wanted = library_version()
    for worker, version in found.items():
        if version != wanted:
            raise ValueError(
                f"the worker at {worker} has {PACKAGE} {version!r}, here it is {wanted!r}; install "
                f"{PACKAGE}=={wanted} there and start it again"
            )


def check_losses(client: "Client", own_losses: set[bytes]) -> None:
    """Accept own losses that each worker can add.

    Raises:
        ValueError: which worker cannot, and why.
    """
    for own_loss in own_losses:
        for worker, error in client.run(add_loss, own_loss, on_error="return").items():
            if error is not None:
                raise ValueError(
                    f"the worker at {worker} cannot use your loss: {error!r}; define it in the "
                    f"notebook, or give the workers its file: client.upload_file('my_losses.py')"
                )


def _on_worker(task: Task, data: SweepData) -> Row | None:
    return run_trial(task, data, _released())


def _released() -> Callable[[], bool]:
    """Whether nobody waits for this task any more, without asking the scheduler."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def released() -> bool:
        state = worker.state.tasks.get(key)
        return state is None or state.state == "cancelled"

    return released
