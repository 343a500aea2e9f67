"""The panes of the panels: what stands still on a pair of axes, and what moves on it.

Gradient against rank, softmax weights and scores, as the TrainingLab shows them.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from ..diagnostics import (
    GradientByRank,
    ScoreHistogram,
    SoftmaxWeights,
    score_histogram,
)
from ..losses import LOSSES
from .live import LivePlot
from .style import place_axis, rank_axis, style

THIN, THICK = 1.5, 3.5
FLOOR = 1e-5  # the least share of scores that shows
WEIGHT_COLOUR, MASS_COLOUR, RIGHT_AXIS_COLOUR = "#000000", "#56B4E9", "#1c6ea4"
NEGATIVE_COLOUR, TARGET_COLOUR = "#999999", "#000000"
EFFECTIVE_LOOKS = (
    {"label": "effective", "color": "#777777", "linewidth": 1.5, "linestyle": "solid"},
    {"label": "by theory", "color": "#777777", "linewidth": 1.5, "linestyle": (0, (2, 2))},
)


class GradientPane:
    """-dL/dr_i against the target's rank, a line a loss, on fixed axes."""

    def __init__(self, plot: LivePlot, axes: Axes, *, highest: int):
        self._plot, self.axes = plot, axes
        rank_axis(axes, highest)
        axes.set_yscale("log")
        self.lines = {name: self._line(name, "") for name in LOSSES}
        self.dots = {name: self._line(name, "o") for name in LOSSES}
        self.raw()

    def _line(self, name: str, marker: str) -> Line2D:
        look = style(name) | ({"linestyle": "none"} if marker else {})
        (line,) = self.axes.plot(
            [], [], marker=marker, markersize=7, markeredgecolor="white", **look
        )
        return self._plot.moving(line)

    def raw(self) -> None:
        """Label and limits of the gradient itself."""
        self._describe("$-\\partial L / \\partial r_i$", (1e-4, 2))

    def relative(self) -> None:
        """Label and limits of the gradient as a share of that of badly ranked targets."""
        self._describe("$-\\partial L / \\partial r_i$, badly ranked targets = 1", (1e-4, 1000))

    def _describe(self, label: str, limits: tuple[float, float]) -> None:
        self.axes.set_ylabel(label, fontsize=9)
        self._plot.limits(self.axes, y=limits)

    def show(self, curves: GradientByRank, *, thick: str | None = None) -> None:
        """Draw these curves; losses that are not among them disappear."""
        for name, line in self.lines.items():
            curve = curves.curves.get(name, np.full(len(curves.rank), np.nan))
            seen = np.isfinite(curve) & (curve > 0)
            line.set_data(curves.rank[seen], curve[seen])
            line.set_linewidth(THICK if name == thick else THIN)

    def show_target(self, rank: float, gradients: dict[str, float]) -> None:
        """A dot a loss for one target of this rank."""
        for name, dot in self.dots.items():
            seen = name in gradients
            dot.set_data([rank] if seen else [], [gradients[name]] if seen else [])


class WeightPane:
    """Softmax weights of the negatives, the largest first, with their cumulated mass."""

    def __init__(self, plot: LivePlot, axes: Axes, *, highest: int):
        axes.set(yscale="log", ylim=(1e-6, 1.5))
        place_axis(axes, highest)
        axes.set_ylabel("softmax weight $s_j$ (line)", fontsize=9, color=WEIGHT_COLOUR)
        mass = _right_axis(axes, "mass so far (dashed)")
        self._axes = axes, mass
        (line,) = axes.plot([], [], color=WEIGHT_COLOUR, linewidth=2)
        (dashes,) = mass.plot([], [], color=MASS_COLOUR, linewidth=2.5, linestyle=(0, (4, 2)))
        self.lines = plot.moving(line), plot.moving(dashes)
        self._marks = [self._mark(plot, **look) for look in EFFECTIVE_LOOKS]

    def _mark(self, plot: LivePlot, **look) -> Line2D:
        axes = self._axes[0]
        (mark,) = axes.plot([], [], transform=axes.get_xaxis_transform(), **look)
        return plot.moving(mark)

    def key(self) -> None:
        """Name the marks at the number of effective negatives, above the axes on the right."""
        handles = [Line2D([], [], **look) for look in EFFECTIVE_LOOKS]
        self._axes[0].legend(
            handles=handles, fontsize=8, ncols=2, frameon=False, loc="lower right",
            bbox_to_anchor=(1.0, 1.0), borderaxespad=0, borderpad=0.4, handlelength=1.3,
            columnspacing=0.9,
        )  # fmt: skip

    def visible(self, shown: bool) -> None:
        """Show or hide the pane."""
        for artist in (*self._axes, *self.lines, *self._marks):
            artist.set_visible(shown)

    def show(
        self,
        weights: SoftmaxWeights,
        effective: float | None = None,
        theory: float | None = None,
    ) -> None:
        """Draw these weights and, where given, marks at the number of effective negatives."""
        for mark, number in zip(self._marks, (effective, theory), strict=True):
            mark.set_data([] if number is None else [number] * 2, [] if number is None else [0, 1])
        count = len(weights.weight)
        # A few hundred points along a logarithmic axis look the same as 32,768 and cost less.
        place = np.unique(np.geomspace(1, count, 300).astype(int)) - 1
        self.lines[0].set_data(place + 1, np.maximum(weights.weight[place], 1e-12))
        self.lines[1].set_data(place + 1, weights.cumulated[place])


