"""`TrainingLab`: a real GRU4Rec that trains while its loss and its negatives are changed."""

import html
import threading
from functools import cache

import ipywidgets as widgets

from ..config import Config, check_setting
from ..controls import Controls
from ..events import Event
from ..live import LiveRun
from ..recommend import Recommender
from ..sessions import Sessions
from .drawer import Drawer
from .lab_controls import LabControls, run_buttons
from .lab_picture import LabPicture
from .lab_run import Course, lab_data, lab_events
from .lab_words import marks_list, status_line
from .panel import Panel, marked, picture_of

ENDED = ("stopped", "finished", "failed")


class TrainingLab(Panel):
    """A live training with controls that act on the running model from its next step on.

    Without `sessions` it trains on the most recent fifth of the flights and validates on flights
    after them; the data is loaded by the first run. Sessions of your own are split in time, the
    last tenth for validation, unless `validation` gives other sessions.

    Attributes:
        loss, n_sample, sample_alpha, learning_rate, momentum, bpreg, elu_param, logq: the controls.
        buttons: "start", "pause", "step", "stop", "reset" to the button.
        run: the live run, None before the first start.
        course: what is known of the run: losses, views, ends of epochs, marks.
        picture: the image; four axes.
    """

    run: LiveRun | None = None

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
        self._data = cache(lambda: lab_data(sessions, validation))
        self._config = config or Config.preset("lab")
        self._look_every = look_every
        self._drawing = threading.Lock()
        self._drawer = Drawer(self.update, self._ended, self.show_error)
        self._shown: Exception | None = None
        self.controls: Controls | None = None
        self.course = Course(self._config.loss, self._config.n_epochs)
        self._make_elements()
        self._tell()

    def _make_elements(self) -> None:
        self.controls_panel = LabControls(self._config)
        for name, element in self.controls_panel.elements.items():
            setattr(self, name, element)
        self.controls_panel.on_change(self.guarded(self._apply))
        self.buttons = run_buttons()
        for name, button in self.buttons.items():
            act = self.guarded(getattr(self, name))
            button.on_click(lambda _button, act=act: act())
        self._lab_picture = LabPicture()
        self.picture = picture_of(self._lab_picture.plot)
        self.state_label = marked(widgets.HTML(), "g4r-state")
        self.status = marked(widgets.HTML(), "g4r-status")
        self.marks = marked(widgets.HTML(), "g4r-marks")
        head = widgets.HBox([*self.buttons.values(), self.state_label])
        rest = [self.controls_panel, self.error_box, self.status, self.picture, self.marks]
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

    @property
    def history(self) -> list[Event]:
        """All events of the run so far, oldest first, as `plots.history` takes them."""
        return list(self.course.events)

    @property
    def model(self) -> Recommender | None:
        """The model being trained; None before the run has started."""
        return self.course.started.model if self.course.started else None

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
            if fresh:
                self.picture.value = self._lab_picture.show(self.course)
        # Outside the lock: a slow picture must not hold back what the buttons say.
        self._tell()

    def _begin(self) -> None:
        """A fresh run, unless one is going or waits to be started."""
        if self.run is not None and self.run.state in ("idle", "running", "paused"):
            return
        self.reset()
        values = self.controls_panel.values()
        config = self._config.with_changes(**values)
        self.controls = Controls.of(config)
        self.run = LiveRun(lab_events(config, self.controls, self._data, self._look_every))

    def _apply(self, change: dict) -> None:
        """Hand a changed element to the running model; a bad value goes back to the old one."""
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
        self.buttons["pause"].description = "Resume" if state == "paused" else "Pause"
        self.buttons["start"].disabled = state in ("loading", "running")
        self.buttons["pause"].disabled = self.buttons["stop"].disabled = not going
        failure = self.run.error if self.run is not None else None
        if failure is not self._shown:
            self._shown = failure
            if failure is not None:
                self.show_error(failure)
