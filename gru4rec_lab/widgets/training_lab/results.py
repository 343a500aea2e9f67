"""What a run in the lab has made: its history, its model, its picture, as objects and files."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...recommend import Recommendation, Recommender
from ...training.events import Event
from ..save_box import write_numbers, write_picture
from .comparison import run_label
from .history import history_frame
from .live_lab import LiveLab

if TYPE_CHECKING:
    import pandas as pd


class LabResults(LiveLab):
    """The part of the `TrainingLab` that gives away what a run has made."""

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

    def save(self, path: str | Path) -> Path:
        """Write the model between two steps, as `load_model` reads it; the path written.

        A running training waits meanwhile.

        Raises:
            ValueError: there is no model yet.
        """
        self.update()
        if self.model is None:
            raise ValueError("there is no model to save yet; press Start first")
        with self._stepping:
            return self.model.save(Path(path).expanduser())

    def save_picture(self, path: str | Path) -> Path:
        """Write the picture as .png or .svg; the path written.

        Raises:
            ValueError: another suffix.
        """
        return write_picture(self._lab_picture.plot, path)

    def save_numbers(self, path: str | Path) -> Path:
        """Write `frame` as CSV; the path written.

        Raises:
            ValueError: another suffix.
        """
        return write_numbers(self.frame(), path)

    def frame(self) -> "pd.DataFrame":
        """The history of the run as a table, a row a report, look, epoch end or change."""
        return history_frame(self.history, self._run_config.loss)
