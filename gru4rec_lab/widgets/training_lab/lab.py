"""`TrainingLab`: the panel of a `LabRun`; its elements show the run and act on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config import Config
from ...data.sessions import Sessions
from ...recommender import Recommendation, Recommender
from ...training.controls import LIVE, ControlChanged, Controls
from ...training.events import Event, Observed
from ...warm_up import load_ahead
from ..controls import Updating
from ..panel import Drawer, PicturePanel
from ..save_box import SaveBox, write_numbers
from ..settings_box import RestoreBox
from .comparison import Pinned
from .layout import LabElements
from .picture import View, drawn
from .run import LabRun
from .tour import LabTour

if TYPE_CHECKING:
    import pandas as pd


class TrainingLab(PicturePanel):
    """A live training with controls that act on the running model from its next step on.

    Without `sessions` it trains on the most recent fifth of the flights and validates on flights
    after them; the data is loaded by the first run. Sessions of your own are split in time, the
    last tenth for validation, unless `validation` gives other sessions.

    At most `speed_limit` steps are done in a second, so that there is time to look and drag, 0 is
    no limit; it changes nothing but the time. A button calls the method of its name.

    Attributes:
        loss, n_sample, sample_alpha, learning_rate, momentum, bpreg, elu_param, logq: the controls.
        scores_of: "model" or "reference": the gradients are drawn on the scores of the model in
            training, or on frozen ones of a trained BPR model (also before the first observation).
        pane: "weights" or "scores", what stands beside the gradients.
        speed: the speed limit, steps a second; 0 for none.
        paper: the menu of the authors' best settings; its value is the name of a preset.
        buttons: "start", "pause", "step", "stop", "reset", "pin", "unpin", "replay" to the button.
        next_run: the settings that the next run takes: data, layers, embedding, batch size,
            dropout, epochs, seed.
        files, restore_box: the box for saving, the line of text that restores all settings.
        probe: the choice of the session that gets recommendations.
        tour: the guided tour, in five steps. It holds a running training while a step is read.
        run: the `LabRun` behind the panel: what is asked for, and what trained.
        picture: what is drawn: pull, quality, loss, effective negatives, weights or scores.
        state_label, status, hint, changes, compared, formula: words.
    """

    # On the class, as close() asks for it also of a panel whose making failed.
    run: LabRun | None = None

    def __init__(
        self,
        sessions: Sessions | None = None,
        config: Config | None = None,
        validation: Sessions | None = None,
        *,
        observe_every: int = 25,
        speed_limit: int = 50,
        key: str = "TrainingLab",
        settings: str = "",
    ):
        super().__init__(key)
        config = config or Config.preset("lab")
        how = {"observe_every": observe_every, "speed_limit": speed_limit, "on_event": self._wake}
        self._drawer = Drawer(self.update, lambda: not self.run.ready, self.show_error)
        self.run = LabRun(config, sessions, validation, on_set=self._controls_set, **how)
        self._updating, self._shown = Updating(), self.controls.settings
        self._failure: Exception | None = None
        self._elements = LabElements(config, speed_limit, own_data=sessions is not None)
        self._name_elements()
        self.tour = LabTour(
            self.run,
            take=self.take,
            point=self._elements.point,
            guarded=self.guarded,
            lock=self.lock,
        )
        writers = {name: getattr(self, name) for name in ("save", "save_picture", "save_numbers")}
        self.files = SaveBox("my_run", writers, self.guarded)
        self.restore_box = RestoreBox(lambda: self.settings_string, self._typed, self.guarded)
        self._connect()
        if settings:
            self.take(self._elements.settings.parse(settings))
        parts = self._elements
        middle = [self.error_box, parts.status, self.picture]
        below = parts.below([self.files, self.restore_box])
        self.reveal([*parts.above(self.tour), *middle, *below])
        self._show_chosen()
        load_ahead()

    @classmethod
    def restore(
        cls,
        text: str,
        sessions: Sessions | None = None,
        validation: Sessions | None = None,
        *,
        key: str = "TrainingLab",
    ) -> "TrainingLab":
        """A new panel with the settings of a `settings_string`; others are as usual.

        Raises:
            ValueError: an unknown setting, or a value that it cannot take.
        """
        return cls(sessions, None, validation, key=key, settings=text)

    @property
    def state(self) -> str:
        """idle, loading, running, paused, stopped, finished, or "failed: " and why."""
        return self.run.state

    @property
    def controls(self) -> Controls:
        """The live settings as asked for; setting one acts from the next step on."""
        return self.run.controls

    @property
    def history(self) -> list[Event]:
        """All events of the run so far, oldest first, as `plots.history` takes them."""
        return list(self.run.history.events)

    @property
    def model(self) -> Recommender | None:
        """The model being trained; None before the run has started."""
        return self.run.model

    @property
    def recommendations(self) -> list[Recommendation]:
        """The ten best items for the probe session, as last observed; empty before that."""
        return self.run.recommendations

    @property
    def pinned(self) -> Pinned | None:
        """The run that the picture shows as a ghost; None without one."""
        return self.run.pinned

    @property
    def label(self) -> str:
        """What the run under way is called in comparisons."""
        return self.run.label

    @property
    def settings_string(self) -> str:
        """All settings shown as one line of text, for `restore`."""
        return self._elements.settings.text

    def frame(self) -> "pd.DataFrame":
        """The history of the run as a table, a row a report, observation, epoch end or change."""
        return self.run.history.frame()

    def start(self) -> None:
        """Begin a run with the settings shown; go on after a pause; nothing while running."""
        self._prepare()
        self.run.start()
        self._follow()

    def pause(self) -> None:
        """Pause a running training, resume a paused one."""
        self.run.pause()
        self._tell()

    def step(self) -> None:
        """Train one step, observe the model and pause; from the start if no run is going."""
        self._prepare()
        self.run.step()
        self._follow()

    def stop(self, timeout: float = 5.0) -> None:
        """End the run after its step under way; waits at most `timeout` seconds for each thread.

        Raises:
            TimeoutError: the step goes on; stop again later.
        """
        try:
            self.run.stop(timeout)
        finally:
            self._drawer.stop(timeout)
            self._show_chosen()

    def reset(self) -> None:
        """End the run and clear the picture; the settings shown stay."""
        self.stop()
        self.run.reset()
        self._show_chosen()

    def replay(self) -> None:
        """Run again with the same settings, seed and changes at the same steps.

        Raises:
            ValueError: there was no run yet.
        """
        # One that sees the last run ended would end as well, and not draw the next.
        self._drawer.stop(timeout=5.0)
        try:
            self.run.replay()
            self._draw()
        finally:
            self._follow()

    def pin(self, label: str | None = None) -> None:
        """Keep the quality of this run in the picture, in place of a run pinned before.

        Raises:
            ValueError: there is no run to pin, or it has not been observed yet.
        """
        self.run.pin(label)
        self._show_chosen()

    def unpin(self) -> None:
        """Take the pinned run out of the picture."""
        self.run.pinned = None
        self._show_chosen()

    def take(self, settings: dict[str, Any]) -> None:
        """Set these settings, live ones all before the same step, the others for the next run.

        Raises:
            ValueError: an unknown setting, or a value that it cannot take.
        """
        with self._updating:
            self._elements.settings.show(settings)
            self.controls.set(**{name: value for name, value in settings.items() if name in LIVE})
        self._follow_settings()
        self._show_chosen()

    def save(self, path: str | Path) -> Path:
        """Write the model between two steps, as `load_model` reads it; the path written.

        Raises:
            ValueError: there is no model yet.
        """
        return self.run.save(path)

    def save_numbers(self, path: str | Path) -> Path:
        """Write `frame` as CSV; the path written.

        Raises:
            ValueError: another suffix.
        """
        return write_numbers(self.frame(), path)

    def close(self) -> None:
        """End both threads and remove the panel."""
        try:
            if self.run is not None:
                self.run.stop()
        finally:
            if self.run is not None:
                self._drawer.stop(timeout=5.0)
            super().close()

    def update(self) -> None:
        """Take in what happened since the last call and show it, if anything did."""
        # Also by the drawing thread: who comes second finds the events taken in and drawn.
        with self.lock:
            self.run.poll()
            self._tell()
            # Others, as who saves, take in events as well.
            if self._drawn != self._place():
                self._draw()

    def _name_elements(self) -> None:
        parts = self._elements
        for name, element in parts.controls.elements.items():
            setattr(self, name, element)
        self.buttons, self.next_run, self.probe = parts.buttons, parts.next_run, parts.probe
        self.scores_of, self.pane, self.speed = parts.scores_of, parts.pane, parts.speed
        self.paper, self.hint, self.formula = parts.paper, parts.hint, parts.formula
        self.state_label, self.status = parts.state_label, parts.status
        self.changes, self.compared = parts.changes, parts.compared

    def _connect(self) -> None:
        """Let every element do what it is for."""
        parts = self._elements
        for name, button in self.buttons.items():
            act = getattr(self, name)
            button.on_click(self.guarded(lambda _button, act=act: act()))
        parts.controls.on_change(self.guarded(self._apply))
        self.probe.on_change(
            self.guarded(lambda _change: (self.run.ask(self.probe.choice), self._tell()))
        )
        for element in (self.scores_of, self.pane):
            element.observe(self.guarded(lambda _change: self._show_chosen()), "value")
        self.speed.observe(self.guarded(self._limit), "value")
        self.paper.observe(self.guarded(self._take_preset), "value")
        first = self.guarded(lambda _button, text=self.settings_string: self._typed(text))
        parts.as_before.on_click(first)
        for element in parts.settings.elements.values():
            # Not guarded: its success would take away the error of a refused value.
            element.observe(lambda _change: self._follow_settings(), "value")

    def _prepare(self) -> None:
        """A fresh run of the settings shown, unless one is going or waits to be started."""
        if not self.run.ready:
            settings = self.next_run.values()
            self._drawer.stop(timeout=5.0)
            self.run.prepare(self.next_run.data, **settings)
            self._draw()

    def _apply(self, change: dict) -> None:
        """Ask the run for a changed setting; a bad value goes back to the old one."""
        if self._updating:
            return
        name = self._elements.controls.name_of(change["owner"])
        field = self._elements.controls.fields.get(name)
        try:
            self.controls.set(**{name: change["new"]})
        except ValueError as error:
            if field is not None:
                field.refuse(str(error))
            with self._updating:
                change["owner"].value = change["old"]
            self._follow_settings()
            self._tell()
            raise
        if field is not None:
            field.refuse("")
        self._tell()
        # A running training draws its change with the next step; here it would wait for this.
        if name in ("loss", "n_sample", "sample_alpha") and self.state == "paused":
            self._draw()

    def _controls_set(self) -> None:
        """Show what was set, unless `take` does; while there is a run, the drawing thread does."""
        if not (self.run.ready or self._updating):
            self._show_chosen()

    def _follow_controls(self) -> None:
        """Let the elements show what was asked for last, by a replay or by code too."""
        settings = self.controls.settings
        with self._updating:
            self._elements.controls.show(settings)
        # Not before: what is asked for meanwhile is shown the next time.
        self._shown = settings
        self._follow_settings()

    def _follow_settings(self) -> None:
        """Let the line of text and the menu of presets follow; once for all that is set at once."""
        if not self._updating:
            self.restore_box.follow()
            with self._updating:
                self.paper.value = self._elements.settings.preset

    def _typed(self, text: str) -> None:
        self.take(self._elements.settings.parse(text))

    def _take_preset(self, change: dict) -> None:
        if change["new"] and not self._updating:
            self.take(self._elements.settings.of_preset(change["new"]))

    def _limit(self, _change: dict) -> None:
        self.run.limit.steps_per_second = self.speed.value
        self._tell()

    def _show_chosen(self) -> None:
        """Let the picture show what the toggles say and the pinned run, on the settings now."""
        # The marks of changes come first: they are quick, a picture may wait for another one.
        self._tell()
        self._draw()

    def _wake(self, event: Event) -> None:
        """In the training thread: observations and changes are shown at once."""
        if isinstance(event, Observed | ControlChanged):
            self._drawer.wake()

    def _follow(self) -> None:
        self._drawer.start()
        self._tell()

    def _draw(self) -> None:
        """A fresh picture, whether anything happened or not."""
        view = View(self.pane.value, self.scores_of.value == "reference", self.pinned)
        # Callbacks and the drawing thread: the later picture must not be shown first.
        with self.lock:
            place = self._place()
            self.picture.show(*drawn(self.run.history, self.controls.settings, view))
            self._drawn = place

    def _place(self) -> tuple[object, int]:
        """How far which run has told; another one, and there is something to draw."""
        return self.run.history, len(self.run.history.events)

    def _tell(self) -> None:
        """Bring elements, words and buttons up to date."""
        if self.controls.settings is not self._shown:
            self._follow_controls()
        self.tour.follow()
        self._elements.tell(self.run)
        if self.run.error is not self._failure:
            self._failure = self.run.error
            if self._failure is None:
                self.clear_error()
            else:
                self.show_error(self._failure)
