"""Scores as pictures: how they are spread, what ELU makes of them, how it goes on in training."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..losses import LOSSES, elu, elu_grad
from .style import notebook_figure, style

if TYPE_CHECKING:
    import pandas as pd

EDGES = np.linspace(-16, 16, 129)
GREYS = ("#000000", "#7f7f7f", "#b0b0b0")
MARKS = "os^vDP"


def score_histograms(rows: Mapping[str, Tensor]) -> Figure:
    """Share of the scores in each quarter of a unit, one pane a name, all on the same axes."""
    figure = notebook_figure(9, 2.6)
    panes = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    for axes, (name, scores) in zip(panes, rows.items(), strict=True):
        axes.stairs(histogram(scores), EDGES, fill=True, color=LOSSES["bpr"].colour, alpha=0.75)
        axes.set(title=name, xlabel="score", yscale="log", ylim=(1e-5, 1.5), xlim=(-16, 16))
    panes[0].set_ylabel("share of the scores")
    return figure


def histogram(scores: Tensor, edges: np.ndarray = EDGES) -> np.ndarray:
    """Share of the scores between each two edges; the first and the last hold all beyond."""
    clipped = np.clip(scores.flatten().cpu().numpy(), edges[0], edges[-1])
    return np.histogram(clipped, edges)[0] / clipped.size


def elu_curves(parameters: tuple[float, ...] = (0.0, 0.5, 1.0)) -> Figure:
    """ELU for these `elu_param`s, and its slope: the share of a gradient that it lets through."""
    figure = notebook_figure(8, 3)
    value, slope = figure.subplots(1, 2)
    score = torch.linspace(-6, 3, 181)
    for grey, alpha in zip(GREYS, parameters, strict=False):
        label = f"elu_param {alpha:g}" + (" (off)" if alpha == 0 else "")
        value.plot(score, elu(score, alpha), color=grey, label=label)
        slope.plot(score, elu_grad(score, alpha), color=grey)
    value.set(xlabel="linear score", ylabel="score that the loss sees")
    slope.set(xlabel="linear score", ylabel="slope", ylim=(-0.05, 1.05))
    value.legend(fontsize=9)
    return figure


def spread_by_epoch(table: "pd.DataFrame") -> Figure:
    """Spread, effective negatives, pull at the top and first places against the epoch.

    Takes the table of `diagnostics.spread_by_epoch`; a line a model.
    """
    figure = notebook_figure(11, 5.5)
    panes = figure.subplots(2, 2)
    _lines(panes[0, 0], table, "spread", "spread of the scores (std)")
    _lines(panes[0, 1], table, "effective", "effective negatives")
    _lines(panes[1, 0], table, "pull", "pull on targets of rank 0 to 4")
    _lines(panes[1, 1], table, "first", "share of targets in first place")
    for axes in panes.flat:
        axes.set(xlabel="epoch", ylim=(0, None))
    figure.legend(*panes[0, 0].get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    return figure


def _lines(axes: Axes, table: "pd.DataFrame", column: str, label: str) -> None:
    """A line a model, in the colour and dash of its loss, with a mark of its own."""
    for place, (model, part) in enumerate(table.groupby("model", sort=False)):
        loss = model.partition(" ")[0]
        axes.plot(
            part["epoch"], part[column], label=model, marker=MARKS[place % len(MARKS)],
            markersize=5, **(style(loss) if loss in LOSSES else {"color": "#444444"}),
        )  # fmt: skip
    axes.set_ylabel(label)
