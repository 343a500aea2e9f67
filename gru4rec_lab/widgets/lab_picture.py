"""The lab's picture: what a run did so far, and what its losses see in the scores it has now."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text

from ..diagnostics import GradientByRank
from ..losses import LOSSES
from ..plots import LivePlot
from ..plots.panes import GradientPane, WeightPane, loss_legend
from ..plots.score_pane import ScorePane
from .lab_course import Course
from .lab_curves import EffectiveCurve, LossCurves, QualityCurves
from .lab_look import SCORE_BINS
from .lab_pin import Pinned

HIGHEST = 3000
PANES = ("weights", "scores")
OF_THE_MODEL = "pull on the target, on the scores it has now"
OF_THE_REFERENCE = "pull on the target, on scores of a trained BPR model"


class LabPicture:
    """Draws a `Course`; only what moves, unless a limit has to grow.

    Attributes:
        plot: the live plot behind it.
        reference: gradients on the reference scores, drawn where the model has none yet.
        on_reference: whether they are drawn also where it has.
    """

    def __init__(self, reference: GradientByRank):
        self.plot = plot = LivePlot(960, 660)
        self.reference, self.on_reference = reference, False
        self._loss = LossCurves(plot, _titled(plot.add_axes(65, 190, 450, 310), "training loss"))
        effective = plot.add_axes(65, 62, 450, 150)
        _titled(effective, "effective negatives (dashed: all negatives)")
        self._effective = EffectiveCurve(plot, effective, highest=HIGHEST)
        quality = plot.add_axes(535, 62, 915, 290)
        title = "quality on held-out sessions (marker: epoch end)"
        quality.set_title(title, fontsize=10, loc="left", pad=20)
        self._quality = QualityCurves(plot, quality)
        gradients = plot.add_axes(65, 395, 450, 605)
        self.gradients = GradientPane(plot, gradients, highest=HIGHEST)
        self._gradient_title = self._moving_title(gradients)
        self._right = self._right_panes()
        # The steps are written once, below the effective negatives.
        self._loss.axes.tick_params(labelbottom=False)
        self._over_steps = [self._loss.axes, effective, quality]
        self._changes = [self._mark_line(axes) for axes in self._over_steps]
        for axes in (effective, quality):
            axes.set_xlabel("step (dotted: a control changed)", fontsize=9)
        loss_legend(plot, list(LOSSES), left=65, top=654)
        self.pane = "weights"
        self.choose("weights")
        self.show(Course("bpr", 0))

    def _right_panes(self) -> dict[str, WeightPane | ScorePane]:
        places = {name: self.plot.add_axes(535, 395, 880, 605) for name in PANES}
        places["weights"].set_title("softmax weights of the negatives", fontsize=10, loc="left")
        bins = {"low": SCORE_BINS["low"], "high": SCORE_BINS["high"]}
        return {
            "weights": WeightPane(self.plot, places["weights"], highest=HIGHEST),
            "scores": ScorePane(
                self.plot, places["scores"], **bins, n_bins=SCORE_BINS["n_bins"]
            ),
        }  # fmt: skip

    def _moving_title(self, axes: Axes) -> Text:
        text = axes.text(0, 1.03, "", transform=axes.transAxes, fontsize=10)
        return self.plot.moving(text)

    def _mark_line(self, axes: Axes) -> Line2D:
        across = axes.get_xaxis_transform()
        (line,) = axes.plot([], [], color="#444444", lw=1, ls=(0, (1, 1.5)), transform=across)
        return self.plot.moving(line)

    def choose(self, pane: str) -> None:
        """Show "weights" or "scores" in the upper right corner from the next picture on."""
        with self.plot.lock:
            self.pane = pane
            for name, each in self._right.items():
                each.visible(name == pane)

    def pin(self, pinned: Pinned | None) -> None:
        """The quality of this run as a ghost from the next picture on; None: without one."""
        with self.plot.lock:
            self._quality.pin(pinned)

    def show(self, course: Course, *, thick: str | None = None) -> bytes:
        """The picture of the run so far, as PNG bytes; `thick` is the loss in force if not its."""
        with self.plot.lock:
            pinned = self._quality.pinned
            n_steps = max(course.n_steps, pinned.n_steps if pinned else 0) or 1000
            for axes in self._over_steps:
                self.plot.limits(axes, x=(0, n_steps))
            for part in (self._loss, self._effective, self._quality):
                part.show(course)
            self._show_marks([change.step for change in course.marks])
            self._show_scores(course, thick or course.loss)
            return self.plot.png()

    def _show_marks(self, steps: list[int]) -> None:
        height = np.tile([0, 1, np.nan], len(steps)) if steps else []
        for line in self._changes:
            line.set_data(np.repeat(steps, 3), height)

    def _show_scores(self, course: Course, thick: str) -> None:
        view = course.views[-1][1] if course.views else None
        own = view is not None and not self.on_reference
        self.gradients.show(view.gradients if own else self.reference, thick=thick)
        self._gradient_title.set_text(OF_THE_MODEL if own else OF_THE_REFERENCE)
        if view is None:
            for line in self._right["weights"].lines:
                line.set_data([], [])
            self._right["scores"].clear()
        elif self.pane == "weights":
            self._right["weights"].show(view.weights)
        else:
            self._right["scores"].show(view.scores)


def _titled(axes: Axes, title: str) -> Axes:
    axes.set_title(title, fontsize=10, loc="left")
    return axes
