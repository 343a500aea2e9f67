"""What the losses do to a handful of scores: one step as arrows, and curves over the target."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..diagnostics.by_hand import TargetCurves
from .style import LOSS_COLOURS, notebook_figure, style

if TYPE_CHECKING:
    import pandas as pd


def step_arrows(table: "pd.DataFrame") -> Figure:
    """Which way a step moves each score of a `loss_table`, a panel a loss.

    Scores run along x; a bar is -dL/dr: above 0 the score is pulled up, below 0 pushed down. The
    target's bar is black.
    """
    figure = notebook_figure(2.1 * len(table) + 0.6, 3.0)
    row = figure.subplots(1, len(table), sharey=True, sharex=True, squeeze=False)[0]
    scores = [float(name.split()[1]) for name in table.columns[1:]]
    for axes, (loss, numbers) in zip(row, table.iterrows(), strict=True):
        steps = -numbers.to_numpy()[1:]
        # Negatives first: a target with the score of a negative stays visible.
        axes.bar(scores[1:], steps[1:], width=0.35, color=LOSS_COLOURS[loss])
        axes.bar(scores[:1], steps[:1], width=0.35, color="black")
        axes.axhline(0, color="#444444", linewidth=0.8)
        axes.set_title(loss, fontsize=10)
        axes.set_xticks(sorted(set(scores)))
        axes.tick_params(labelsize=8)
    row[0].set_ylabel("$-\\partial L/\\partial r$: up or down", fontsize=9)
    figure.supxlabel("score (black bar: the target)", fontsize=9)
    return figure


def value_and_pull(curves: TargetCurves) -> Figure:
    """The losses and their pull -dL/dr_i over the target's score; ticks below: the negatives."""
    figure = notebook_figure(10, 3.6)
    left, right = figure.subplots(1, 2)
    for axes, values, label in (
        (left, curves.value, "loss"),
        (right, curves.pull, "pull on the target, $-\\partial L/\\partial r_i$"),
    ):
        for name, curve in values.items():
            axes.plot(curves.score, curve, label=name, **style(name))
        _mark_negatives(axes, curves)
        axes.set_ylabel(label, fontsize=9)
    left.legend(fontsize=9)
    return figure


def _mark_negatives(axes: Axes, curves: TargetCurves) -> None:
    across = axes.get_xaxis_transform()
    axes.plot(curves.negatives, [0.02] * len(curves.negatives), "k|", ms=10, transform=across)
    axes.set_xlabel("score of the target (short ticks: its negatives)", fontsize=9)
    axes.grid(visible=True, linewidth=0.4, color="#dddddd")
