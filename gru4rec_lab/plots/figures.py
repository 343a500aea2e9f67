"""Figures for notebooks; each function returns a matplotlib `Figure`."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from ..diagnostics import GradientByRank, SoftmaxWeights, gaussian_effective
from ..losses import LOSSES
from ..training.events import ControlChanged, EpochDone, Event, Report
from .drawn import figure_of
from .style import notebook_figure, plain_log_axis, rank_axis, style
from .sweep_panes import by_n_sample, in_words, picture_of

if TYPE_CHECKING:
    import pandas as pd

DASHES = ("-", "--", "-.", ":")
WORLD_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
SHARES = {"first": "targets in first place", "first_six": "targets among the first 6"}


def gradient_panels(panels: Mapping[str, GradientByRank], *, relative: bool = False) -> Figure:
    """-dL/dr_i against the target's rank, a panel a title, at most two side by side, one scale.

    A name that is not a loss, as "bpr-max, log inside", has the colour of the loss that it begins
    with, and crosses.

    With `relative` as shares of the gradient of badly ranked targets, which are then at 1.
    """
    highest = max(10, *(2 * int(np.nanmax(curves.rank)) for curves in panels.values()))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    keys = next(iter(panels.values())).curves.keys()
    figure = notebook_figure(5 * columns, 3.6 * rows)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (title, curves) in zip(grid.flat, panels.items(), strict=True):
        shown = curves.relative() if relative else curves
        for name, curve in shown.curves.items():
            seen = np.isfinite(curve) & (curve > 0)
            mark = {"marker": "o", "ms": 3} if name in LOSSES else {"marker": "x", "ms": 6}
            axes.plot(shown.rank[seen], curve[seen], label=name, **_style(name), **mark)
        rank_axis(axes, highest)
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10, loc="left")
        if axes is grid[0, 0] or curves.curves.keys() != keys:
            axes.legend(fontsize=9)
    what = ", badly ranked targets = 1" if relative else " (median)"
    for axes in grid[:, 0]:
        axes.set_ylabel(f"$-\\partial L/\\partial r_i${what}")
    for axes in grid[:-1].flat:
        axes.set_xlabel("")
    return figure


def gradient_by_rank(curves: GradientByRank, *, title: str = "") -> Figure:
    """`gradient_panels` with one panel."""
    return gradient_panels({title: curves})


def weight_mass(weights: Mapping[str, SoftmaxWeights]) -> Figure:
    """Share of the softmax weight on the best-scoring 1, 2, ... negatives, a line a label."""
    figure = notebook_figure(7, 3.6)
    axes = figure.add_subplot()
    for label, shares in weights.items():
        axes.plot(np.arange(1, len(shares.weight) + 1), shares.cumulated, label=label)
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="negatives, the best-scoring first")
    axes.set_ylabel("share of the softmax weight")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.legend(fontsize=9)
    return figure


def share_by_popularity(shares: Mapping[str, np.ndarray]) -> Figure:
    """Share on the most popular 1, 2, ... items, a line a label: of samples, of recommendations.

    Takes what `diagnostics.share_by_popularity` gives.
    """
    figure = notebook_figure(7, 3.6)
    axes = figure.add_subplot()
    for k, (label, share) in enumerate(shares.items()):
        axes.plot(np.arange(1, len(share) + 1), share, label=label, linestyle=DASHES[k % 4])
    axes.set(xlabel="items, the most popular first", ylabel="share", xlim=(0, None), ylim=(0, 1.02))
    axes.legend(fontsize=9)
    return figure


def chance_by_n_sample(chances: "pd.DataFrame") -> Figure:
    """Chance that the samples of a step hold a relevant one, a line a `sample_alpha`.

    Takes a table with a row for each `n_sample` and a column for each `sample_alpha`.
    """
    figure = notebook_figure(7, 3.6)
    axes = figure.add_subplot()
    for k, (alpha, chance) in enumerate(chances.items()):
        axes.plot(
            chance.index, chance, "o", ms=3, label=f"alpha {alpha:g}", linestyle=DASHES[k % 4]
        )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set(xlabel="n_sample", ylabel="chance of a relevant one", ylim=(0, 1.02))
    axes.legend(fontsize=9)
    return figure


def rank_by_epoch(table: "pd.DataFrame") -> Figure:
    """Where targets stand while models train: in first place, among the first 6, median rank.

    Takes a table with the columns model, epoch, first, first_six and median_rank; with more than
    one seed the line is the mean and the band reaches from the lowest to the highest.
    """
    figure = notebook_figure(11, 3.6)
    *shares, middle = figure.subplots(1, 3)
    for axes, (column, label) in zip(shares, SHARES.items(), strict=True):
        _by_epoch(axes, table, column)
        axes.set(ylabel=f"share of {label}", ylim=(0, None))
    _by_epoch(middle, table, "median_rank")
    middle.set_ylabel("median rank (1 = best)")
    plain_log_axis(middle)
    middle.legend(fontsize=9)
    return figure


def score_by_epoch(table: "pd.DataFrame") -> Figure:
    """How scores spread while models train, and how many negatives then carry the weight.

    Takes a table with the columns model, epoch, spread, effective and negatives. The grey line is
    N e^(-v/2), for Gaussian scores of variance v.
    """
    figure = notebook_figure(11, 3.6)
    spread, effective, theory = figure.subplots(1, 3)
    _by_epoch(spread, table, "spread")
    _by_epoch(effective, table, "effective")
    spread.set(ylabel="spread (standard deviation) of the scores", ylim=(0, None))
    effective.set_ylabel("effective negatives")
    plain_log_axis(effective)
    count, widest = int(table["negatives"].max()), float(table["spread"].max())
    x = np.linspace(0, widest, 100)
    theory.plot(x, [gaussian_effective(count, at) for at in x], color="grey", label="N exp(-v/2)")
    for model, part in table.groupby("model", sort=False):
        theory.plot(part["spread"], part["effective"], "o", ms=4, color=_colour(model))
    theory.set(xlabel="spread of the scores", ylabel="effective negatives", ylim=(1, 2 * count))
    plain_log_axis(theory)
    theory.legend(fontsize=9)
    spread.legend(fontsize=9)
    return figure


def quality_against(
    table: "pd.DataFrame", setting: str, *, by: str = "epoch", log: bool = False
) -> Figure:
    """MRR@20 against a setting, a panel a model and a line for each value of `by`.

    Takes a table with the columns model, mrr_20, mrr_20_se and those named; bars are one standard
    error.
    """
    models = table["model"].unique()
    figure = notebook_figure(3.2 * len(models), 3.2)
    row = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
    for axes, model in zip(row, models, strict=True):
        for k, (value, part) in enumerate(table[table["model"] == model].groupby(by)):
            axes.errorbar(
                part[setting], part["mrr_20"], part["mrr_20_se"], color=_colour(model),
                marker="osD^"[k % 4], ms=5, lw=1, alpha=0.4 + 0.6 / (1 + k), label=f"{by} {value}",
            )  # fmt: skip
        axes.set_title(model, fontsize=10, loc="left")
        if log:
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlabel(setting)
        axes.legend(fontsize=8)
    row[0].set_ylabel("MRR@20")
    return figure


def quality_by_n_sample(table: "pd.DataFrame") -> Figure:
    """Recall@20, MRR@20, Recall@1 and seconds of training against `n_sample`, a line a loss.

    Takes the frame of a sweep, or a stored table of one, with trials of one `sample_alpha`; bars
    are one standard deviation over the seeds to either side.
    """
    boxes = {"recall@20": (0, 0, 0.5, 0.5), "mrr@20": (0.5, 0, 1, 0.5),
             "recall@1": (0, 0.5, 0.5, 1), "seconds": (0.5, 0.5, 1, 1)}  # fmt: skip
    parts = {
        column: by_n_sample(column, table, column, box, keys=column == "recall@20")
        for column, box in boxes.items()
    }
    return figure_of(*picture_of(600, parts, in_words(table, ("recall@20", "mrr@20"))))


def kept_by_world(table: "pd.DataFrame") -> Figure:
    """What each bug leaves of the sound MRR@20, a row a bug and a mark a world.

    Takes a table with the columns world, bug and kept; with more than one seed the mark is the
    mean and the line reaches from the lowest to the highest.
    """
    bugs, worlds = (list(dict.fromkeys(table[column])) for column in ("bug", "world"))
    figure = notebook_figure(8, 0.3 * len(bugs) + 1)
    axes = figure.add_subplot()
    axes.axvline(1, color="#444444", linewidth=0.8)
    for k, (world, mark, colour) in enumerate(zip(worlds, "osD^", WORLD_COLOURS, strict=False)):
        kept = table[table["world"] == world].groupby("bug")["kept"].agg(["mean", "min", "max"])
        kept = kept.reindex(bugs)
        place = np.arange(len(bugs)) + 0.2 * (k - (len(worlds) - 1) / 2)
        axes.hlines(place, kept["min"], kept["max"], color=colour, linewidth=1.5)
        axes.plot(kept["mean"], place, mark, color=colour, ms=5, label=world)
    axes.set_yticks(range(len(bugs)), bugs)
    axes.set(xlim=(0, None), ylim=(len(bugs) - 0.4, -0.6), xlabel="kept of the sound MRR@20")
    axes.grid(axis="x", linewidth=0.4, color="#dddddd")
    figure.legend(fontsize=9, loc="outside upper center", ncols=len(worlds))
    return figure


def history(events: Iterable[Event]) -> Figure:
    """Loss and, where a run was evaluated, Recall@20 and MRR@20 over the steps of a run.

    Takes the events of `training.train`: reports give the loss, ends of epochs the rest, changed
    controls a vertical line.
    """
    events = list(events)
    reports = [event for event in events if isinstance(event, Report)]
    epochs = [event for event in events if isinstance(event, EpochDone) and event.evaluation]
    figure = notebook_figure(9, 3.5)
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


def _by_epoch(axes: Axes, table: "pd.DataFrame", column: str) -> None:
    for model, part in table.groupby("model", sort=False):
        values = part.groupby("epoch")[column].agg(["mean", "min", "max"])
        axes.plot(values.index, values["mean"], label=model, marker=".", **_style(model))
        axes.fill_between(
            values.index, values["min"], values["max"], color=_colour(model), alpha=0.2
        )
    axes.set_xlabel("epoch")


def _style(model: str) -> dict:
    return style(model) if model in LOSSES else {"color": _colour(model), "linestyle": ":"}


def _colour(model: str) -> str:
    """That of the loss which the name of the model begins with; grey for a loss not known here."""
    loss = model.replace(",", " ").split()[0]
    return LOSSES[loss].colour if loss in LOSSES else "#444444"
