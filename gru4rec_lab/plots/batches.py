"""Figure 1 of [H16], and the score matrix of a step: what is in each row and in each column.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb

from ..diagnostics.steps import Replay, Role, StepView, Window
from .drawn import figure_of
from .page import NotebookFigure
from .picture import BLACK, Axis, Line, Pane, Picture, Shown, colour_number, points

N_STEPS, MOST_ROWS, MOST_EXTRA = 8, 8, 24
BEFORE = 3  # steps shown before the one that is looked at
MOST_WRITTEN = 12  # columns in which a score finds room
MOST_LETTERS = 9
# Neighbours differ; pale, so that black text stays readable.
SESSIONS = (
    "#d6e4f5", "#f8e3c5", "#dcefd6", "#f3d7e3", "#e6dcf1", "#f4f0bf", "#d3eeee", "#e9e0d0",
    "#fbd8d2", "#e0e4e8", "#cfe3c0",
)  # fmt: skip
FOLLOWED = "#ffbf3f"
SHADES = {Role.TARGET: "#3f7f3f", Role.OTHER_TARGET: "#2b6cb0", Role.EXTRA: "#c2641c"}
COPY_COLOUR, START_COLOUR = "#b00020", "#444444"
NAMES = {
    Role.TARGET: "own target",
    Role.OTHER_TARGET: "other targets",
    Role.EXTRA: "extra samples",
}
Box = tuple[float, float, float, float]
LEFT, RIGHT = (0, 0, 0.5, 1), (0.5, 0, 1, 1)


def batch_picture(window: Window, view: StepView, *, followed: int = -1) -> Picture:
    """The rows around a step on the left, its score matrix on the right."""
    panes = {"rows": _rows_pane(window, LEFT), "matrix": _matrix_pane(view, RIGHT, followed)}
    return Picture(400, panes, _rows_lines(step=True) | _matrix_lines(), narrow=820)


def batch_shown(
    window: Window, view: StepView, item_ids: np.ndarray, *, followed: int = -1
) -> Shown:
    """The items in the cells of the rows, and the scores in those of the matrix."""
    rows = _rows_shown(window, item_ids, step=view.step, followed=followed)
    matrix = _matrix_shown(view, item_ids)
    return Shown(
        rows.lines | matrix.lines, f"{rows.about} {matrix.about}",
        texts={**rows.texts, **matrix.texts},
    )  # fmt: skip


def rows_figure(replay: Replay, first: int = 0, *, followed: int = -1) -> NotebookFigure:
    """The sessions in each row over eight steps from step `first` on, with the names of the items.

    Every cell holds the item just clicked and below it the target.
    """
    window = replay.window(first, N_STEPS)
    height = 80 + 45 * len(window.session)
    picture = Picture(height, {"rows": _rows_pane(window, (0, 0, 1, 1))}, _rows_lines())
    shown = _rows_shown(window, replay.sessions.item_ids, followed=followed)
    return figure_of(picture, shown, width=760)


def step_figure(replay: Replay, step: int, n_sample: int, *, followed: int = -1) -> NotebookFigure:
    """The rows around a step and its score matrix, with the names of the items."""
    window, view = replay.window(max(0, step - BEFORE), N_STEPS), replay.view(step, n_sample)
    shown = batch_shown(window, view, replay.sessions.item_ids, followed=followed)
    return figure_of(batch_picture(window, view, followed=followed), shown)


def shortened(name: object) -> str:
    """The name as far as there is room for it."""
    text = str(name)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _down(n_rows: int, marked: int = -1) -> Axis:
    """Rows from the top down, one of them marked."""
    ticks = [(row + 0.5, f"{'▸ ' * (row == marked)}row {row}") for row in range(n_rows)]
    return Axis((n_rows, 0), ticks=tuple(ticks))


def _rows_pane(window: Window, box: Box) -> Pane:
    steps = np.flatnonzero((window.session >= 0).any(axis=0)).tolist()
    ticks = tuple((k + 0.5, str(window.first + k)) for k in steps)
    label = "step; in a cell: the item just clicked, below it the target"
    x, y = Axis((0, N_STEPS), label=label, ticks=ticks), _down(len(window.session))
    return Pane(x, y, box, "sessions side by side", bare=True)


def _rows_lines(*, step: bool = False) -> dict[str, Line]:
    """With `step` a frame around one of them."""
    lines = {
        "other sessions": Line("rows", SESSIONS[0], "cells"),
        "followed": Line("rows", FOLLOWED, "cells", key="picture"),
        "session starts": Line("rows", START_COLOUR, width=4, key="picture"),
        "items": Line("rows", BLACK, "texts", width=10),
    }
    return lines | (
        {"this step": Line("rows", COPY_COLOUR, width=2, key="picture")} if step else {}
    )


def _rows_shown(
    window: Window, item_ids: np.ndarray, *, step: int = -1, followed: int = -1
) -> Shown:
    row, k = places = np.argwhere(window.session >= 0).T
    session, click = window.session[row, k], window.click[row, k]
    clicked, targets = item_ids[window.inputs[row, k]], item_ids[window.targets[row, k]]
    mine = session == followed
    pale = (SESSIONS[each % len(SESSIONS)] for each in session)
    colour = np.where(mine, colour_number([FOLLOWED]), colour_number(pale))
    told = np.array([
        f"step {window.first + x}, row {y}: session {number}{' starts' * (place == 0)}; clicked "
        f"{item}, target {target}"
        for y, x, number, place, item, target in zip(
            row, k, session.tolist(), click.tolist(), clicked, targets,
            strict=True)
    ], dtype=object)  # fmt: skip
    where = {"other sessions": ~mine, "followed": mine}
    at, n_rows = step - window.first, len(window.session)
    lines = {
        name: points(*(places[::-1, each] + 0.5), colour[each]) for name, each in where.items()
    }
    lines |= {
        "session starts": _upright(k[click == 0] + 0.04, row[click == 0]),
        "items": points(np.tile(k + 0.5, 2), np.concatenate([row + 0.34, row + 0.68])),
        "this step": _frames([at], [0], n_rows) if step >= 0 else points([], []),
    }
    texts = {name: told[each].tolist() for name, each in where.items()}
    texts["items"] = [shortened(item) for item in [*clicked, *targets]]
    steps = f"steps {window.first} to {window.first + k.max()}"
    started = int((click == 0).sum())
    about = f"{n_rows} rows with sessions side by side, {steps}; {started} sessions start in them."
    return Shown(lines, about, texts=texts)


def _matrix_pane(view: StepView, box: Box, followed: int) -> Pane:
    n_rows, n_columns = view.scores.shape
    row = int(np.flatnonzero(view.session == followed)[0]) if followed in view.session else -1
    every = 1 if n_columns <= 16 else 2
    ticks = tuple((k + 0.5, str(k)) for k in range(0, n_columns, every))
    x = Axis((0, n_columns), label="column; the darker, the higher the score", ticks=ticks)
    return Pane(x, _down(n_rows, row), box, "scores", above=62, bare=True)


def _matrix_lines() -> dict[str, Line]:
    lines = {}
    for role, name in NAMES.items():
        lines[name] = Line("matrix", SHADES[role], "cells", key="picture")
        lines[f"scores of {name}"] = Line("matrix", BLACK, "texts", width=10, group=name)
    return lines | {
        "frames": Line("matrix", BLACK, width=2, group=NAMES[Role.TARGET]),
        "copies": Line("matrix", COPY_COLOUR, "texts", width=17, key="picture", label="× copy"),
        "border": Line("matrix", BLACK, "across", width=2),
        "names": Line("matrix", kind="texts", width=10, turned=True),
    }


def _matrix_shown(view: StepView, item_ids: np.ndarray) -> Shown:
    scores = view.scores.numpy()
    n_rows, n_columns = scores.shape
    items = item_ids[[*view.batch.targets.tolist(), *view.extra.tolist()]]
    roles = np.full(scores.shape, int(Role.EXTRA))
    roles[:, :n_rows] = Role.OTHER_TARGET
    np.fill_diagonal(roles, Role.TARGET)
    colours = _shaded(scores, roles)
    lines, texts = {}, {}
    for role, name in NAMES.items():
        row, column = np.nonzero(roles == role)
        colour = colour_number(colours[row, column])
        places = list(zip(row.tolist(), column.tolist(), strict=True))
        written = [_written(score) for score in scores[row, column].tolist()]
        lines[name] = points(column + 0.5, row + 0.5, colour)
        texts[name] = [
            f"row {y}, column {x}: {items[x]}, {_role(view, y, x)}; score {score}"
            for (y, x), score in zip(places, written, strict=True)
        ]
        if n_columns <= MOST_WRITTEN:
            lines[f"scores of {name}"] = points(column + 0.5, row + 0.6)
            texts[f"scores of {name}"] = written
    copies = np.array(view.copies).reshape(-1, 2).T
    lines |= {
        "frames": _frames(range(n_rows), range(n_rows), 1),
        "copies": points(copies[1] + 0.5, copies[0] + 0.25),
        "border": points([n_rows], [0]),
        "names": points(np.arange(n_columns) + 0.5, np.full(n_columns, -0.02 * n_rows)),
    }
    texts |= {"copies": ["×"] * len(view.copies), "names": [shortened(item) for item in items]}
    about = (
        f"Scores of step {view.step}: {n_rows} rows, {n_rows} columns of targets and "
        f"{n_columns - n_rows} of extra samples, from {scores.min():.2f} to {scores.max():.2f}; "
        f"negatives above the target of each row: {', '.join(map(str, view.ranks.tolist()))}; "
        f"copies of a row's own target: {len(view.copies)}."
    )
    return Shown(lines, about, texts=texts)


def _written(score: float) -> str:
    places = 1 if abs(score) >= 1 else 2
    # Adding 0 turns -0 into 0.
    return f"{round(score, places) + 0:.{places}f}".replace("-", "−")


def _role(view: StepView, row: int, column: int) -> str:
    role = Role(int(view.roles[row, column]))
    if role == Role.COPY:
        return "a copy of the row's own target"
    return {Role.OTHER_TARGET: f"target of row {column}", Role.EXTRA: "extra sample"}.get(
        role, "its own target"
    )


def _upright(x: np.ndarray, row: np.ndarray) -> np.ndarray:
    """A bar in each row at this x, as one line with gaps."""
    gap = np.full_like(x, np.nan)
    return points(np.repeat(x, 3), np.stack([row + 0.06, row + 0.94, gap], axis=1).ravel())


def _frames(left: Sequence[int], top: Sequence[int], tall: int) -> np.ndarray:
    """A frame one wide around each cell, as one line with gaps."""
    corners = np.array([[0, 0], [1, 0], [1, tall], [0, tall], [0, 0], [np.nan, np.nan]])
    cells = np.stack([left, top], axis=1)[:, None] + corners
    return points(*cells.reshape(-1, 2).T)


def _shaded(scores: np.ndarray, roles: np.ndarray) -> np.ndarray:
    """[B, B + N] the colour of what a column is as a hex code, the darker the higher its score."""
    low, high = scores.min(), scores.max()
    # In 24 shades each, so that the palette of a stored picture holds them all.
    share = np.rint(23 * (scores - low) / max(high - low, 1e-9)) / 23
    depth = 0.08 + 0.67 * share
    full = np.array([to_rgb(SHADES[role]) for role in NAMES])[roles]
    shades = np.rint(255 * (1 - depth[..., None] * (1 - full))).astype(int)
    return np.apply_along_axis(lambda rgb: "#{:02x}{:02x}{:02x}".format(*rgb), 2, shades)
