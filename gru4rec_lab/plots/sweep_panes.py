"""The pictures of a sweep as plain data: quality and time against n_sample, maps, a history.

All take the frame of a sweep's results, a row a trial. Trials that differ in nothing but their seed
are one point, with a bar of one standard deviation to either side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..losses import LOSSES
from .loss_panes import RIGHT_AXIS_COLOUR
from .picture import BLACK, SOFT, Axis, Box, Line, Pane, Picture, Shown, colour_number, points

if TYPE_CHECKING:
    import pandas as pd

METRICS = {"recall@20": "Recall@20", "mrr@20": "MRR@20", "recall@1": "Recall@1"}
LABELS = METRICS | {"seconds": "seconds of training"}
PALE, DEEP = np.array([0xF3, 0xF8, 0xFC]), np.array([0x6B, 0xAE, 0xD6])
OWN_COLOUR, SIZES = "#882255", "extra negatives, n_sample"


@dataclass(frozen=True, eq=False)
class Part:
    """One pane of a sweep with its lines and their numbers.

    Attributes:
        trials: line name to the index in the frame of a trial behind each of its points.
        texts: as of `Shown`.
    """

    pane: Pane
    lines: Mapping[str, Line]
    numbers: Mapping[str, np.ndarray]
    trials: Mapping[str, list[Any]] = field(default_factory=dict)
    texts: Mapping[str, list[str]] = field(default_factory=dict)


def picture_of(height: int, parts: Mapping[str, Part], about: str) -> tuple[Picture, Shown]:
    """The parts, by the names of their panes, as one picture."""
    lines, numbers, texts = {}, {}, {}
    for part in parts.values():
        lines |= part.lines
        numbers |= part.numbers
        texts |= part.texts
    panes = {name: part.pane for name, part in parts.items()}
    return Picture(height, panes, lines, narrow=780), Shown(numbers, about, texts=texts)


def _ended_well(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The trials without an error; all of them where the table has no such column."""
    return frame[frame["error"].isna()] if "error" in frame else frame


def sample_sizes(frame: "pd.DataFrame") -> list[Any]:
    """The values of `n_sample`, rising, "all" at the end."""
    return sorted(frame["n_sample"].unique(), key=lambda size: np.inf if size == "all" else size)


def by_n_sample(
    name: str, frame: "pd.DataFrame", column: str, box: Box, *, keys: bool = False
) -> Part:
    """Pane `name`: a column against `n_sample`, a line a loss, for trials of one `sample_alpha`."""
    sizes, names = sample_sizes(frame), list(dict.fromkeys(frame["loss"]))
    x = Axis((-0.3, max(len(sizes), 2) - 0.7), label=SIZES, ticks=_ticks(sizes))
    done = _ended_well(frame)
    lines, numbers, trials, texts = {}, {}, {}, {}
    for order, loss in enumerate(names):
        rows, line, colour = done[done["loss"] == loss], f"{name} {loss}", _colour(loss)
        groups = [rows[rows["n_sample"] == size][column] for size in sizes]
        found = [(place, group) for place, group in enumerate(groups) if len(group)]
        # Side by side, so that bars do not hide each other.
        places = np.array([place for place, _ in found]) + 0.03 * (order - (len(names) - 1) / 2)
        mean = np.array([group.mean() for _, group in found])
        spread = np.array([group.std() for _, group in found])
        key = "picture" if keys else ""
        lines[line] = Line(name, colour, dots=3, label=loss, key=key, group=loss)
        lines[f"{line} bars"] = Line(name, colour, width=1, group=loss)
        numbers[line] = points(places, mean)
        numbers[f"{line} bars"] = bars_of(places, mean - spread, mean + spread)
        trials[line] = [group.index[0] for _, group in found]
        texts[line] = [f"n_sample {x.ticks[place][1]}" for place, _ in found]
    pane = Pane(x, metric_axis(column, done[column].to_numpy(float)), box, LABELS[column])
    return Part(pane, lines, numbers, trials, texts)