def loss_legend(plot: LivePlot, names: list[str], *, left: int, top: int) -> None:
    """One row that names the losses, its upper left corner at these css pixels."""
    for old in plot.figure.legends[:]:
        old.remove()
    if names:
        handles = [Line2D([], [], linewidth=2.5, label=name, **style(name)) for name in names]
        place = (left / plot.width, top / plot.height)
        plot.figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=place, ncols=len(names),
            frameon=False, fontsize=9, borderaxespad=0, handlelength=2.6,
        )  # fmt: skip


class ScorePane:
    """Histograms of scores on fixed axes: shares on a logarithmic one, so that few show too.

    Grey bars are the negatives, the blue outline is their softmax weight, black the target: a
    line if there is one, an outline if there are many. The end bars hold what lies beyond.

    Attributes:
        axes: the axes it draws on.
    """

    def __init__(
        self, plot: LivePlot, axes: Axes, *, low: float = -20, high: float = 30, n_bins: int = 100
    ):
        self.axes, self._low, self._high, self._n_bins = axes, low, high, n_bins
        axes.set(yscale="log", ylim=(FLOOR, 1.5), xlim=(low, high))
        axes.minorticks_off()
        axes.set_xlabel("score as the losses see it (end bars: all beyond)", fontsize=9)
        axes.set_ylabel(f"share in a bar {(high - low) / n_bins:.2g} wide", fontsize=9)
        look = {"facecolor": NEGATIVE_COLOUR, "edgecolor": "#666666", "linewidth": 0.5}
        self._negatives = self._steps(plot, fill=True, **look)
        self._weight = self._steps(plot, fill=False, edgecolor=MASS_COLOUR, linewidth=2)
        self._targets = self._steps(plot, fill=False, edgecolor=TARGET_COLOUR, linewidth=1.8)
        (line,) = axes.plot([], [], color=TARGET_COLOUR, linewidth=2.2)
        self._line = plot.moving(line)
        self._key()

    def _steps(self, plot: LivePlot, **look) -> StepPatch:
        edges = np.linspace(self._low, self._high, self._n_bins + 1)
        patch = StepPatch(np.full(self._n_bins, FLOOR), edges, baseline=FLOOR, **look)
        # Not add_patch: it would ask for the limits of a patch whose limits are fixed.
        self.axes.add_artist(patch)
        return plot.moving(patch)

    def _key(self) -> None:
        looks = {
            "negatives": {"color": NEGATIVE_COLOUR, "linewidth": 6},
            "their softmax weight": {"color": MASS_COLOUR, "linewidth": 2.5},
            "target": {"color": TARGET_COLOUR, "linewidth": 2.2},
        }
        handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
        self.axes.legend(
            handles=handles, fontsize=8, ncols=3, frameon=False, loc="lower right",
            bbox_to_anchor=(1.0, 1.0), borderaxespad=0, borderpad=0.4, handlelength=1.6,
            columnspacing=1.2,
        )  # fmt: skip

    def visible(self, shown: bool) -> None:
        """Show or hide the pane."""
        for artist in (self.axes, self._negatives, self._weight, self._targets, self._line):
            artist.set_visible(shown)

    def histogram(self, target, negatives) -> ScoreHistogram:
        """The `score_histogram` of these scores in the bins of this pane."""
        bins = {"low": self._low, "high": self._high, "n_bins": self._n_bins}
        return score_histogram(target, negatives, **bins)

    def show(self, scores: ScoreHistogram, *, target: float | None = None) -> None:
        """Draw these shares; `target` is the score of the only target, None if there are many."""
        for patch, share in ((self._negatives, scores.negatives), (self._weight, scores.weight)):
            patch.set_data(np.maximum(share, FLOOR))
        many = np.maximum(scores.targets, FLOOR) if target is None else np.full(self._n_bins, FLOOR)
        self._targets.set_data(many)
        at = [] if target is None else [min(max(target, self._low), self._high)] * 2
        self._line.set_data(at, [FLOOR, 1.5] if at else [])

    def clear(self) -> None:
        """Show no scores."""
        nothing = np.zeros(self._n_bins)
        edges = np.linspace(self._low, self._high, self._n_bins + 1)
        self.show(ScoreHistogram(edges, nothing, nothing, nothing))


def _right_axis(axes: Axes, label: str) -> Axes:
    """A second axis on the right, in blue, for shares from 0 to 1."""
    right = axes.twinx()
    right.set_ylim(0, 1.05)
    right.set_ylabel(label, fontsize=9, color=RIGHT_AXIS_COLOUR)
    right.tick_params(labelsize=8, colors=RIGHT_AXIS_COLOUR)
    right.spines["top"].set_visible(False)
    return right
