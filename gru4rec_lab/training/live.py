"""`LiveRun`: a training in a background thread that can be paused, stepped, resumed, stopped."""

import atexit
import queue
import threading
from collections.abc import Callable, Iterator
from weakref import WeakSet

from .events import Event, Finished, StepDone

_STARTED: "WeakSet[LiveRun]" = WeakSet()


class LiveRun:
    """Drives a generator of events in a daemon thread and hands them over through `poll`.

    The thread touches tensors and a queue, never a widget. It calls `told` with each event that
    `poll` will hand over, for whoever waits to be woken.

    Attributes:
        state: idle, running, paused, stopped, finished or failed.
        steps: number of steps done.
        error: what ended a failed run.
    """

    def __init__(self, events: Iterator[Event], told: Callable[[Event], None] | None = None):
        self._events, self._told = events, told
        self._seen: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._go = threading.Event()
        self._stopping = threading.Event()
        self._one_step = False
        self._thread = threading.Thread(target=self._drive, daemon=True, name="gru4rec-training")
        self._changing = threading.Lock()
        self.state = "idle"
        self.steps = 0
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin training.

        Raises:
            RuntimeError: the run was started before; make a new one.
        """
        if self.state != "idle":
            raise RuntimeError(f"this run is {self.state} and cannot start again; make a new one")
        self.state = "running"
        _STARTED.add(self)
        self._go.set()
        self._thread.start()

    def pause(self) -> None:
        """Hold before the next step; the step under way completes."""
        with self._changing:
            if self.state == "running":
                self._go.clear()
                self.state = "paused"

    def resume(self) -> None:
        """Go on after `pause`."""
        if self.state == "paused":
            self.state = "running"
            self._go.set()

    def step(self) -> None:
        """One more step of a paused run, then pause again; starts an idle one."""
        if self.state == "idle":
            self._one_step = True
            self.start()
        elif self.state == "paused":
            self._one_step = True
            self._go.set()

    def stop(self, timeout: float = 5.0) -> bool:
        """End after the step under way; True once the thread ended, within `timeout` seconds."""
        self._stopping.set()
        self._go.set()
        if self._thread.ident is None:
            self.state = "stopped"
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the run has ended, for scripts and tests; True if it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def poll(self) -> list[Event]:
        """Events since the last call but for `StepDone`, oldest first; never blocks."""
        return [self._seen.get() for _ in range(self._seen.qsize())]

    def _drive(self) -> None:
        try:
            self._follow()
        except Exception as error:  # kept for whoever shows the run
            self.error = error
            self._end("failed")

    def _follow(self) -> None:
        for event in self._events:
            if isinstance(event, StepDone):
                self.steps = event.step
                if self._one_step:
                    self._one_step = False
                    with self._changing:
                        self._go.clear()
                        self.state = "paused"
            else:
                self._seen.put(event)
                if self._told is not None:
                    self._told(event)
            self._go.wait()
            if self._stopping.is_set():
                self._events.close()
                self._end("finished" if isinstance(event, Finished) else "stopped")
                return
        self._end("finished")

    def _end(self, state: str) -> None:
        with self._changing:
            self.state = state


@atexit.register
def _end_all() -> None:
    """End every run with its process.

    Python ends a daemon thread where it stands; in the middle of a torch operation that aborts.
    """
    started = list(_STARTED)
    for run in started:
        run.stop(timeout=0)
    for run in started:
        run.stop()
