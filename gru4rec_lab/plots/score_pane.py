"""The pane of the scores: where the negatives lie, where their weight is, where the target."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from ..diagnostics import ScoreHistogram, score_histogram
from .live import LivePlot
from .panes import MASS_COLOUR

FLOOR = 1e-5
NEGATIVE_COLOUR, TARGET_COLOUR = "#999999", "#000000"


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
