"""The running part of the lab: a thread that trains, one that draws, elements between them."""

import html
import threading
from contextlib import suppress
from dataclasses import asdict
from functools import cache, partial

import ipywidgets as widgets
from traitlets import TraitError

from ..config import Config, check_setting
from ..controls import ControlChanged, Controls
from ..live import LiveRun
from ..sessions import Sessions
from .drawer import Drawer
from .lab_cold import ColdSettings, data_of
from .lab_controls import LabControls, run_buttons
from .lab_files import SaveBox
from .lab_picture import LabPicture
from .lab_pin import Pinned, comparison, pin_buttons, run_label
from .lab_probe import Probe, ProbeBox, recommendations_list
from .lab_run import Course, lab_events
from .lab_words import marks_list, status_line
from .panel import Panel, marked, picture_of

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
        look_every: int = 100,
        key: str = "TrainingLab",
    ):
        super().__init__(key)
        self._own_data = sessions is not None
        self._data_of = cache(partial(data_of, sessions, validation))
        self._config = config or Config.preset("lab")
        self._look_every = look_every
        self._drawing = threading.Lock()
        self._drawer = Drawer(self.update, self._ended, self.show_error)
        self._shown: Exception | None = None
        self.controls: Controls | None = None
        self._asked = Probe()
        self._stepping = threading.Lock()
        self._run_config, self._run_data = self._config, None
        self._replaying, self._follower = False, None
        self.course = Course(self._config.loss, self._config.n_epochs)
        self._make_elements()
        self._tell()

    def _make_elements(self) -> None:
        self.controls_panel = LabControls(self._config)
        for name, element in self.controls_panel.elements.items():
            setattr(self, name, element)
        self.controls_panel.on_change(self.guarded(self._apply))
        self.buttons = run_buttons() | pin_buttons()
        self.probe = ProbeBox()
        self.probe.on_change(self.guarded(self._ask))
        for name, button in self.buttons.items():
            act = self.guarded(getattr(self, name))
            button.on_click(lambda _button, act=act: act())
        self.cold = ColdSettings(self._config, own_data=self._own_data)
        self.files = SaveBox()
        for action, button in self.files.buttons.items():
            act = self.guarded(partial(self._write, action))
            button.on_click(lambda _button, act=act: act())
        self._lab_picture = LabPicture()
        self.picture = picture_of(self._lab_picture.plot)
        self.state_label = marked(widgets.HTML(), "g4r-state")
        self.status = marked(widgets.HTML(), "g4r-status")
        self.marks = marked(widgets.HTML(), "g4r-marks")
        head = widgets.HBox([*self.buttons.values(), self.state_label])
        self.compared = marked(widgets.HTML(), "g4r-compared")
        below = widgets.HBox([self.probe, self.marks], layout=widgets.Layout(flex_flow="row wrap"))
        rest = [self.controls_panel, self.cold, self.error_box, self.status, self.picture]
        rest += [self.compared, below, self.files]
        self.reveal([head, *rest])

    @property
    def state(self) -> str:
        """idle, loading, running, paused, stopped, finished, or "failed: " and why."""
        if self.run is None:
            return "idle"
        if self.run.state == "failed":
            return f"failed: {self.run.error}"
        loading = self.run.state == "running" and self.course.started is None
        return "loading" if loading else self.run.state

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
        """Train one step and pause, from the start if no run is going."""
        self._begin()
        if self.run.state == "running":
            self.run.pause()
        else:
            self.run.step()
        self._follow()

    def stop(self, timeout: float = 5.0) -> None:
        """End the run after its step under way; waits at most `timeout` seconds for each thread."""
        ended = self._ended() or self.run.stop(timeout)
        self._drawer.stop(timeout)
        self.update()
        if not ended:
            raise TimeoutError(f"the step under way goes on after {timeout:g} s; stop again later")

    def reset(self) -> None:
        """End the run and clear the picture; the settings shown stay."""
        self.stop()
        self.run = None
        self.course = Course(self.loss.value, self._config.n_epochs)
        self._lab_picture.clear()
        self.picture.value = self._lab_picture.plot.png()
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
            if fresh:
                self.picture.value = self._lab_picture.show(self.course)
        # Outside the lock: a slow picture must not hold back what the buttons say.
        self._tell()

    def _begin(self) -> None:
        """A fresh run, unless one is going or waits to be started."""
        if self.run is not None and self.run.state in ("idle", "running", "paused"):
            return
        values = self.controls_panel.values() | self.cold.values()
        config = self._config.with_changes(**values)
        self.reset()
        self._ready(config, self.cold.data, [])

    def _ready(self, config: Config, data: str | None, replayed: list[ControlChanged]) -> None:
        """An idle run of `config` that makes the changes of an earlier one again."""
        self._run_config, self._run_data = config, data
        self.course = Course(config.loss, config.n_epochs)
        self.controls = Controls.of(config, replay=replayed)
        self._replaying = bool(replayed)
        self._follow_settings(**asdict(self.controls.settings))
        # A lock for each run: one that outlived its `stop` must not hold back the next.
        self._stepping = threading.Lock()
        self.run = LiveRun(
            lab_events(
                config,
                self.controls,
                partial(self._data_of, data),
                self._look_every,
                self._asked,
                self._stepping,
            )
        )

    def _follow_settings(self, **settings) -> None:
        """Let elements show what a replay does, without handing that to the model again."""
        self._follower = threading.get_ident()
        try:
            for name, value in settings.items():
                # A value set from code need not be one that the element can show.
                with suppress(TraitError):
                    self.controls_panel.elements[name].value = value
        finally:
            self._follower = None

    def _ask(self, _change: dict) -> None:
        self._asked.choice = self.probe.choice

    def _apply(self, change: dict) -> None:
        """Hand a changed element to the running model; a bad value goes back to the old one."""
        if threading.get_ident() == self._follower:
            return
        name = self.controls_panel.name_of(change["owner"])
        try:
            check_setting(name, change["new"])
        except ValueError:
            change["owner"].value = change["old"]
            raise
        if self.controls is not None:
            self.controls.set(**{name: change["new"]})

    def _ended(self) -> bool:
        return self.run is None or self.run.state in ENDED

    def _follow(self) -> None:
        self._drawer.start()
        self._tell()

    def _tell(self) -> None:
        """Bring words and buttons up to date."""
        state, going = self.state, self.state in ("loading", "running", "paused")
        self.state_label.value = f"state: <b>{html.escape(state, quote=False)}</b>"
        self.status.value = status_line(self.course, self.run)
        self.marks.value = marks_list(self.course)
        label = run_label(self._run_config, self.course.marks)
        self.compared.value = comparison(self.pinned, self.course, label)
        looks = self.course.views
        self.probe.top.value = (
            recommendations_list(looks[-1][0], looks[-1][1].recommended) if looks else ""
        )
        self.buttons["pin"].disabled = not looks
        self.buttons["unpin"].disabled = self.pinned is None
        self.buttons["replay"].disabled = self.course.started is None
        self.buttons["pause"].description = "Resume" if state == "paused" else "Pause"
        self.buttons["start"].disabled = state in ("loading", "running")
        self.buttons["pause"].disabled = self.buttons["stop"].disabled = not going
        failure = self.run.error if self.run is not None else None
        if failure is not self._shown:
            self._shown = failure
            if failure is not None:
                self.show_error(failure)
