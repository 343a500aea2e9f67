"""The lab's picture: loss, quality, gradient against rank, and softmax weights of a live run."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..losses import LOSSES
from ..plots import LOSS_COLOURS, LivePlot
from ..plots.panes import GradientPane, WeightPane, loss_legend
from .lab_pin import QUALITY_NAMES, Pinned, quality_curves
from .lab_run import Course

HIGHEST = 3000
LOSS_LIMITS = [place * 10.0**power for power in range(-3, 9) for place in (1, 1.5, 2, 3, 5, 7)]
QUALITY_LIMITS = [0.2, 0.4, 0.6, 0.8, 1.05]
QUALITY = {
    "recall_20": ("black", "solid", "o"),
    "mrr_20": ("#666666", (0, (4, 2)), "s"),
    "recall_1": ("#999999", (0, (1, 1)), "D"),
}
GHOST = "#d0b9a0"


class LabPicture:
    """Draws a `Course`; only what moves, unless a limit has to grow.

    Attributes:
        plot: the live plot behind it.
    """

    def __init__(self) -> None:
        self.plot = plot = LivePlot(980, 625)
        self._loss = _titled(plot.add_axes(65, 345, 460, 555), "training loss")
        self._quality = plot.add_axes(545, 345, 925, 555)
        title = "quality on held-out sessions (marker: epoch end)"
        self._quality.set_title(title, fontsize=10, loc="left", pad=20)
        gradients = _titled(
            plot.add_axes(65, 45, 460, 265),
            "pull on the target, on live scores (thick: the loss in force)",
        )
        weights = _titled(plot.add_axes(545, 45, 880, 265), "softmax weights of the negatives")
        self.gradients = GradientPane(plot, gradients, highest=HIGHEST)
        gradients.set_ylim(1e-4, 2)
        self._weights = WeightPane(plot, weights, highest=HIGHEST)
        self._changes = [self._mark_line(axes) for axes in (self._loss, self._quality)]
        self._losses = {name: self._loss_line(name) for name in LOSSES}
        self._pinned: Pinned | None = None
        self._ghosts = {name: self._ghost_line(name) for name in QUALITY}
        self._ghost_label = self._quality.text(
            1, -0.235, "", transform=self._quality.transAxes, ha="right", va="center",
            fontsize=8, color="#8a6d4b",
        )  # fmt: skip
        plot.moving(self._ghost_label)
        self._live = {name: self._quality_line(name, live=True) for name in QUALITY}
        self._ends = {name: self._quality_line(name, live=False) for name in QUALITY}
        self._loss.set_ylabel("mean since the last report", fontsize=9)
        self._quality.set_ylabel("share of targets", fontsize=9)
        for axes in (self._loss, self._quality):
            axes.set_xlabel("step (dotted: a control changed)", fontsize=9)
        self._quality.legend(
            handles=self._keys(), fontsize=8, ncols=3, frameon=False, loc="lower left",
            bbox_to_anchor=(0, 1.0), borderaxespad=0, borderpad=0.4,
        )  # fmt: skip
        loss_legend(plot, list(LOSSES), left=65, top=619)
        self.clear()

    def _mark_line(self, axes: Axes) -> Line2D:
        across = axes.get_xaxis_transform()
        (line,) = axes.plot([], [], color="#444444", lw=1, ls=(0, (1, 1.5)), transform=across)
        return self.plot.moving(line)

    def _loss_line(self, name: str) -> Line2D:
        (line,) = self._loss.plot([], [], color=LOSS_COLOURS[name], lw=2, marker=".", ms=4)
        return self.plot.moving(line)

    def _quality_line(self, name: str, *, live: bool) -> Line2D:
        colour, dash, marker = QUALITY[name]
        look = {"ls": dash, "lw": 1.3} if live else {"ls": "none", "marker": marker, "ms": 6}
        (line,) = self._quality.plot([], [], color=colour, **look)
        return self.plot.moving(line)

    def _ghost_line(self, name: str) -> Line2D:
        _, dash, _ = QUALITY[name]
        (line,) = self._quality.plot([], [], color=GHOST, ls=dash, lw=2)
        return self.plot.moving(line)

    @staticmethod
    def _keys() -> list[Line2D]:
        return [
            Line2D([], [], color=colour, ls=dash, marker=marker, ms=5, lw=1.3, label=label)
            for (colour, dash, marker), label in zip(
                QUALITY.values(), QUALITY_NAMES.values(), strict=True
            )
        ]

    def pin(self, pinned: Pinned | None, course: Course) -> bytes:
        """The picture of `course` with the quality of this run as a ghost; None: without one."""
        with self.plot.lock:
            self._pinned = pinned
            for name, ghost in self._ghosts.items():
                looks = pinned.quality[name].looks if pinned else []
                ghost.set_data(*np.array(looks).reshape(-1, 2).T)
            self._ghost_label.set_text(f"pale: pinned run, {pinned.label}" if pinned else "")
            return self.show(course)

    def clear(self) -> None:
        """Show nothing, on the limits of a fresh run."""
        lines = [*self._losses.values(), *self._live.values(), *self._ends.values()]
        panes = [*self.gradients.lines.values(), *self._weights.lines]
        with self.plot.lock:
            for line in lines + panes + self._changes:
                line.set_data([], [])
            for axes, top in ((self._loss, 1.0), (self._quality, 0.6)):
                self.plot.limits(axes, x=(0, self._n_steps(0)), y=(0, top))

    def _n_steps(self, n_steps: int) -> int:
        """The longer of this run and the pinned one; 1000 if there is neither."""
        return max(n_steps, self._pinned.n_steps if self._pinned else 0) or 1000

    def show(self, course: Course) -> bytes:
        """The picture of the run so far, as PNG bytes."""
        with self.plot.lock:
            self._show_losses(course)
            self._show_quality(course)
            steps = [change.step for change in course.marks]
            for line in self._changes:
                line.set_data(
                    np.repeat(steps, 3), np.tile([0, 1, np.nan], len(steps)) if steps else []
                )
            if course.views:
                view = course.views[-1][1]
                self.gradients.show(view.gradients, thick=course.loss)
                self._weights.show(view.weights)
            return self.plot.png()

    def _show_losses(self, course: Course) -> None:
        for name, line in self._losses.items():
            points = _with_gaps(course.losses.get(name, []), course)
            line.set_data(points[:, 0], points[:, 1])
        seen = [loss for points in course.losses.values() for _, loss in points]
        self._fit(self._loss, course, seen, LOSS_LIMITS, at_least=1.0)

    def _show_quality(self, course: Course) -> None:
        seen = []
        for name, curves in quality_curves(course).items():
            self._live[name].set_data(*np.array(curves.looks).reshape(-1, 2).T)
            self._ends[name].set_data(*np.array(curves.ends).reshape(-1, 2).T)
            seen += [value for _, value in curves.looks + curves.ends]
        if self._pinned is not None:
            seen += [value for each in self._pinned.quality.values() for _, value in each.looks]
        self._fit(self._quality, course, seen, QUALITY_LIMITS, at_least=0.6)

    def _fit(
        self, axes: Axes, course: Course, seen: list, tops: list[float], *, at_least: float
    ) -> None:
        """Grow the limits to what is seen, in few steps: each costs a full redraw."""
        highest = max([value for value in seen if np.isfinite(value)], default=0) * 1.15
        top = next((top for top in tops if top >= max(highest, at_least)), tops[-1])
        self.plot.limits(axes, x=(0, self._n_steps(course.n_steps)), y=(0, top))


def _titled(axes: Axes, title: str) -> Axes:
    axes.set_title(title, fontsize=10, loc="left")
    return axes


def _with_gaps(points: list[tuple[int, float]], course: Course) -> np.ndarray:
    """[points, 2], with a NaN where the loss changed, so that no line joins two stretches."""
    gaps = [(change.step - 0.5, np.nan) for change in course.marks if change.name == "loss"]
    return np.array(sorted(points + gaps)).reshape(-1, 2)
