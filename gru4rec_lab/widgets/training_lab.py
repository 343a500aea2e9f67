"""`TrainingLab`: a real GRU4Rec that trains while its loss and its negatives are changed."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from ..events import Event
from ..recommend import Recommendation, Recommender
from .lab_files import history_frame, write_picture
from .lab_pin import Pinned, pinned_run, run_label
from .live_lab import LiveLab

if TYPE_CHECKING:
    import pandas as pd


class TrainingLab(LiveLab):
    """A live training with controls that act on the running model from its next step on.

    Without `sessions` it trains on the most recent fifth of the flights and validates on flights
    after them; the data is loaded by the first run. Sessions of your own are split in time, the
    last tenth for validation, unless `validation` gives other sessions.

    Attributes:
        loss, n_sample, sample_alpha, learning_rate, momentum, bpreg, elu_param, logq: the controls.
        buttons: "start", "pause", "step", "stop", "reset", "pin", "unpin", "replay" to the button.
        cold: the settings that the next run takes: data, layers, batch size, dropout, seed.
        files: the box for saving.
        probe: the choice of the session that gets recommendations.
        pinned: the run that the picture shows as a ghost; None without one.
        run: the live run, None before the first start.
        course: what is known of the run: losses, views, ends of epochs, marks.
        picture: the image; four axes.
    """

    @property
    def history(self) -> list[Event]:
        """All events of the run so far, oldest first, as `plots.history` takes them."""
        return list(self.course.events)

    @property
    def model(self) -> Recommender | None:
        """The model being trained; None before the run has started."""
        return self.course.started.model if self.course.started else None

    @property
    def recommendations(self) -> list[Recommendation]:
        """The ten best items for the probe session at the last look; empty before the first."""
        return list(self.course.views[-1][1].recommended.top) if self.course.views else []

    @property
    def label(self) -> str:
        """What the run under way is called in comparisons."""
        return run_label(self._run_config, self.course.marks)

    def pin(self, label: str | None = None) -> None:
        """Keep the quality of this run in the picture, in place of a run pinned before.

        Raises:
            ValueError: there is no run to pin, or it has not been looked at yet.
        """
        self.update()
        self._show_pinned(pinned_run(self.course, label or self.label))

    def unpin(self) -> None:
        """Take the pinned run out of the picture."""
        self._show_pinned(None)

    def _show_pinned(self, pinned: Pinned | None) -> None:
        with self._drawing:
            self.pinned = pinned
            self.picture.value = self._lab_picture.pin(pinned, self.course)
        self._tell()

    def replay(self) -> None:
        """Run again with the same settings, seed and changes at the same steps.

        Raises:
            ValueError: there was no run yet.
        """
        if self.course.started is None:
            raise ValueError("there is no run to repeat yet; press Start first")
        self.update()
        recipe = self._run_config, self._run_data, list(self.course.marks)
        self.reset()
        self._ready(*recipe)
        self.start()

    def save(self, path: str | Path) -> Path:
        """Write the model between two steps, as `load_model` reads it; the path written.

        A running training waits meanwhile.

        Raises:
            ValueError: there is no model yet.
        """
        self.update()
        if self.model is None:
            raise ValueError("there is no model to save yet; press Start first")
        running = self.run.state == "running"
        if running:
            self.run.pause()
        try:
            with self._stepping:
                return self.model.save(Path(path).expanduser())
        finally:
            if running:
                self.run.resume()

    def save_picture(self, path: str | Path) -> Path:
        """Write the picture as .png or .svg; the path written.

        Raises:
            ValueError: another suffix.
        """
        return write_picture(self._lab_picture.plot, path)

    def frame(self) -> "pd.DataFrame":
        """The history of the run as a table, a row a report, look, epoch end or change."""
        return history_frame(self.history, self._run_config.loss)

    def _write(self, action: str) -> None:
        self.files.result.value = ""
        path = getattr(self, action)(self.files.name_for(action))
        self.files.result.value = f"written: {html.escape(str(path))}"
