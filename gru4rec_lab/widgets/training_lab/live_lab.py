"""The running part of the lab: a thread that trains, one that draws, elements between them."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache, partial

from traitlets import TraitError

from ...config import Config, check_setting
from ...data.sessions import Sessions
from ...diagnostics.stored import reference_gradients
from ...training.controls import ControlChanged, Controls
from ...training.events import Event, Observed
from ...training.live import LiveRun
from ..loss_explorer.text import formula
from ..panel import Drawer, Panel, picture_of
from .comparison import Comparison, Pinned
from .history import Course
from .layout import LabElements
from .observation import Pace
from .picture import LabPicture
from .probe import Probe
from .run import SpeedLimit, lab_events, state_of
from .settings import data_of
from .text import pending, status_line

ENDED = ("stopped", "finished", "failed")


class LiveLab(Panel):
    """The part of the `TrainingLab` that runs; a button calls the method of its name."""

    run: LiveRun | None = None
    pinned: Pinned | None = None

    def __init__(
        self,
        sessions: Sessions | None = None,
        config: Config | None = None,
        validation: Sessions | None = None,
        *,
        look_every: int,
        speed_limit: int,
        key: str,
    ):
        super().__init__(key)
        self._data_of = cache(partial(data_of, sessions, validation))
        self._config = config or Config.preset("lab")
        self._look_every = look_every
        self._drawing = threading.RLock()
        self._drawer = Drawer(self.update, self._ended, self.show_error)
        self._shown: Exception | None = None
        self._comparison = Comparison()
        self.controls: Controls | None = None
        self._asked = Probe()
        self._stepping = threading.Lock()
        self._run_config, self._run_data = self._config, None
        self._replaying, self._heard = False, threading.local()
        self.course = Course(self._config.loss, self._config.n_epochs)
        self._pace = Pace(look_every)
        self._speed_limit = SpeedLimit(speed_limit)
        self._elements = LabElements(self._config, speed_limit, own_data=sessions is not None)
        self._lab_picture = LabPicture(self._reference())
        self.picture = picture_of(self._lab_picture.plot)

    @property
    def state(self) -> str:
        """idle, loading, running, paused, stopped, finished, or "failed: " and why."""
        return state_of(self.run, self.course)

    def start(self) -> None:
        """Begin a run with the settings shown; go on after a pause; nothing while running."""
        self._begin()
        if self.run.state == "paused":
            self.run.resume()
        elif self.run.state == "idle":
            self.run.start()
        self._follow()

    def pause(self) -> None:
        """Pause a running training, resume a paused one."""
        if self.run is not None and self.run.state == "paused":
            self.run.resume()
        elif self.run is not None:
            self.run.pause()
        self._tell()

    def step(self) -> None:
        """Train one step, look at the model and pause; from the start if no run is going."""
        self._begin()
        if self.run.state == "running":
            self.run.pause()
        else:
            self._pace.soon = True
            self.run.step()
        self._follow()

    def stop(self, timeout: float = 5.0) -> None:
        """End the run after its step under way; waits at most `timeout` seconds for each thread."""
        self._speed_limit.free()
        ended = self._ended() or self.run.stop(timeout)
        self._drawer.stop(timeout)
        self.update()
        if not ended:
            raise TimeoutError(f"the step under way goes on after {timeout:g} s; stop again later")

    def reset(self) -> None:
        """End the run and clear the picture; the settings shown stay."""
        self.stop()
        self.run = None
        self.course = Course(self._elements.controls.values()["loss"], self._config.n_epochs)
        self._draw()
        self._tell()

    def close(self) -> None:
        """End both threads and remove the panel."""
        try:
            if self.run is not None:
                self.stop()
        finally:
            super().close()

    def update(self) -> None:
        """Take in what happened since the last call and draw it, if anything did."""
        with self._drawing:
            fresh = self.run.poll() if self.run is not None else []
            for event in fresh:
                self.course.add(event)
                if self._replaying and isinstance(event, ControlChanged):
                    self._follow_settings(**{event.name: event.new})
            # Words before the picture, which takes ten times as long.
            self._tell()
            if fresh:
                self._draw()

    def _draw(self) -> None:
        """A fresh picture, whether anything happened or not."""
        with self._drawing:
            self._lab_picture.reference = self._reference()
            self._lab_picture.on_reference = self._elements.scores_of.value == "reference"
            thick = self._elements.controls.values()["loss"]
            self.picture.value = self._lab_picture.show(self.course, thick=thick)

    def _reference(self):
        """Gradients on the reference scores, with as many negatives as the settings ask for."""
        shown = self._elements.controls.values()
        return reference_gradients(shown["n_sample"], shown["sample_alpha"])

    def _begin(self) -> None:
        """A fresh run, unless one is going or waits to be started."""
        if self.run is not None and self.run.state in ("idle", "running", "paused"):
            return
        values = self._elements.controls.values() | self._elements.cold.values()
        config = self._config.with_changes(**values)
        self.reset()
        self._ready(config, self._elements.cold.data, [])

    def _ready(
        self,
        config: Config,
        data: str | None,
        replayed: list[ControlChanged],
        looks: Collection[int] | None = None,
    ) -> None:
        """An idle run of `config` that makes changes and looks of an earlier one again."""
        self._run_config, self._run_data = config, data
        self.course = Course(config.loss, config.n_epochs)
        self.controls = Controls.of(config, replay=replayed)
        self._replaying = looks is not None
        self._follow_settings(**asdict(self.controls.settings))
        # A lock for each run: one that outlived its `stop` must not hold back the next.
        self._stepping, self._pace = threading.Lock(), Pace(self._look_every, looks)
        self._speed_limit = SpeedLimit(self._elements.speed.value)
        watched = self._pace, self._asked, self._stepping, self._speed_limit
        load = partial(self._data_of, data)
        self.run = LiveRun(lab_events(config, self.controls, load, *watched), self._told)

    def _told(self, event: Event) -> None:
        """In the training thread: looks and marks are shown at once."""
        if isinstance(event, Observed | ControlChanged):
            self._drawer.wake()

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        """What this thread sets meanwhile is shown, but not handed to the model as a change."""
        self._heard.deaf = True
        try:
            yield
        finally:
            self._heard.deaf = False

    def _is_deaf(self) -> bool:
        """Whether this thread is inside `_unheard`."""
        return getattr(self._heard, "deaf", False)

    def _follow_settings(self, **settings) -> None:
        """Let elements show what a replay does."""
        with self._unheard():
            for name, value in settings.items():
                # A value set from code need not be one that the element can show.
                with suppress(TraitError):
                    self._elements.controls.elements[name].value = value

    def _apply(self, change: dict) -> None:
        """Hand a changed element to the running model; a bad value goes back to the old one."""
        name = self._elements.controls.name_of(change["owner"])
        if name == "loss":
            self._elements.formula.value = formula(change["new"])
        if self._is_deaf():
            return
        try:
            check_setting(name, change["new"])
        except ValueError:
            change["owner"].value = change["old"]
            raise
        if self.controls is not None:
            self.controls.set(**{name: change["new"]})
        self._tell()
        # A running training draws its change with the next step; here it would wait for this.
        if name in ("loss", "n_sample", "sample_alpha") and self.state != "running":
            self._draw()

    def _ended(self) -> bool:
        return self.run is None or self.run.state in ENDED

    def _follow(self) -> None:
        self._drawer.start()
        self._tell()

    def _tell(self) -> None:
        """Bring words and buttons up to date."""
        settings = None if self._ended() else self.controls.settings
        asked = pending(self.course, self._run_config, settings)
        self._elements.tell(self.state, self.course, asked, pinned=self.pinned is not None)
        self._elements.status.value = status_line(self.course, self.run, self._speed_limit)
        run = self.course, self._run_config, self._run_data
        self._elements.compared.value = self._comparison.with_run(self.pinned, *run)
        failure = self.run.error if self.run is not None else None
        if failure is not self._shown:
            self._shown = failure
            if failure is not None:
                self.show_error(failure)
