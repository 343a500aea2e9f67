"""Figure 1 of [H16], and the score matrix of a step: what is in each row and in each column.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from ..diagnostics.steps import Replay, Role, StepView, Window
from .live import LivePlot

N_STEPS, MOST_ROWS, MOST_EXTRA = 8, 8, 24
# Neighbours differ; pale, so that black text stays readable.
SESSIONS = (
    "#d6e4f5", "#f8e3c5", "#dcefd6", "#f3d7e3", "#e6dcf1", "#f4f0bf", "#d3eeee", "#e9e0d0",
    "#fbd8d2", "#e0e4e8", "#cfe3c0",
)  # fmt: skip
FOLLOWED = "#ffbf3f"
SHADES = {Role.TARGET: "#3f7f3f", Role.OTHER_TARGET: "#2b6cb0", Role.EXTRA: "#c2641c"}
COPY_COLOUR = "#b00020"
POINTS_PER_INCH = 72
NOTHING = Path([[0, 0]], [Path.MOVETO])


class RowsPane:
    """Which session stands in which row over eight steps; a bar marks where a session starts."""

    def __init__(self, plot: LivePlot, axes: Axes):
        self._plot, self._axes = plot, axes
        _bare(axes)
        axes.set(xlim=(0, N_STEPS), ylim=(MOST_ROWS, 0))
        axes.set_yticks(np.arange(MOST_ROWS) + 0.5, [f"row {row}" for row in range(MOST_ROWS)])
        self._cells = _cells(plot, axes)
        (starts,) = axes.plot([], [], color="black", linewidth=3, solid_capstyle="butt")
        self._starts = plot.moving(starts)
        box = Rectangle((0, 0), 1, 1, fill=False, linewidth=2, edgecolor="black", clip_on=False)
        self._now = plot.moving(axes.add_patch(box))
        self._labels = Labels(plot, axes)

    def show(
        self, window: Window, item_ids: np.ndarray, *, step: int = -1, followed: int = -1
    ) -> None:
        """Draw these steps, the one called `step` in a frame, one session in a colour of its own.

        Every cell holds the item just clicked and below it the target.
        """
        n_rows = len(window.session)
        self._plot.limits(self._axes, y=(n_rows, 0))
        seen = window.session >= 0
        self._cells.set_verts(_squares(np.argwhere(seen), 1))
        sessions = window.session[seen].tolist()
        self._cells.set_facecolor([_colour(session, followed) for session in sessions])
        self._starts.set_data(*_bars(np.argwhere(window.click == 0)))
        self._now.set_visible(step >= 0)
        self._now.set_bounds(step - window.first, 0, 1, n_rows)
        steps = np.flatnonzero(seen.any(axis=0)).tolist()
        numbers = [(k + 0.5, -0.03 * n_rows, f"step {window.first + k}") for k in steps]
        above = _named(seen, item_ids[window.inputs[seen]], 0.36)
        below = _named(seen, item_ids[window.targets[seen]], 0.66)
        self._labels.show([*numbers, *above, *below])


class MatrixPane:
    """The score matrix: own targets framed, other targets blue, extra samples orange, copies x.

    The darker, the higher the score.
    """

    def __init__(self, plot: LivePlot, axes: Axes):
        self._plot, self._axes = plot, axes
        _bare(axes)
        axes.set(xlim=(0, 1), ylim=(MOST_ROWS, 0))
        axes.set_yticks(np.arange(MOST_ROWS) + 0.5, [f"row {row}" for row in range(MOST_ROWS)])
        self._cells = _cells(plot, axes)
        (border,) = axes.plot([], [], color="black", linewidth=2, clip_on=False)
        (frames,) = axes.plot([], [], color="black", linewidth=2, clip_on=False)
        (copies,) = axes.plot([], [], "x", color=COPY_COLOUR, ms=9, mew=2.5)
        (row,) = axes.plot([], [], marker=">", color="black", ms=7, clip_on=False)
        self._border, self._frames = plot.moving(border), plot.moving(frames)
        self._copies, self._row = plot.moving(copies), plot.moving(row)
        self._labels = Labels(plot, axes, upright=True)

    def show(self, view: StepView, item_ids: np.ndarray, *, row: int = -1) -> None:
        """Draw the matrix of this step, with a mark at one row."""
        n_rows, n_columns = view.scores.shape
        self._plot.limits(self._axes, y=(n_rows, 0))
        everywhere = np.argwhere(np.ones((n_rows, n_columns)))
        self._cells.set_verts(_squares(everywhere, 1 / n_columns))
        self._cells.set_facecolor(_shaded(view).reshape(-1, 3))
        edge = n_rows / n_columns
        self._border.set_data([edge, edge], [0, n_rows])
        own = np.repeat(np.arange(n_rows)[:, None], 2, axis=1)
        self._frames.set_data(*_outline(_squares(own, 1 / n_columns)))
        places = np.array(view.copies).reshape(-1, 2) + 0.5
        self._copies.set_data(places[:, 1] / n_columns, places[:, 0])
        self._row.set_data([-0.015] if row >= 0 else [], [row + 0.5] if row >= 0 else [])
        items = [*view.batch.targets.tolist(), *view.extra.tolist()]
        names = [((k + 0.5) / n_columns, str(item_ids[item])) for k, item in enumerate(items)]
        self._labels.show((x, -0.02 * n_rows, name) for x, name in names)


class Labels:
    """Texts of one size, each centred on a point of the axes and upright or turned by 90 degrees.

    Attributes:
        texts: what is shown, in the order given.
    """

    def __init__(self, plot: LivePlot, axes: Axes, *, size: float = 7, upright: bool = False):
        self._axes, self._size, self._upright = axes, size, upright
        self.texts: list[str] = []
        # In inches, so that the same shape is right at every resolution.
        inches = plot.figure.dpi_scale_trans
        shape = PathPatch(NOTHING, color="black", linewidth=0, transform=inches, clip_on=False)
        self._shape = plot.moving(axes.add_artist(shape))

    def show(self, labels: Iterable[tuple[float, float, str]]) -> None:
        """Show these texts, each as (x, y, text) in data units; an upright one begins at y."""
        labels = [(x, y, text) for x, y, text in labels if text]
        self.texts = [text for _, _, text in labels]
        where = np.array([(x, y) for x, y, _ in labels]).reshape(-1, 2)
        where = self._axes.transData.transform(where) / self._axes.figure.dpi
        paths = [_written(text, self._size, self._upright) for text in self.texts]
        if not paths:
            self._shape.set_path(NOTHING)
            return
        vertices = [path.vertices + at for path, at in zip(paths, where, strict=True)]
        codes = np.concatenate([path.codes for path in paths])
        self._shape.set_path(Path(np.concatenate(vertices), codes))


def batch_plot(*, scale: float = 2) -> tuple[LivePlot, RowsPane, MatrixPane]:
    """A plot with the rows of a batch on the left and the score matrix of one step on the right."""
    plot = LivePlot(960, 400, scale=scale)
    rows = RowsPane(plot, plot.add_axes(50, 60, 470, 330))
    matrix = MatrixPane(plot, plot.add_axes(540, 60, 945, 330))
    words = [
        (50, 30, "black", "A bar: a session starts there, its state is zero."),
        (50, 12, "black", "Above: item just clicked; below: the target. The frame: this step."),
        (540, 30, "black", "framed: the row's own target"),
        (745, 30, SHADES[Role.OTHER_TARGET], "blue: targets of the other rows"),
        (540, 12, SHADES[Role.EXTRA], "orange: extra samples"),
        (745, 12, COPY_COLOUR, "x: a copy of the row's own target"),
    ]
    for left, bottom, colour, text in words:
        place = left / plot.width, bottom / plot.height
        plot.figure.text(*place, text, fontsize=8, color=colour, va="center")
    plot.figure.text(50 / plot.width, 0.97, "sessions side by side", fontsize=10)
    plot.figure.text(540 / plot.width, 0.97, "scores (darker: higher)", fontsize=10)
    return plot, rows, matrix


def rows_figure(replay: Replay, first: int = 0, *, followed: int = -1) -> Figure:
    """The sessions in each row over eight steps from step `first` on, with the names of the items.

    Every cell holds the item just clicked and below it the target.
    """
    plot = LivePlot(760, 60 + 45 * len(replay.schedule[0].targets), scale=1)
    pane = RowsPane(plot, plot.add_axes(50, 10, 750, plot.height - 30))
    window = replay.window(first, N_STEPS)
    pane.show(window, replay.sessions.item_ids, followed=followed)
    return plot.figure


def step_figure(replay: Replay, step: int, n_sample: int, *, followed: int = -1) -> Figure:
    """The rows around a step and its score matrix, with the names of the items."""
    plot, rows, matrix = batch_plot(scale=1)
    names = replay.sessions.item_ids
    window = replay.window(max(0, step - 3), N_STEPS)
    rows.show(window, names, step=step, followed=followed)
    matrix.show(replay.view(step, n_sample), names)
    return plot.figure


def _bare(axes: Axes) -> None:
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=8)
    axes.set_xticks([])


def _cells(plot: LivePlot, axes: Axes) -> PolyCollection:
    return plot.moving(axes.add_collection(PolyCollection([], linewidth=0), autolim=False))


def _colour(session: int, followed: int) -> str:
    return FOLLOWED if session == followed else SESSIONS[session % len(SESSIONS)]


def _named(seen: np.ndarray, names: np.ndarray, height: float) -> list[tuple[float, float, str]]:
    """Labels for the cells where `seen`, at this height of their rows."""
    places = np.argwhere(seen).tolist()
    return [
        (k + 0.5, row + height, str(name)) for (row, k), name in zip(places, names, strict=True)
    ]


def _bars(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A bar at the left edge of each (row, column), as one line with gaps."""
    row, column = places.T.astype(float) if len(places) else np.zeros((2, 0))
    x = np.stack([column + 0.04] * 3, axis=1)
    y = np.stack([row + 0.06, row + 0.94, np.full_like(row, np.nan)], axis=1)
    return x.ravel(), y.ravel()


