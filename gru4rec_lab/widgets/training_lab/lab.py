"""`TrainingLab`: a real GRU4Rec that trains while its loss and its negatives are changed."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...config import Config
from ...data.sessions import Sessions
from ...training.controls import LIVE
from ...warm_up import load_ahead
from ..save_box import SaveBox
from ..settings_box import RestoreBox
from .comparison import Pinned, pinned_run
from .results import LabResults


class TrainingLab(LabResults):
    """A live training with controls that act on the running model from its next step on.

    Without `sessions` it trains on the most recent fifth of the flights and validates on flights
    after them; the data is loaded by the first run. Sessions of your own are split in time, the
    last tenth for validation, unless `validation` gives other sessions.

    At most `speed_limit` steps are done in a second, so that there is time to look and drag, 0 is
    no limit; it changes nothing but the time.

    Attributes:
        loss, n_sample, sample_alpha, learning_rate, momentum, bpreg, elu_param, logq: the controls.
        scores_of: "model" or "reference": the gradients are drawn on the scores of the model in
            training, or on frozen ones of a trained BPR model (also before the first look).
        pane: "weights" or "scores", what stands beside the gradients.
        speed: the speed limit, steps a second; 0 for none.
        paper: the menu of the authors' best settings; its value is the name of a preset.
        buttons: "start", "pause", "step", "stop", "reset", "pin", "unpin", "replay" to the button.
        cold: the settings that the next run takes: data, layers, embedding, batch size, dropout,
            epochs, seed.
        files: the box for saving.
        restore_box: the line of text that restores all settings.
        probe: the choice of the session that gets recommendations.
        pinned: the run that the picture shows as a ghost; None without one.
        run: the live run, None before the first start.
        course: what is known of the run: losses, views, ends of epochs, marks.
        picture: the image; gradients, weights or scores, loss, effective negatives, quality.
    """

    def __init__(
        self,
        sessions: Sessions | None = None,
        config: Config | None = None,
        validation: Sessions | None = None,
        *,
        look_every: int = 25,
        speed_limit: int = 50,
        key: str = "TrainingLab",
        settings: str = "",
    ):
        super().__init__(
            sessions, config, validation, look_every=look_every, speed_limit=speed_limit, key=key
        )
        of = self._elements
        for name, element in of.controls.elements.items():
            setattr(self, name, element)
        self.buttons, self.cold, self.probe = of.buttons, of.cold, of.probe
        self.scores_of, self.pane, self.speed = of.scores_of, of.pane, of.speed
        self.paper, self.hint = of.paper, of.hint
        self.state_label, self.status, self.marks = of.state_label, of.status, of.marks
        self.compared, self.formula = of.compared, of.formula
        writers = {name: getattr(self, name) for name in ("save", "save_picture", "save_numbers")}
        self.files = SaveBox("my_run", writers, self.guarded)
        self.restore_box = RestoreBox(self._settings_text, self.guarded(self._typed))
        self._connect()
        if settings:
            self.take(of.settings.parse(settings))
        middle = [self.error_box, self.status, self.picture]
        self.reveal([*of.above(), *middle, *of.below(), self.files, self.restore_box])
        self._tell()
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
    def settings_string(self) -> str:
        """All settings shown as one line of text, for `restore`."""
        return self._settings_text()

    def take(self, settings: dict[str, Any]) -> None:
        """Set these settings, live ones all before the same step, the others for the next run.

        Raises:
            ValueError: an unknown setting, or a value that it cannot take.
        """
        live = {name: value for name, value in settings.items() if name in LIVE}
        with self._unheard():
            self._elements.settings.show(settings)
        if self.controls is not None:
            self.controls.set(**live)
        self._tell()
        self.restore_box.follow()
        self._show_chosen()

    def _connect(self) -> None:
        """Let every element do what it is for."""
        of = self._elements
        for name, button in self.buttons.items():
            _on_click(button, self.guarded(getattr(self, name)))
        of.controls.on_change(self.guarded(self._apply))
        self.probe.on_change(self.guarded(self._ask))
        for element in (self.scores_of, self.pane):
            element.observe(self.guarded(lambda _change: self._show_chosen()), "value")
        self.speed.observe(self.guarded(lambda _change: self._hold_back()), "value")
        self.paper.observe(self.guarded(self._take_preset), "value")
        for element in of.settings.elements.values():
            # Not guarded: its success would take away the error of a refused value.
            element.observe(lambda _change: self._follow_text(), "value")

    def _follow_text(self) -> None:
        # Once for all that is set at once.
        if not self._is_deaf():
            self.restore_box.follow()

    def _settings_text(self) -> str:
        return self._elements.settings.text

    def _typed(self, text: str) -> None:
        self.take(self._elements.settings.parse(text))

    def _take_preset(self, change: dict) -> None:
        if change["new"]:
            self.take(self._elements.settings.of_preset(change["new"]))

    def _hold_back(self) -> None:
        self._speed_limit.steps_per_second = self.speed.value
        self._tell()

    def _ask(self, _change: dict) -> None:
        self._asked.choice = self.probe.choice

    def _show_chosen(self) -> None:
        """Let the picture show what the toggles say, on the settings as they are now."""
        if self._lab_picture.pane != self.pane.value:
            self._lab_picture.choose(self.pane.value)
        self._draw()
        self._tell()

    def pin(self, label: str | None = None) -> None:
        """Keep the quality of this run in the picture, in place of a run pinned before.

        Raises:
            ValueError: there is no run to pin, or it has not been looked at yet.
        """
        self.update()
        run = self._run_config, self._run_data
        self._show_pinned(pinned_run(self.course, *run, label or self.label))

    def unpin(self) -> None:
        """Take the pinned run out of the picture."""
        self._show_pinned(None)

    def _show_pinned(self, pinned: Pinned | None) -> None:
        self.pinned = pinned
        self._lab_picture.pin(pinned)
        self._draw()
        self._tell()

    def replay(self) -> None:
        """Run again with the same settings, seed and changes at the same steps.

        Raises:
            ValueError: there was no run yet.
        """
        if self.course.started is None:
            raise ValueError("there is no run to repeat yet; press Start first")
        self.update()
        looks = [step for step, _ in self.course.views]
        recipe = self._run_config, self._run_data, list(self.course.marks), looks
        self.reset()
        self._ready(*recipe)
        self.start()


def _on_click(button: widgets.Button, act: Callable[[], None]) -> None:
    button.on_click(lambda _button: act())
