"""The panes that panels share: gradient against rank, softmax weights, push on the negatives."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..diagnostics import GradientByRank, NegativeGradients, SoftmaxWeights
from .colours import LOSS_COLOURS
from .figures import rank_axis, style
from .live import LivePlot

THIN, THICK = 1.5, 3.5
WEIGHT_COLOUR, MASS_COLOUR = "#000000", "#56B4E9"
EFFECTIVE_LOOKS = (
    {"label": "effective", "color": "#777777", "linewidth": 1.5, "linestyle": "solid"},
    {"label": "by theory", "color": "#777777", "linewidth": 1.5, "linestyle": (0, (2, 2))},
)


class GradientPane:
    """-dL/dr_i against the target's rank, a line a loss, on fixed logarithmic axes."""

    def __init__(self, plot: LivePlot, axes: Axes, *, highest: int):
        self._plot, self.axes = plot, axes
        rank_axis(axes, highest)
        axes.set_yscale("log")
        self.lines = {name: self._line(name, "") for name in LOSS_COLOURS}
        self.dots = {name: self._line(name, "o") for name in LOSS_COLOURS}
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
        _place_axis(axes, highest)
        axes.set_ylabel("softmax weight $s_j$ (line)", fontsize=9, color=WEIGHT_COLOUR)
        mass = axes.twinx()
        self._axes = axes, mass
        mass.set_ylim(0, 1.05)
        mass.set_ylabel("mass so far (dashed)", fontsize=9, color="#1c6ea4")
        mass.tick_params(labelsize=8, colors="#1c6ea4")
        mass.spines["top"].set_visible(False)
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


class PushPane:
    """dL/dr_j against the place of the negative, a line a loss, on fixed axes.

    Above 0 a step pushes the negative down, below 0 up; between +-1e-6 the axis is linear.
    """

    def __init__(self, plot: LivePlot, axes: Axes, *, highest: int):
        self._axes = axes
        push_axis(axes)
        _place_axis(axes, highest)
        self.lines = {name: self._line(plot, name) for name in LOSS_COLOURS}

    def _line(self, plot: LivePlot, name: str) -> Line2D:
        (line,) = self._axes.plot([], [], marker=".", markersize=4, linewidth=THIN, **style(name))
        return plot.moving(line)

    def visible(self, shown: bool) -> None:
        """Show or hide the pane."""
        for artist in (self._axes, *self.lines.values()):
            artist.set_visible(shown)

    def show(self, pushes: NegativeGradients) -> None:
        """Draw these gradients; losses that are not among them disappear."""
        for name, line in self.lines.items():
            seen = name in pushes.curves
            line.set_data(pushes.place if seen else [], pushes.curves[name] if seen else [])


def push_axis(axes: Axes) -> None:
    """dL/dr_j upwards, fixed: above 0 pushed down, below 0 up, linear between +-1e-6."""
    axes.set_yscale("symlog", linthresh=1e-6, linscale=0.7)
    axes.set_ylim(-10, 10)
    ticks = [1, 1e-2, 1e-4, 1e-6]
    names = ["$1$", "$10^{-2}$", "$10^{-4}$", "$10^{-6}$"]
    below = [f"$-{name[1:]}" for name in names]
    axes.set_yticks([*ticks, 0, *(-tick for tick in ticks)], [*names, "0", *below])
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.set_ylabel("$\\partial L / \\partial r_j$", fontsize=9, labelpad=0)
    for words, height in (("pushed down", 0.97), ("pushed up", 0.03)):
        edge = "top" if height > 0.5 else "bottom"
        axes.text(
            0.99, height, words, transform=axes.transAxes, fontsize=8, ha="right", va=edge,
            color="#555555",
        )  # fmt: skip


def _place_axis(axes: Axes, highest: int) -> None:
    axes.set(xscale="log", xlim=(0.9, highest))
    axes.set_xlabel("negative, the best-scoring first", fontsize=9)
    shown = [place for place in (1, 10, 100, 1000, 10_000) if place < highest]
    axes.set_xticks(shown, [f"{place:,}" for place in shown])
    axes.minorticks_off()


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
