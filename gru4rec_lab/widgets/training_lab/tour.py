"""The guided tour of the lab: it points at what is to be pressed, and waits for the run."""

import threading
from collections.abc import Callable
from typing import Any

from ..tour import Tour
from .run import LabRun
from .tour_steps import STEPS, next_move, tour_numbers, tour_settings


class LabTour(Tour):
    """Holds a running training while a step is read, so that the run lasts for all steps.

    `take` sets the live settings that a step starts from; the others are as for `Tour`.
    """

    def __init__(
        self,
        run: LabRun,
        *,
        take: Callable[[dict[str, Any]], None],
        point: Callable[[str], None],
        guarded: Callable[[Callable[..., None]], Callable[..., None]],
        lock: threading.RLock,
    ):
        self._run, self._take = run, take
        super().__init__(
            STEPS,
            begin=self._start_from,
            read=self._numbers,
            point=point,
            guarded=guarded,
            lock=lock,
            move=lambda *wanted: next_move(run, *wanted),
        )

    def follow(self) -> None:
        """Say what is seen once the run has gone far enough; later looks do not change it."""
        if self.step and not self.done:
            super().follow()
            if self.done:
                self._hold()

    def _start_from(self, start: dict[str, Any]) -> None:
        self._hold()
        self._begun, self._start = (self._run.history, self._run.steps), start
        self._take(start)

    def _numbers(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return tour_settings(self._run, self._begun), tour_numbers(self._run, self._start)

    def _hold(self) -> None:
        if self._run.state == "running":
            self._run.pause()
