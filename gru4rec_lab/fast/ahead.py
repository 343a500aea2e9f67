"""Kernels loaded before they are needed: whoever presses Start shall not wait for numba."""

import contextlib
import threading
from functools import cache


@cache
def load_ahead() -> threading.Thread:
    """Load numba and all kernels in a thread of its own, once a process; returns the thread.

    Importing numba takes half a second, loading its compiled code as long again; the first step or
    ranking would wait for both. Where nothing was compiled before (`make setup` does it), this
    compiles for some 15 seconds. Where that fails, whoever needs the kernels says so.
    """
    # No daemon: a process that ends in the middle of it would abort.
    thread = threading.Thread(target=_load, name="kernel-loading")
    thread.start()
    return thread


def _load() -> None:
    with contextlib.suppress(ImportError, RuntimeError):  # no numba, or no folder for its cache
        from .warm_up import warm_up

        warm_up()
