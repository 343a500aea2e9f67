"""A pinned run: its quality stays in the picture as a pale ghost while the next one trains."""

import html
from dataclasses import dataclass
from typing import NamedTuple

import ipywidgets as widgets

from ..config import Config
from ..controls import ControlChanged
from .lab_controls import labelled_buttons
from .lab_run import Course

QUALITY_NAMES = {"recall_20": "Recall@20", "mrr_20": "MRR@20", "recall_1": "Recall@1"}
_CELL = 'style="padding:1px 8px;text-align:right"'
BUTTONS = {
    "pin": ("Pin", "keep the curves of this run in grey, to compare the next run with"),
    "unpin": ("Unpin", "take the grey curves of the pinned run away"),
    "replay": ("Replay", "run again: same settings, same seed, same changes at the same steps"),
}


class Curves(NamedTuple):
    """One measure of a run as (step, share of targets): looks at the probe, ends of epochs."""

    looks: list[tuple[int, float]]
    ends: list[tuple[int, float]]


@dataclass(frozen=True)
class Pinned:
    """What is kept of a run to compare others with.

    Attributes:
        label: what the run is called.
        n_steps: steps that the whole run has or would have had.
        quality: "recall_20", "mrr_20", "recall_1" to their curves.
    """

    label: str
    n_steps: int
    quality: dict[str, Curves]


def quality_curves(course: Course) -> dict[str, Curves]:
    """The curves of "recall_20", "mrr_20" and "recall_1" so far."""
    return {
        name: Curves(
            [(step, getattr(view, name)) for step, view in course.views],
            [(end.step, _measure(end.evaluation, name)) for end in course.epochs],
        )
        for name in QUALITY_NAMES
    }


def pinned_run(course: Course, label: str) -> Pinned:
    """The run as it is now; later events do not change it.

    Raises:
        ValueError: the run has not been looked at yet.
    """
    if not course.views:
        raise ValueError("there is no run to pin yet; press Start and wait for the first look")
    return Pinned(label, course.n_steps, quality_curves(course))


def run_label(config: Config, changes: list[ControlChanged]) -> str:
    """The losses of a run in order, its extra negatives, layers and seed, in one line."""
    losses, sizes = [config.loss], [f"{config.n_sample:,}"]
    for change in changes:
        if change.name == "loss":
            losses.append(change.new)
        elif change.name == "n_sample":
            sizes.append(f"{change.new:,}")
    layers = "-".join(map(str, config.layers))
    negatives = f"{_route(sizes)} extra negatives"
    return f"{_route(losses)}, {negatives}, layers {layers}, seed {config.seed}"


def _route(stations: list[str]) -> str:
    """At most four stations, as a learner may drag a slider through many."""
    shown = stations if len(stations) <= 4 else [*stations[:2], "...", stations[-1]]
    return " > ".join(shown)


def comparison(pinned: Pinned | None, course: Course, label: str) -> str:
    """An HTML table of both runs: shares of targets at the last epoch end and the last look."""
    if pinned is None:
        return ""
    order = ("recall_1", "recall_20", "mrr_20")
    kinds = "".join(
        f'<th scope="colgroup" colspan="3" {_CELL}>{kind}</th>'
        for kind in ("last epoch end", "last look")
    )
    names = "".join(f'<th scope="col" {_CELL}>{QUALITY_NAMES[name]}</th>' for name in order) * 2
    rows = _row(f"pinned: {pinned.label}", pinned.quality, order)
    rows += _row(f"now: {label}", quality_curves(course), order)
    return f"<table><tr><th></th>{kinds}</tr><tr><th></th>{names}</tr>{rows}</table>"


def _row(label: str, quality: dict[str, Curves], order: tuple[str, ...]) -> str:
    cells = [
        f"<td {_CELL}>{points[-1][1]:.3f}</td>" if points else f"<td {_CELL}>&ndash;</td>"
        for kind in ("ends", "looks")
        for points in (getattr(quality[name], kind) for name in order)
    ]
    style = 'style="text-align:left;font-weight:normal"'
    return f'<tr><th scope="row" {style}>{html.escape(label)}</th>{"".join(cells)}</tr>'


def _measure(evaluation, name: str) -> float:
    metric, k = name.split("_")
    return getattr(evaluation, metric)[int(k)]


def pin_buttons() -> dict[str, widgets.Button]:
    """The buttons "pin", "unpin" and "replay"."""
    return labelled_buttons(BUTTONS)