def alpha_map(name: str, frame: "pd.DataFrame", column: str, box: Box, title: str) -> Part:
    """Pane `name`: a column over `n_sample` and `sample_alpha`, for trials of one loss."""
    sizes, alphas = sample_sizes(frame), sorted(frame["sample_alpha"].unique())
    done = _ended_well(frame)
    cells = [
        (x, y, group[column].mean(), group.index[0])
        for x, size in enumerate(sizes)
        for y, alpha in enumerate(alphas)
        if len(group := done[(done["n_sample"] == size) & (done["sample_alpha"] == alpha)])
    ]
    x, y, mean = (np.array([cell[row] for cell in cells], dtype=float) for row in range(3))
    across, up = (
        Axis((-0.5, max(1, len(values)) - 0.5), label=label, ticks=_ticks(values))
        for values, label in ((sizes, SIZES), (alphas, "sample_alpha"))
    )
    written = f"{name} numbers"
    lines = {name: Line(name, kind="cells"), written: Line(name, BLACK, "texts", width=11)}
    numbers = {name: points(x, y, colour_number(_shades(mean))), written: points(x, y)}
    read = [
        f"n_sample {across.ticks[column][1]}, alpha {up.ticks[row][1]}: {value:.4f}"
        for column, row, value, _ in cells
    ]
    texts = {name: read, written: [f"{value:.3f}" for value in mean]}
    trials = {name: [index for *_, index in cells]}
    return Part(Pane(across, up, box, title, bare=True), lines, numbers, trials, texts)


def history_part(name: str, history: "pd.DataFrame", box: Box, title: str) -> Part:
    """Pane `name`: the mean loss of a trial and, on the right, its metrics at ends of epochs."""
    look = {"axis": "right", "dots": 3}
    lines = {
        name: Line(name, SOFT, dots=1.5, label="loss"),
        f"{name} recall@20": Line(name, RIGHT_AXIS_COLOUR, label="Recall@20", **look),
        f"{name} mrr@20": Line(name, RIGHT_AXIS_COLOUR, dash=(4, 2), label="MRR@20", **look),
    }
    steps = history["step"] if len(history) else np.array([])
    losses = history["loss"] if len(history) else np.array([])
    numbers = {name: points(steps, losses)}
    for column in ("recall@20", "mrr@20"):
        if column in history:
            ends = history[history[column].notna()]
            numbers[f"{name} {column}"] = points(ends["step"], ends[column])
    top = float(np.nanmax(losses)) if len(losses) else 1.0
    pane = Pane(
        Axis((0, 1.05 * float(max(steps, default=1000))), label="step", name="step"),
        Axis((0, 1.1 * top), label="mean loss a target"), box, title,
        right=Axis((0, 1), label="Recall@20, MRR@20 (dashed)", colour=RIGHT_AXIS_COLOUR),
    )  # fmt: skip
    return Part(pane, lines, numbers)


def in_words(frame: "pd.DataFrame", columns: Iterable[str]) -> str:
    """What the lines against `n_sample` show, for those who do not see them."""
    done = _ended_well(frame)
    if not len(done):
        return "No trial has ended yet."
    best = []
    for column in columns:
        means = done.groupby(["loss", "n_sample"])[column].mean()
        tops = [(*each.idxmax(), each.max()) for _, each in means.groupby(level=0)]
        words = [f"{loss} at most {top:.3f} at n_sample {size}" for loss, size, top in tops]
        best.append(f"{LABELS[column]}: {', '.join(words)}")
    return f"{len(done)} trials. " + ". ".join(best) + "."


def metric_axis(column: str, values: np.ndarray) -> Axis:
    """From a little below the least value to a little above the greatest."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.1, 1.0)
    if column == "seconds":
        first, last = np.floor(np.log10(max(low, 1e-3))), np.ceil(np.log10(max(high, 1e-3)))
        return Axis((10.0**first, 10.0 ** max(last, first + 1)), "log", LABELS[column])
    step = 0.05 if high - low > 0.1 else 0.02
    bottom, top = step * np.floor(low / step - 0.2), step * np.ceil(high / step + 0.2)
    return Axis((float(max(0, bottom)), float(top)), label=LABELS[column])


def _ticks(values: list[Any]) -> tuple[tuple[float, str], ...]:
    """A tick a value, evenly spaced."""
    return tuple(enumerate(value if value == "all" else f"{value:,}" for value in values))


def bars_of(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The numbers of upright bars; a NaN parts each from the next."""
    ends = np.stack([low, high, np.full(len(low), np.nan)], axis=1)
    return points(np.repeat(places, 3), ends.ravel())


def _colour(loss: str) -> str:
    return LOSSES[loss].colour if loss in LOSSES else OWN_COLOUR


def _shades(values: np.ndarray) -> list[str]:
    """A blue for each value, the deeper the greater."""
    wide = np.ptp(values) if len(values) else 0.0
    shares = (values - values.min()) / wide if wide else np.full(len(values), 0.5)
    rows = [PALE + share * (DEEP - PALE) for share in shares]
    return ["#" + "".join(f"{round(part):02x}" for part in row) for row in rows]
