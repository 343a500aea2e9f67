"""`Drawer`: a thread that redraws a panel while something goes on in it."""

import threading
from collections.abc import Callable

DRAW_EVERY = 0.25


class Drawer:
    """Calls `update` every quarter of a second, or when woken, until `ended` says so.

    It is called once more at the end. An exception of `update` goes to `on_error`; drawing goes
    on.
    """

    def __init__(
        self,
        update: Callable[[], None],
        ended: Callable[[], bool],
        on_error: Callable[[Exception], None],
    ):
        self._update, self._ended, self._on_error = update, ended, on_error
        self._closing, self._woken = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Draw from now on; nothing if that is so already."""
        if self._thread is not None and self._thread.is_alive():
            return
        # An event for each thread: one that outlived its `stop` must not be woken by the next.
        self._closing, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._draw, args=(self._closing, self._woken), daemon=True,
            name="gru4rec-drawing",
        )  # fmt: skip
        self._thread.start()

    def wake(self) -> None:
        """Draw now and not only at the next quarter of a second."""
        self._woken.set()

    def stop(self, timeout: float) -> None:
        """Draw no more; waits at most `timeout` seconds for the picture under way."""
        self._closing.set()
        self._woken.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _draw(self, closing: threading.Event, woken: threading.Event) -> None:
        while True:
            woken.wait(DRAW_EVERY)
            if closing.is_set():
                return
            woken.clear()
            ended = self._ended()
            try:
                self._update()
            except Exception as error:
                self._on_error(error)
            if ended:
                return
