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
OWN_COLOUR = "#882255"


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


def sample_sizes(frame: "pd.DataFrame") -> list[Any]:
    """The values of `n_sample`, rising, "all" at the end."""
    return sorted(frame["n_sample"].unique(), key=lambda size: np.inf if size == "all" else size)


def by_n_sample(
    name: str, frame: "pd.DataFrame", column: str, box: Box, *, keys: bool = False
) -> Part:
    """Pane `name`: a column against `n_sample`, a line a loss, for trials of one `sample_alpha`."""
    sizes = sample_sizes(frame)
    ticks = tuple(
        (place, f"{size:,}" if size != "all" else "all") for place, size in enumerate(sizes)
    )
    x = Axis((-0.3, max(len(sizes), 2) - 0.7), label="extra negatives, n_sample", ticks=ticks)
    lines, numbers, trials, texts = {}, {}, {}, {}
    names = list(dict.fromkeys(frame["loss"]))
    done = frame[frame["error"].isna()]
    for order, loss in enumerate(names):
        rows = done[done["loss"] == loss]
        groups = [rows[rows["n_sample"] == size][column] for size in sizes]
        found = [(place, group) for place, group in enumerate(groups) if len(group)]
        # Side by side, so that bars do not hide each other.
        places = np.array([place for place, _ in found]) + 0.03 * (order - (len(names) - 1) / 2)
        mean = np.array([group.mean() for _, group in found])
        spread = np.array([group.std() for _, group in found])
        line, colour = f"{name} {loss}", _colour(loss)
        key = "picture" if keys else ""
        lines[line] = Line(
            name, colour, dots=3, label=loss, key=key, group=loss if not keys else ""
        )
        lines[f"{line} bars"] = Line(name, colour, width=1, group=line if keys else loss)
        numbers[line] = points(places, mean)
        ends = (places, mean - spread), (places, mean + spread), (places, np.nan * mean)
        numbers[f"{line} bars"] = points(
            *(np.stack([end[row] for end in ends], axis=1).ravel() for row in (0, 1))
        )
        trials[line] = [group.index[0] for _, group in found]
        texts[line] = [f"n_sample {ticks[place][1]}" for place, _ in found]
    return Part(
        Pane(x, _axis(column, done[column]), box, LABELS[column]), lines, numbers, trials, texts
    )


def alpha_map(name: str, frame: "pd.DataFrame", column: str, box: Box, title: str) -> Part:
    """Pane `name`: a column over `n_sample` and `sample_alpha`, for trials of one loss."""
    sizes, alphas = sample_sizes(frame), sorted(frame["sample_alpha"].unique())
    done = frame[frame["error"].isna()]
    cells = [
        (x, y, group[column].mean(), group.index[0])
        for x, size in enumerate(sizes)
        for y, alpha in enumerate(alphas)
        if len(group := done[(done["n_sample"] == size) & (done["sample_alpha"] == alpha)])
    ]
    x, y, mean = (np.array([cell[row] for cell in cells], dtype=float) for row in range(3))
    ends = [(-0.5, max(1, len(each)) - 0.5) for each in (sizes, alphas)]
    ticks = [tuple((place, f"{value:,}" if value != "all" else "all") for place, value in enumerate(each))
             for each in (sizes, alphas)]  # fmt: skip
    pane = Pane(
        Axis(ends[0], label="extra negatives, n_sample", ticks=ticks[0]),
        Axis(ends[1], label="sample_alpha", ticks=ticks[1]), box, title, bare=True,
    )  # fmt: skip
    lines = {
        name: Line(name, kind="cells"),
        f"{name} numbers": Line(name, BLACK, "texts", width=11),
    }
    numbers = {name: points(x, y, colour_number(_shades(mean))), f"{name} numbers": points(x, y)}
    read = [
        f"n_sample {ticks[0][int(column)][1]}, alpha {ticks[1][int(row)][1]}: {value:.4f}"
        for column, row, value in zip(x, y, mean, strict=True)
    ]
    texts = {name: read, f"{name} numbers": [f"{value:.3f}" for value in mean]}
    return Part(pane, lines, numbers, {name: [cell[3] for cell in cells]}, texts)


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
    done = frame[frame["error"].isna()]
    if not len(done):
        return "No trial has ended yet."
    best = [
        f"{LABELS[column]}: "
        + ", ".join(
            f"{loss} at most {means.max():.3f} at n_sample {means.idxmax()}"
            for loss, means in (
                (loss, rows.groupby("n_sample")[column].mean())
                for loss, rows in done.groupby("loss")
            )
        )
        for column in columns
    ]
    return f"{len(done)} trials. " + ". ".join(best) + "."


def _axis(column: str, values: "pd.Series") -> Axis:
    """From a little below the least to a little above the greatest value; seconds as powers of 10."""
    known = values.to_numpy(float)
    known = known[np.isfinite(known)]
    low, high = (known.min(), known.max()) if len(known) else (0.1, 1.0)
    if column == "seconds":
        ends = (
            10.0 ** np.floor(np.log10(max(low, 1e-3))),
            10.0 ** np.ceil(np.log10(max(high, 2e-3))),
        )
        return Axis((float(ends[0]), float(max(ends[1], 10 * ends[0]))), "log", LABELS[column])
    step = 0.05 if high - low > 0.1 else 0.02
    bottom, top = step * np.floor(low / step - 0.2), step * np.ceil(high / step + 0.2)
    return Axis((float(max(0, bottom)), float(top)), label=LABELS[column])


def _colour(loss: str) -> str:
    return LOSSES[loss].colour if loss in LOSSES else OWN_COLOUR


def _shades(values: np.ndarray) -> list[str]:
    """A blue for each value, the deeper the greater."""
    wide = np.ptp(values) if len(values) else 0.0
    shares = (values - values.min()) / wide if wide else np.full(len(values), 0.5)
    return [
        "#" + "".join(f"{round(part):02x}" for part in PALE + share * (DEEP - PALE))
        for share in shares
    ]
