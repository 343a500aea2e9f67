"""The panes of the ScoreShaper: scores before and after ELU, push on a negative by its score."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from .colours import LOSS_COLOURS
from .live import LivePlot
from .panes import THIN, push_axis
from .spread import EDGES, histogram

LINEAR_COLOUR, SEEN_COLOUR, SLOPE_COLOUR = "#999999", "#000000", "#56B4E9"
_LEAST = 1e-5


class HistogramPane:
    """Share of the scores in each quarter of a unit, before and after ELU, and the slope of ELU."""

    def __init__(self, plot: LivePlot, axes: Axes):
        axes.set(yscale="log", ylim=(_LEAST, 1.5), xlim=(-16, 16))
        axes.set_xlabel("score", fontsize=9)
        axes.set_ylabel("share of the scores", fontsize=9)
        slope = axes.twinx()
        slope.set_ylim(0, 1.05)
        slope.tick_params(labelsize=8, colors="#1c6ea4")
        slope.set_ylabel("slope of ELU (dashed)", fontsize=9, color="#1c6ea4")
        slope.spines["top"].set_visible(False)
        self.linear = self._line(plot, axes, LINEAR_COLOUR, label="linear", linewidth=4)
        self.seen = self._line(plot, axes, SEEN_COLOUR, label="after ELU", linewidth=1.5)
        self.slope = self._line(plot, slope, SLOPE_COLOUR, linestyle=(0, (4, 2)), linewidth=2)
        axes.legend(loc="upper left", fontsize=8, frameon=False)

    def _line(self, plot: LivePlot, axes: Axes, colour: str, **look) -> Line2D:
        (line,) = axes.plot([], [], color=colour, **look)
        return plot.moving(line)

    def show(self, linear: Tensor, seen: Tensor, slope: tuple[Tensor, Tensor]) -> None:
        """Draw the scores before and after ELU, and its slope: (score, slope) along the axis."""
        for line, scores in ((self.linear, linear), (self.seen, seen)):
            shares = np.maximum(histogram(scores), _LEAST / 10)
            line.set_data(np.repeat(EDGES, 2)[1:-1], np.repeat(shares, 2))
        self.slope.set_data(slope[0].numpy(), slope[1].numpy())


class PushByScorePane:
    """dL/dr_j against the linear score of the negative: of the loss alone, and with bpreg."""

    def __init__(self, plot: LivePlot, axes: Axes):
        push_axis(axes)
        axes.set_xlim(-16, 16)
        axes.set_xlabel("score of the negative", fontsize=9)
        self.alone, self.shaped = (self._line(plot, axes, dash) for dash in ((0, (1, 1)), "solid"))

    def _line(self, plot: LivePlot, axes: Axes, dash) -> Line2D:
        (line,) = axes.plot([], [], linestyle=dash, linewidth=2 * THIN)
        return plot.moving(line)

    def show(self, loss: str, score: Tensor, alone: Tensor, shaped: Tensor) -> None:
        """Draw the pushes of `loss`, without (dotted) and with (solid) what shapes the scores."""
        for line, push in ((self.alone, alone), (self.shaped, shaped)):
            line.set_data(score.numpy(), push.numpy())
            line.set_color(LOSS_COLOURS[loss])
