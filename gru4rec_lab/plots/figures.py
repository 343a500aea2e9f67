"""Figures for notebooks; each function returns a matplotlib `Figure`."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..diagnostics import GradientByRank
from ..events import ControlChanged, EpochDone, Event, Report
from .colours import LOSS_COLOURS, LOSS_DASHES
from .page import NotebookFigure


def gradient_by_rank(curves: GradientByRank, *, title: str = "") -> Figure:
    """-dL/dr_i against the target's rank, one line a loss, both axes logarithmic."""
    figure = _figure(7, 4)
    axes = figure.add_subplot()
    for name, curve in curves.curves.items():
        seen = np.isfinite(curve)
        axes.plot(curves.rank[seen], curve[seen], label=name, marker="o", ms=3, **style(name))
    rank_axis(axes, max(10, 2 * int(np.nanmax(curves.rank))))
    axes.set(yscale="log", ylabel="$-\\partial L/\\partial r_i$ (median)", title=title)
    axes.legend(fontsize=9)
    return figure


def history(events: Iterable[Event]) -> Figure:
    """Loss and, where a run was evaluated, Recall@20 and MRR@20 over the steps of a run.

    Takes the events of `training.train`: reports give the loss, ends of epochs the rest, changed
    controls a vertical line.
    """
    events = list(events)
    reports = [event for event in events if isinstance(event, Report)]
    epochs = [event for event in events if isinstance(event, EpochDone) and event.evaluation]
    figure = _figure(9, 3.5)
    axes, quality = figure.subplots(1, 2)
    axes.plot([event.step for event in reports], [event.loss for event in reports], color="black")
    axes.set(xlabel="step", ylabel="loss (mean since the last report)")
    steps = [event.step for event in epochs]
    quality.plot(steps, [event.evaluation.recall[20] for event in epochs], "ko-", label="Recall@20")
    quality.plot(
        steps,
        [event.evaluation.mrr[20] for event in epochs],
        "s--",
        color="#666666",
        label="MRR@20",
    )
    quality.set(xlabel="step", ylabel="share of targets", xlim=axes.get_xlim(), ylim=(0, 1.05))
    quality.legend(fontsize=9, loc="lower right")
    for change in (event for event in events if isinstance(event, ControlChanged)):
        for panel in (axes, quality):
            panel.axvline(change.step, color="grey", linewidth=0.8, linestyle="dotted")
    return figure


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
    return {"color": LOSS_COLOURS[loss], "linestyle": LOSS_DASHES[loss]}


def _figure(width: float, height: float) -> Figure:
    return NotebookFigure(width, height, layout="constrained")
