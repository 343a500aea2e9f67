"""`LiveSweep`: sweeps in a background thread, which can be watched and cancelled."""

import threading
from collections.abc import Callable
from typing import Any

from ..data.sessions import Sessions
from .estimate import Estimator
from .store import Results
from .sweep import Sweep
from .trials import Trials

Data = Callable[[], tuple[Sessions, Sessions]]


class LiveSweep:
    """Runs one sweep after the other in a thread, and measures how long one will take.

    `on_news` is called in that thread whenever there is something new to show.

    Attributes:
        state: idle, running, cancelled, finished, or "failed: " and why.
        results: what has ended so far.
        error: what ended the last sweep or measurement; None if nothing did.
    """

    def __init__(self, on_news: Callable[[], None] = lambda: None):
        self._on_news, self._lock = on_news, threading.Lock()
        self._sweep: Sweep | None = None
        self._cancelled = False
        self._threads: list[threading.Thread] = []
        self._estimators: dict[str, Estimator | None] = {}
        self.state, self.results = "idle", Results([], 0)
        self.error: Exception | None = None

    def start(self, trials: Trials, data: Data, **how: Any) -> None:
        """Begin a sweep over these trials, `how` as `Sweep` takes it; `data` loads the sessions.

        Raises:
            RuntimeError: a sweep is running.
        """
        if self.state == "running":
            raise RuntimeError("a sweep is running; cancel it first")
        self.state, self.error, self._sweep, self._cancelled = "running", None, None, False
        self.results = Results([], len(trials))
        self._in_background(self._run, trials, data, how)

    def cancel(self) -> None:
        """End the trials under way; what has ended stays."""
        if self.state == "running":
            with self._lock:
                self._cancelled = True
                if self._sweep is not None:
                    self._sweep.cancel()
            self.wait(timeout=5.0)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing runs or is measured; whether that is so."""
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def seconds(self, trials: Trials, name: str, data: Data, n_jobs: int) -> float | None:
        """How long these trials will take; None until that is measured, in the background.

        `name` tells data sets apart: each is measured once.
        """
        if name not in self._estimators and self.wait(timeout=0):
            self._in_background(self._measure, trials, name, data)
        estimator = self._estimators.get(name)
        return estimator and estimator.seconds(trials, n_jobs)

    def _in_background(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True, name="gru4rec-sweep")
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _run(self, trials: Trials, data: Data, how: dict[str, Any]) -> None:
        state = "finished"
        try:
            sweep = Sweep(trials, *data(), **how)
            with self._lock:
                self._sweep = sweep
                if self._cancelled:
                    sweep.cancel()
            self.results = sweep.results
            for _row in sweep:
                self.results = sweep.results
                self._on_news()
            state = "cancelled" if self._cancelled else state
        except Exception as error:
            self.error, state = error, f"failed: {error}"
        self.state = state
        self._on_news()

    def _measure(self, trials: Trials, name: str, data: Data) -> None:
        try:
            estimator = Estimator(*data())
            estimator.seconds(trials)
            self._estimators[name] = estimator
        except Exception as error:
            self._estimators[name], self.error = None, error
        self._on_news()
