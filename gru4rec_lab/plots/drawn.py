"""A picture drawn by matplotlib: for files, and for readers of a stored notebook."""

import re
from collections.abc import Collection

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from .page import NotebookFigure
from .picture import BLACK, INK, SOFT, Axis, Line, Pane, Picture, Shown

LEFT, RIGHT, TOP, BOTTOM, KEYS, CSS_DPI = 62, 14, 28, 44, 24, 100
THICK, ALONE = 3.5, 3
COLOURS = {INK: "#222222", SOFT: "#777777", BLACK: "#000000"}
MARKS = {"circle": "o", "square": "s", "diamond": "D"}


def figure_of(
    picture: Picture, shown: Shown, *, hidden: Collection[str] = (), width: int = 960
) -> NotebookFigure:
    """What is shown in the picture now, this many css pixels wide, without the `hidden` groups."""
    keyed = [name for name, line in picture.lines.items() if line.key == "picture"]
    top = KEYS if keyed else 0
    size = width / CSS_DPI, (picture.height + top) / CSS_DPI
    figure = NotebookFigure(*size, dpi=2 * CSS_DPI)
    axes = {}
    for name, pane in picture.panes.items():
        main = figure.add_axes(_place(pane, width, picture.height, picture.height + top))
        axes[name, "y"] = main
        _describe(main, pane, shown.titles.get(name, pane.title))
        if pane.right:
            axes[name, "right"] = _right_axis(main, pane.right)
        keys = [_key(n, x) for n, x in picture.lines.items() if x.key == "pane" and x.pane == name]
        main.legend(
            handles=keys, fontsize=8, ncols=max(1, len(keys)), frameon=False, loc="lower right",
            bbox_to_anchor=(1, 1 + pane.above / (main.bbox.height * CSS_DPI / figure.dpi)),
            borderaxespad=0, handlelength=1.6, columnspacing=1.2,
        )  # fmt: skip
    lines = sorted(picture.lines.items(), key=lambda each: each[1].layer)
    for order, (name, line) in enumerate(lines, 3):
        if name in shown.lines and (line.group or name) not in hidden:
            look = _look(line, thick=shown.thick in {name, line.group} - {""}) | {"zorder": order}
            numbers = shown.lines[name].astype(float)
            _draw(axes[line.pane, line.axis], line, numbers, look, shown.texts.get(name, []))
    figure.legend(
        handles=[_key(name, picture.lines[name]) for name in keyed], fontsize=9, frameon=False,
        ncols=max(1, len(keyed)), loc="upper left", bbox_to_anchor=(LEFT / width, 1),
        borderaxespad=0.2, handlelength=2.6, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _place(pane: Pane, width: int, height: int, whole: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a pane's axes, as matplotlib has them."""
    left, top, right, bottom = pane.box
    x = left * width + LEFT, right * width - (LEFT if pane.right else RIGHT)
    y = (1 - bottom) * height + BOTTOM, (1 - top) * height - TOP - pane.above
    return x[0] / width, y[0] / whole, (x[1] - x[0]) / width, (y[1] - y[0]) / whole


def _describe(axes: Axes, pane: Pane, title: str) -> None:
    axes.set_title(_tex(title), fontsize=10, loc="left", pad=6 + 0.72 * pane.above)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    _scale(axes, "x", pane.x)
    _scale(axes, "y", pane.y)
    axes.grid(visible=True, linewidth=0.4, color="#dddddd")
    if pane.bare:
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    if pane.y.limits[0] < 0 < pane.y.limits[1]:
        axes.axhline(0, color="#444444", linewidth=0.8)
    for words, height, edge in zip(pane.corners, (0.97, 0.03), ("top", "bottom"), strict=True):
        place = {"transform": axes.transAxes, "ha": "right", "va": edge}
        axes.text(0.99, height, words, fontsize=8, color="#555555", **place)


def _right_axis(axes: Axes, axis: Axis) -> Axes:
    right = axes.twinx()
    right.spines["top"].set_visible(False)
    _scale(right, "y", axis)
    return right


def _scale(axes: Axes, side: str, axis: Axis) -> None:
    extra = {"linthresh": axis.around, "linscale": axis.decades} if axis.scale == "symlog" else {}
    scale, limits = (getattr(axes, f"set_{side}{what}") for what in ("scale", "lim"))
    scale(axis.scale, **extra)
    limits(*axis.limits)
    axes.minorticks_off()
    colour = _colour(axis.colour)
    drawn = axes.xaxis if side == "x" else axes.yaxis
    if axis.ticks:
        values, texts = zip(*axis.ticks, strict=True)
        drawn.set_ticks(values, [_tex(text) for text in texts])
    drawn.set_tick_params(labelsize=8, colors=colour)
    drawn.set_label_text(_tex(axis.label), fontsize=9, color=colour)


def _draw(axes: Axes, line: Line, numbers: np.ndarray, look: dict, texts: list[str]) -> None:
    x, y = numbers[:2]
    if line.kind == "across":
        axes.vlines(x, 0, 1, transform=axes.get_xaxis_transform(), **look)
    elif line.kind in ("steps", "bars"):
        if len(x) > 1:
            _draw_bins(axes, line, x, y, look)
    elif line.kind == "cells":
        cells = [Rectangle((left, top), 1, 1) for left, top in numbers[:2].T - 0.5]
        colours = [f"#{int(colour):06x}" for colour in numbers[2]]
        axes.add_collection(PatchCollection(cells, facecolor=colours, zorder=look["zorder"]))
    elif line.kind == "texts":
        turn = {"rotation": 90, "va": "bottom"} if line.turned else {"va": "center"}
        for left, height, text in zip(x, y, texts, strict=True):
            at = {"fontsize": 0.75 * line.width, "color": look["color"], "ha": "center"}
            order = {"zorder": look["zorder"], "parse_math": False}
            axes.text(left, height, text, **at, **turn, **order)
    else:
        dots = {"marker": MARKS[line.mark], "markersize": 1.5 * (line.dots or ALONE)}
        if not line.dots:
            dots |= {"markevery": _alone(x, y)}
        edge = {"linestyle": "none", "markeredgecolor": "white"} if not line.width else {}
        axes.plot(x, y, solid_capstyle="butt", **look | dots | edge)


def _alone(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether each point has no neighbour that a line could join it with."""
    seen = np.pad(np.isfinite(x) & np.isfinite(y), 1)
    return seen[1:-1] & ~seen[:-2] & ~seen[2:]


def _draw_bins(axes: Axes, line: Line, x: np.ndarray, y: np.ndarray, look: dict) -> None:
    edges = np.append(x, 2 * x[-1] - x[-2]) - (x[1] - x[0]) / 2
    foot = axes.get_ylim()[0]
    heights, filled = np.maximum(np.nan_to_num(y, nan=foot), foot), line.kind == "bars"
    edge = {"edgecolor": look["color"]} if not filled else {"edgecolor": COLOURS[SOFT]}
    width = 0.5 if filled else look["linewidth"]
    face = {"facecolor": look["color"]} if filled else {}
    axes.stairs(
        heights, edges, baseline=foot, fill=filled, linewidth=width, zorder=look["zorder"],
        linestyle=look["linestyle"], **face, **edge,
    )  # fmt: skip


def _look(line: Line, *, thick: bool = False) -> dict:
    style = (0, line.dash) if line.dash else "solid"
    width = THICK if thick and line.width else line.width
    return {"color": _colour(line.colour), "linestyle": style, "linewidth": width}


def _key(name: str, line: Line) -> Line2D:
    width = 6 if line.kind in ("bars", "cells") else 2.5
    return Line2D([], [], label=_tex(line.label or name), **_look(line) | {"linewidth": width})


def _colour(name: str) -> str:
    return COLOURS.get(name, name)


def _tex(text: str) -> str:
    """The text with its indices and powers as matplotlib sets them; n_sample stays whole."""
    marked = r"([^\W_]+)([_^])(\{[^}]*\}|\w(?!\w))"
    return re.sub(marked, r"$\\mathdefault{\1}\2\3$", text.replace("$", r"\$"))
