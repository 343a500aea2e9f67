"""`LiveRun`: a training in a background thread that can be paused, stepped, resumed, stopped."""

import atexit
import queue
import threading
import weakref
from collections.abc import Callable, Iterator

from .events import Event, Finished, StepDone

_STARTED: "weakref.WeakSet[LiveRun]" = weakref.WeakSet()
_THREADS: "weakref.WeakSet[threading.Thread]" = weakref.WeakSet()


class LiveRun:
    """Drives a generator of events in a daemon thread and hands them over through `poll`.

    The thread touches tensors and a queue, never a widget. It calls `on_event` with each event that
    `poll` will hand over. A run that nobody refers to any more ends, paused or not.

    Attributes:
        state: idle, running, paused, stopped, finished or failed.
        steps: number of steps done.
        error: what ended a failed run.
    """

    def __init__(self, events: Iterator[Event], on_event: Callable[[Event], None] | None = None):
        self._on_event = on_event
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._changing = threading.RLock()
        self._single_steps, self._stopping = 0, False
        self.state = "idle"
        self.steps = 0
        self.error: Exception | None = None
        # A held thread waits for an entry here. Not an Event: the finaliser below may run in the
        # middle of its `wait`, where `set` would wait for itself; this queue's `put` never does.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        given = weakref.ref(self), events, self._wake
        self._thread = threading.Thread(
            target=_drive, args=given, daemon=True, name="gru4rec-training"
        )
        weakref.finalize(self, self._wake.put, None)

    def start(self) -> None:
        """Begin training.

        Raises:
            RuntimeError: the run was started before; make a new one.
        """
        with self._changing:
            if self.state != "idle":
                raise RuntimeError(
                    f"this run is {self.state} and cannot start again; make a new one"
                )
            self.state = "running"
            _STARTED.add(self)
            _THREADS.add(self._thread)
            self._thread.start()

    def pause(self) -> None:
        """Hold before the next step; the step under way completes."""
        with self._changing:
            if self.state == "running":
                self.state = "paused"

    def resume(self) -> None:
        """Go on after `pause` or `step`; nothing if the run is idle or has ended meanwhile."""
        with self._changing:
            if self.state in ("running", "paused"):
                self.state, self._single_steps = "running", 0
        self._wake.put(None)

    def step(self) -> None:
        """One more step of a run that is paused or takes one, then pause; starts an idle one."""
        with self._changing:
            if self.state in ("idle", "paused") or self._single_steps:
                self._single_steps += 1
            if self.state == "idle":
                self.start()
        self._wake.put(None)

    def stop(self, timeout: float = 5.0) -> bool:
        """End after the step under way; True once the thread ended, within `timeout` seconds."""
        with self._changing:
            if self.state == "idle":
                self.state = "stopped"
            self._stopping = True
        self._wake.put(None)
        return self._thread.ident is None or self.wait(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the run has ended, for scripts and tests; True if it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def poll(self) -> list[Event]:
        """Events since the last call but for `StepDone`, oldest first; never blocks."""
        return [self._events.get() for _ in range(self._events.qsize())]

    def _hand_over(self, event: Event) -> None:
        if not isinstance(event, StepDone):
            self._events.put(event)
            if self._on_event is not None:
                self._on_event(event)
            return
        with self._changing:
            self.steps = event.step
            if self._single_steps:
                self._single_steps -= 1
                self.state = "paused"

    def _holds_at(self, event: Event) -> bool:
        with self._changing:
            held = self.state == "paused" and not self._single_steps and not self._stopping
        return held and isinstance(event, StepDone)

    def _end(self, state: str, error: Exception | None) -> None:
        with self._changing:
            self.state, self.error = state, error


def _drive(run: "weakref.ref[LiveRun]", events: Iterator[Event], wake: queue.SimpleQueue) -> None:
    """What the thread does: train, as long as there is a run and it was not stopped."""
    state, failure = "finished", None
    try:
        for event in events:
            if not _goes_on(run, event, wake):
                state = "finished" if isinstance(event, Finished) else "stopped"
                events.close()
                break
    except Exception as error:  # kept for whoever shows the run
        state, failure = "failed", error
    live = run()
    if live is not None:
        live._end(state, failure)


def _goes_on(run: "weakref.ref[LiveRun]", event: Event, wake: queue.SimpleQueue) -> bool:
    """Hand over an event and wait where the run is held; whether to train on."""
    live = run()
    if live is not None:
        live._hand_over(event)
    while live is not None and live._holds_at(event):
        # A thread that waits must not keep its run alive.
        live = None
        wake.get()
        live = run()
    return live is not None and not live._stopping


@atexit.register
def _end_all() -> None:
    """End every run with its process.

    Python ends a daemon thread where it stands; in the middle of a torch operation that aborts.
    """
    threads = list(_THREADS)
    for run in list(_STARTED):
        run.stop(timeout=0)
    for thread in threads:
        thread.join(5.0)
