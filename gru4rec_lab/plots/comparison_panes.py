"""Methods side by side, as a figure: a dot a method, the error over sessions, the seeds beside."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ..losses import LOSSES
from .drawn import figure_of
from .picture import INK, SOFT, Axis, Line, Pane, Picture, Shown, points
from .sweep_panes import METRICS, bars_of, metric_axis

if TYPE_CHECKING:
    import pandas as pd

BESIDE, ERRORS = 0.12, 2


def comparison(table: "pd.DataFrame") -> Figure:
    """Recall@20, MRR@20 and Recall@1 of each method, with two standard errors over sessions.

    Takes `Comparison.frame()`, or `diagnostics.by_method` of a stored table. The grey bar beside
    the dot is two standard deviations over the seeds, where a method has several. Methods that are
    close are told apart in a picture of them alone: `table.loc[["bpr-max", "top1-max"]]`.
    """
    return figure_of(*comparison_picture(table))


def comparison_picture(table: "pd.DataFrame") -> tuple[Picture, Shown]:
    """The picture of `comparison`: a pane a metric, one below the other."""
    panes, lines, numbers, told = {}, {}, {}, []
    names = [str(name) for name in table.index]
    # Every second name a line lower, so that long ones have room.
    ticks = tuple((place, "\n" * (place % 2) + name) for place, name in enumerate(names))
    across = Axis((-0.5, len(names) - 0.5), ticks=ticks)
    for row, (metric, label) in enumerate(METRICS.items()):
        mean, error, spread = (table[metric + part].to_numpy(float) for part in ("", "_se", "_sd"))
        error, spread = ERRORS * error, ERRORS * spread
        reached = np.concatenate([mean - error, mean + error, mean - spread, mean + spread])
        box = (0, row / len(METRICS), 1, (row + 1) / len(METRICS))
        title = "Bars: 2 standard errors over sessions; grey: 2 standard deviations over seeds"
        panes[metric] = Pane(across, metric_axis(metric, reached), box, "" if row else title)
        beside = np.arange(len(names)) + BESIDE
        lines[f"{metric} seeds"] = Line(metric, SOFT, width=2)
        numbers[f"{metric} seeds"] = bars_of(beside, mean - spread, mean + spread)
        for place, name in enumerate(names):
            line, colour = f"{metric} {name}", LOSSES[name].colour if name in LOSSES else INK
            ends = mean[place] + error[place] * np.array([-1, 1])
            lines[f"{line} bar"] = Line(metric, colour, width=2, group=line)
            lines[line] = Line(metric, colour, dots=2.5, label=name)
            numbers[f"{line} bar"] = points([place, place], ends)
            numbers[line] = points([place], [mean[place]])
        words = (f"{name} {value:.3f}" for name, value in zip(names, mean, strict=True))
        told.append(f"{label}: {', '.join(words)}")
    return Picture(230 * len(METRICS), panes, lines), Shown(numbers, ". ".join(told) + ".")
