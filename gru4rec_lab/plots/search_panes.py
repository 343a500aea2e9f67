"""What a search has found, as figures: the importance of each setting, and all trials as lines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..sweeps.search import Search
from ..sweeps.spaces import choices_of
from ..sweeps.trial import Row
from .drawn import figure_of
from .picture import INK, SOFT, Axis, Line, Pane, Picture, Shown, points

BAR_COLOUR = "#6baed6"
# From the trials with the lowest metric to those with the highest.
LEVELS = ("#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c")
BEST_COLOUR = "#d55e00"


def importance(found: Search) -> Figure:
    """The share of each setting in what tells the best trials from all, as bars."""
    return figure_of(*importance_picture(found.importance()))


def parallel_coordinates(found: Search) -> Figure:
    """Each trial as a line through the values of its settings to its metric; the best in orange."""
    return figure_of(*coordinates_picture(found))


def importance_picture(shares: dict[str, float]) -> tuple[Picture, Shown]:
    """The picture of `Search.importance`, a bar a setting."""
    names, values = list(shares), np.array(list(shares.values()))
    x = Axis((-0.5, len(names) - 0.5), ticks=_names(names))
    y = Axis((0, 1.1 * float(values.max(initial=0.1))), label="share")
    pane = Pane(x, y, title="Which settings tell the best trials from all (PED-ANOVA)")
    written = Line("shares", INK, "texts", width=11)
    lines = {"importance": Line("shares", BAR_COLOUR, "bars", label="importance"), "texts": written}
    # A bin without height between each two bars.
    heights = np.stack([values, np.zeros_like(values)], axis=1).ravel()
    numbers = {
        "importance": points(np.arange(len(heights)) / 2, heights),
        "texts": points(np.arange(len(names)), values + 0.04 * y.limits[1]),
    }
    words = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    about = f"The share of each setting in what tells the best trials from all: {words}."
    texts = {"texts": [f"{share:.2f}" for share in values]}
    return Picture(260, {"shares": pane}, lines), Shown(numbers, about, texts=texts)


def coordinates_picture(found: Search) -> tuple[Picture, Shown]:
    """The trials that ended well, each a line from setting to setting and to the metric.

    Settings of one value are left out. Every other has a scale of its own, from its lowest value
    below to its highest above; the values of a list stand in its order.

    Raises:
        ValueError: no trial has ended well.
    """
    best, space, name = found.best, found.varying, found.metric  # raises where there is none
    done = [row for row in found.results.rows if row["error"] is None]
    metric = np.array([row[name] for row in done])
    low, high = float(metric.min()), float(metric.max())
    heights = [_heights(setting, given, done) for setting, given in space.items()]
    heights = np.stack([*heights, (metric - low) / ((high - low) or 1)], axis=1)
    levels = np.minimum(len(LEVELS) * heights[:, -1], len(LEVELS) - 1).astype(int)
    groups = {f"level {n}": heights[levels == n] for n in range(len(LEVELS))}
    groups["best"] = heights[[metric.argmax()]]
    lines = {
        group: Line("trials", colour, width=2.5 if group == "best" else 1, label=group)
        for group, colour in zip(groups, [*LEVELS, BEST_COLOUR], strict=True)
    }
    numbers = {group: _lines(rows) for group, rows in groups.items() if len(rows)}
    ends = [_ends(setting, given) for setting, given in space.items()]
    scales, at, texts = _scales([*ends, (f"{low:.3f}", f"{high:.3f}")])
    across = Axis((-0.5, len(space) + 0.5), ticks=_names([*space, name]))
    # No words at the tick: heights are shares of each setting's range, and have no scale.
    upward = Axis((-0.15, 1.15), ticks=((0, ""),))
    title = f"All trials: the darker, the higher {name}; the best in orange"
    panes = {"trials": Pane(across, upward, title=title, bare=True)}
    told = ", ".join(f"{setting} {getattr(best, setting)}" for setting in found.space)
    about = f"{len(done)} trials, {name} {low:.3f} to {high:.3f}; the best: {told}."
    return Picture(380, panes, scales | lines), Shown(at | numbers, about, texts=texts)


def _scales(
    ends: Sequence[tuple[str, str]],
) -> tuple[dict[str, Line], dict[str, np.ndarray], dict[str, list[str]]]:
    """An upright line for each axis, with the words at its lower and its upper end."""
    places = np.arange(len(ends))
    upright = np.tile([0, 1, np.nan], len(ends))
    lines = {"scales": Line("trials", SOFT, width=0.8)}
    numbers = {"scales": points(np.repeat(places, 3), upright, most=3 * len(ends))}
    for side, height in ((0, -0.07), (1, 1.07)):
        lines[f"ends {side}"] = Line("trials", SOFT, "texts", width=11)
        numbers[f"ends {side}"] = points(places, np.full(len(ends), height))
    return lines, numbers, {f"ends {side}": [end[side] for end in ends] for side in (0, 1)}


def _names(names: Sequence[str]) -> tuple[tuple[float, str], ...]:
    """A tick a name, every second one a line lower, so that long names have room."""
    return tuple((place, "\n" * (place % 2) + name) for place, name in enumerate(names))


def _heights(name: str, given: Any, rows: Sequence[Row]) -> np.ndarray:
    """[rows] in [0, 1]: where each trial's value of a setting lies in its range or its list."""
    if not isinstance(given, tuple):
        values = list(choices_of(name, given).values())
        taken = [tuple(row[name]) if name == "layers" else row[name] for row in rows]
        places = np.array([values.index(value) for value in taken], dtype=float)
        return places / (len(values) - 1)
    taken = [row[name][0] if name == "layers" else row[name] for row in rows]
    numbers = np.array([*given[:2], *taken], dtype=float)
    numbers = np.log(numbers) if given[2:] == ("log",) else numbers
    return (numbers[2:] - numbers[0]) / (numbers[1] - numbers[0])


def _ends(name: str, given: Any) -> tuple[str, str]:
    """The words below and above an axis."""
    if isinstance(given, tuple):
        return f"{given[0]:g}", f"{given[1]:g}"
    values = list(choices_of(name, given))
    return str(values[0]), str(values[-1])


def _lines(heights: np.ndarray) -> np.ndarray:
    """The numbers of a line for each row; a NaN parts each from the next."""
    n_trials, n_axes = heights.shape
    x = np.tile([*range(n_axes), np.nan], n_trials)
    y = np.column_stack([heights, np.full(n_trials, np.nan)]).ravel()
    return points(x, y, most=len(x))