def _squares(places: np.ndarray, width: float) -> np.ndarray:
    """[cells, 5, 2] the corners of the cell at each (row, column), the first one twice."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    return (places[:, None, ::-1] + corners) * [width, 1]


def _outline(squares: np.ndarray) -> np.ndarray:
    """[2, points] the squares as one line with gaps."""
    gaps = np.full((len(squares), 1, 2), np.nan)
    return np.concatenate([squares, gaps], axis=1).reshape(-1, 2).T


def _shaded(view: StepView) -> np.ndarray:
    """[B, B + N, 3] the colour of what a column is, the darker the higher its score."""
    scores = view.scores.numpy()
    low, high = scores.min(), scores.max()
    depth = 0.08 + 0.85 * (scores - low) / max(high - low, 1e-9)
    n_rows = len(scores)
    colours = np.empty((*scores.shape, 3))
    colours[:, :n_rows] = to_rgb(SHADES[Role.OTHER_TARGET])
    colours[:, n_rows:] = to_rgb(SHADES[Role.EXTRA])
    colours[np.arange(n_rows), np.arange(n_rows)] = to_rgb(SHADES[Role.TARGET])
    return 1 - depth[..., None] * (1 - colours)


@lru_cache(maxsize=10_000)
def _written(text: str, size: float, upright: bool) -> Path:
    """The outline of a text around (0, 0), in inches."""
    outline = TextPath((0, 0), text, size=size)
    x, y = (outline.vertices / POINTS_PER_INCH).T
    middle = 0.36 * size / POINTS_PER_INCH  # half the height of a capital letter
    x = x - x.max(initial=0) / 2 if not upright else x
    vertices = np.stack([middle - y, x] if upright else [x, y - middle], axis=1)
    return Path(vertices, outline.codes)
