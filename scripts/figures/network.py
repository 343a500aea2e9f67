"""The network as boxes and arrows, from a click to the scores of all items, in two steps."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

BOXES = {"table": "#d6e4f5", "gru": "#f8e3c5", "scores": "#dcefd6", "state": "#f4f0bf"}
STEP = 4.6  # from one step to the next


def network() -> Figure:
    """Two steps of one session; what goes from the first to the second is the hidden state."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(-1.9, 8.6), ylim=(-0.6, 4.4), aspect="equal")
    axes.axis("off")
    _box(axes, -1.4, 2, "zeros:\na session\nstarts", "state", width=0.9)
    for number, item in enumerate(("DL2042", "DL1597")):
        x = number * STEP
        _box(axes, x + 1, 0.7, "table of item vectors:\nits row $e_k$", "table")
        _box(axes, x + 1, 2, "GRU", "gru", height=0.9)
        _box(axes, x + 1, 3.4, "scores of all items:\n$e_j \\cdot h' +$ bias$_j$", "scores")
        axes.text(x + 1, -0.35, f"click on {item}", ha="center", va="center", fontsize=10)
        for low, high in ((-0.15, 0.3), (1.1, 1.55), (2.45, 3)):
            _arrow(axes, (x + 1, low), (x + 1, high))
        axes.text(x + 1.12, 2.72, "$h'$", va="center", fontsize=11)
        axes.text(x + 1, 4.1, "the next click should be first", ha="center", fontsize=9)
        before = -0.95 if number == 0 else x - STEP + 2.3
        _arrow(axes, (before, 2), (x - 0.3, 2))
        axes.text((before + x - 0.3) / 2, 2.14, "$h$", ha="center", fontsize=11)
    _arrow(axes, (STEP + 2.3, 2), (STEP + 3.4, 2))
    axes.text(STEP + 3.5, 2, "...", va="center", fontsize=14)
    return figure


def _box(
    axes: Axes, x: float, y: float, text: str, kind: str, width: float = 2.6, height: float = 0.8
) -> None:
    corner = x - width / 2, y - height / 2
    look = {"boxstyle": "round,pad=0,rounding_size=0.1", "facecolor": BOXES[kind]}
    axes.add_patch(FancyBboxPatch(corner, width, height, edgecolor="#444444", **look))
    axes.text(x, y, text, ha="center", va="center", fontsize=10)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "#444444"})
