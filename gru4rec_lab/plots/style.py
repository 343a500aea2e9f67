"""One colour and one dash a loss, as `LOSSES` has them, and the axes that pictures share."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from ..losses import LOSSES
from .page import NotebookFigure


def rank_axis(axes: Axes, highest: int = 40_000) -> None:
    """Ranks along x: 0 at the left edge, logarithmic from 1 on."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_xlim(-0.1, highest)
    decades = [rank for rank in (0, 1, 10, 100, 1000, 10_000) if rank < highest]
    axes.set_xticks(decades, [f"{rank:,}" for rank in decades])
    axes.minorticks_off()
    axes.set_xlabel("rank of the target (negatives scoring above it)", fontsize=9)


def style(loss: str) -> dict[str, Any]:
    """Line colour and dash of a loss, as keywords of matplotlib's `plot`."""
    of_loss = LOSSES[loss]
    return {"color": of_loss.colour, "linestyle": (0, of_loss.dash) if of_loss.dash else "solid"}


def notebook_figure(width: float, height: float) -> Figure:
    """A figure of that size (inches) whose parts find their places by themselves."""
    return NotebookFigure(width, height, layout="constrained")


def plain_log_axis(axes: Axes) -> None:
    """A logarithmic y axis with plain numbers at 1, 2, 5, 10, ..."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
