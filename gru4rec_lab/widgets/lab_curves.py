"""The lab's curves over the steps of a run: loss, effective negatives, ranking quality."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..losses import LOSSES
from ..plots import LOSS_COLOURS, LivePlot
from ..plots.panes import WEIGHT_COLOUR
from .lab_course import Course
from .lab_pin import QUALITY_NAMES, Pinned, quality_curves

LOSS_LIMITS = [place * 10.0**power for power in range(-3, 9) for place in (1, 1.5, 2, 3, 5, 7)]
QUALITY_LIMITS = [0.2, 0.4, 0.6, 0.8, 1.05]
QUALITY = {
    "recall_20": ("black", "solid", "o"),
    "mrr_20": ("#666666", (0, (4, 2)), "s"),
    "recall_1": ("#999999", (0, (1, 1)), "D"),
}
GHOST = "#d0b9a0"


class LossCurves:
    """Mean loss since the last report, a line a loss, apart where the loss was changed."""

    def __init__(self, plot: LivePlot, axes: Axes):
        self._plot, self.axes = plot, axes
        axes.set_ylabel("mean a target", fontsize=9)
        self._lines = {name: self._line(name) for name in LOSSES}

    def _line(self, name: str) -> Line2D:
        (line,) = self.axes.plot([], [], color=LOSS_COLOURS[name], lw=2, marker=".", ms=4)
        return self._plot.moving(line)

    def show(self, course: Course) -> None:
        """Draw the reports so far; the axis grows with them."""
        for name, line in self._lines.items():
            points = _with_gaps(course.losses.get(name, []), course)
            line.set_data(points[:, 0], points[:, 1])
        seen = [loss for points in course.losses.values() for _, loss in points]
        self._plot.limits(self.axes, y=(0, top_of(seen, LOSS_LIMITS, at_least=1.0)))


class EffectiveCurve:
    """How many negatives count, and how many there are, at each look; a logarithmic axis."""

    def __init__(self, plot: LivePlot, axes: Axes, *, highest: int):
        axes.set(yscale="log", ylim=(1, highest))
        axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        axes.minorticks_off()
        (self._all,) = axes.plot([], [], color="#999999", lw=1.3, ls=(0, (4, 2)))
        (self._effective,) = axes.plot([], [], color=WEIGHT_COLOUR, lw=2, marker=".", ms=3)
        plot.moving(self._all)
        plot.moving(self._effective)

    def show(self, course: Course) -> None:
        """Draw the looks so far."""
        steps = [step for step, _ in course.views]
        self._all.set_data(steps, [view.n_negatives for _, view in course.views])
        self._effective.set_data(steps, [view.effective for _, view in course.views])


class QualityCurves:
    """Recall and MRR: lines for the looks, markers for ends of epochs, pale for a pinned run."""

    def __init__(self, plot: LivePlot, axes: Axes):
        self._plot, self.axes = plot, axes
        self.pinned: Pinned | None = None
        self._ghosts = {name: self._ghost(name) for name in QUALITY}
        self._label = plot.moving(
            axes.text(
                1, -0.225, "", transform=axes.transAxes, ha="right", va="center", fontsize=8,
                color="#8a6d4b",
            )
        )  # fmt: skip
        self._live = {name: self._line(name, live=True) for name in QUALITY}
        self._ends = {name: self._line(name, live=False) for name in QUALITY}
        axes.set_ylabel("share of targets", fontsize=9)
        axes.legend(
            handles=self._keys(), fontsize=8, ncols=3, frameon=False, loc="lower left",
            bbox_to_anchor=(0, 1.0), borderaxespad=0, borderpad=0.4,
        )  # fmt: skip

    def _ghost(self, name: str) -> Line2D:
        _, dash, _ = QUALITY[name]
        (line,) = self.axes.plot([], [], color=GHOST, ls=dash, lw=2)
        return self._plot.moving(line)

    def _line(self, name: str, *, live: bool) -> Line2D:
        colour, dash, marker = QUALITY[name]
        look = {"ls": dash, "lw": 1.3} if live else {"ls": "none", "marker": marker, "ms": 6}
        (line,) = self.axes.plot([], [], color=colour, **look)
        return self._plot.moving(line)

    @staticmethod
    def _keys() -> list[Line2D]:
        looks = zip(QUALITY.values(), QUALITY_NAMES.values(), strict=True)
        return [
            Line2D([], [], color=colour, ls=dash, marker=marker, ms=5, lw=1.3, label=label)
            for (colour, dash, marker), label in looks
        ]

    def pin(self, pinned: Pinned | None) -> None:
        """Keep this run as a ghost; None: no ghost."""
        self.pinned = pinned
        for name, ghost in self._ghosts.items():
            looks = pinned.quality[name].looks if pinned else []
            ghost.set_data(*np.array(looks).reshape(-1, 2).T)
        self._label.set_text(f"pale: pinned run, {pinned.label}" if pinned else "")

    def show(self, course: Course) -> None:
        """Draw the looks and ends of epochs so far; the axis grows with them."""
        seen = []
        for name, curves in quality_curves(course).items():
            self._live[name].set_data(*np.array(curves.looks).reshape(-1, 2).T)
            self._ends[name].set_data(*np.array(curves.ends).reshape(-1, 2).T)
            seen += [value for _, value in curves.looks + curves.ends]
        if self.pinned is not None:
            seen += [value for each in self.pinned.quality.values() for _, value in each.looks]
        self._plot.limits(self.axes, y=(0, top_of(seen, QUALITY_LIMITS, at_least=0.6)))


def top_of(seen: list[float], tops: list[float], *, at_least: float) -> float:
    """The upper limit for what is seen, out of few: each new one costs a drawing of the axes."""
    highest = max([value for value in seen if np.isfinite(value)], default=0) * 1.15
    return next((top for top in tops if top >= max(highest, at_least)), tops[-1])


def _with_gaps(points: list[tuple[int, float]], course: Course) -> np.ndarray:
    """[points, 2], with a NaN where the loss changed, so that no line joins two stretches."""
    gaps = [(change.step - 0.5, np.nan) for change in course.marks if change.name == "loss"]
    return np.array(sorted(points + gaps)).reshape(-1, 2)
