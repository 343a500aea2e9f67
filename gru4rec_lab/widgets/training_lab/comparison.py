"""A pinned run, and the table that sets the run under way beside it."""

import html
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import ipywidgets as widgets

from ...config import Config
from ...training.controls import ControlChanged
from .controls import labelled_buttons
from .history import Course

QUALITY_NAMES = {"recall_20": "Recall@20", "mrr_20": "MRR@20", "recall_1": "Recall@1"}
ORDER = ("recall_1", "recall_20", "mrr_20")
NAMES = [QUALITY_NAMES[name] for name in ORDER]
RIGHT = 'style="padding:1px 8px;text-align:right"'
LEFT = 'style="padding:1px 8px;text-align:left;font-weight:normal"'
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
        config: the settings it began with.
        data: the data set it was trained on; None: the sessions given to the panel.
        changes: the controls changed on the way.
        n_steps: steps that the whole run has or would have had.
        quality: "recall_20", "mrr_20", "recall_1" to their curves.
    """

    label: str
    config: Config
    data: str | None
    changes: list[ControlChanged]
    n_steps: int
    quality: dict[str, Curves]

    @property
    def epochs_done(self) -> int:
        """Epochs that the run has finished."""
        return len(self.quality["recall_20"].ends)

    @property
    def last_look(self) -> int:
        """The step of the last look at the run."""
        return self.quality["recall_20"].looks[-1][0]


def quality_curves(course: Course) -> dict[str, Curves]:
    """The curves of "recall_20", "mrr_20" and "recall_1" so far."""
    return {
        name: Curves(
            [(step, getattr(view, name)) for step, view in course.views],
            [(end.step, _measure(end.evaluation, name)) for end in course.epochs],
        )
        for name in QUALITY_NAMES
    }


def pinned_run(course: Course, config: Config, data: str | None, label: str) -> Pinned:
    """The run as it is now; later events do not change it.

    Raises:
        ValueError: the run has not been looked at yet.
    """
    if not course.views:
        raise ValueError("there is no run to pin yet; press Start and wait for the first look")
    changes, quality = list(course.marks), quality_curves(course)
    return Pinned(label, config, data, changes, course.n_steps, quality)


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


def _measure(evaluation, name: str) -> float:
    metric, k = name.split("_")
    return getattr(evaluation, metric)[int(k)]


def pin_buttons() -> dict[str, widgets.Button]:
    """The buttons "pin", "unpin" and "replay"."""
    return labelled_buttons(BUTTONS)


class Comparison:
    """The table of a run under way; made anew only when the run has told something new."""

    def __init__(self) -> None:
        self._seen: tuple = ()
        self._table = ""

    def with_run(
        self, pinned: Pinned | None, course: Course, config: Config, data: str | None
    ) -> str:
        """`comparison` of the pinned run with that of `course`."""
        seen = id(pinned), id(course), len(course.events)
        if seen != self._seen:
            now = None
            if pinned is not None and course.views:
                now = pinned_run(course, config, data, run_label(config, course.marks))
            self._seen, self._table = seen, comparison(pinned, now)
        return self._table


def comparison(pinned: Pinned | None, now: Pinned | None) -> str:
    """Two tables as HTML, of quality and of differing settings; empty without a pinned run.

    Quality is in shares of targets: at the end of the last epoch that both runs have finished,
    on the validation sessions, and at the last look up to the last step that both have reached,
    on the probe sessions. `now` is None before the first look of a run.
    """
    if pinned is None:
        return ""
    runs = {"pinned": pinned} | ({"now": now} if now else {})
    epoch = min(run.epochs_done for run in runs.values())
    step = min(run.last_look for run in runs.values())
    heads = ("after epoch", *NAMES, "at step", *NAMES)
    rows = [
        _row(f"{role}: {run.label}", [*_end(run, epoch), *_look(run, step)])
        for role, run in runs.items()
    ]
    tables = _table(["", *heads], rows)
    if now and (differ := differences(pinned, now)):
        tables += _table(
            ["settings that differ", "pinned", "now"],
            [_row(name, [html.escape(each) for each in values]) for name, *values in differ],
        )
    return tables


def _end(run: Pinned, epoch: int) -> list[str]:
    """The number of the epoch and the shares at its end."""
    if epoch < 1:
        return ["&ndash;"] * (1 + len(ORDER))
    shares = [run.quality[name].ends[epoch - 1][1] for name in ORDER]
    return [str(epoch), *(f"{share:.3f}" for share in shares)]


def _look(run: Pinned, step: int) -> list[str]:
    """The step of the last look up to `step` and its shares."""
    curves = [[at for at in run.quality[name].looks if at[0] <= step][-1] for name in ORDER]
    return [f"{curves[0][0]:,}", *(f"{share:.3f}" for _, share in curves)]


def differences(one: Pinned, other: Pinned) -> list[tuple[str, str, str]]:
    """Name and both values of each setting that differs: at the start, or changed on the way.

    A value with changes reads "bpr, bpr-max from step 350 on".
    """
    names = [field.name for field in fields(Config)]
    rows = [(name, _course_of(one, name), _course_of(other, name)) for name in names]
    rows.append(("data set", one.data or "as given", other.data or "as given"))
    return [row for row in rows if row[1] != row[2]]


def _course_of(run: Pinned, name: str) -> str:
    changed = [each for each in run.changes if each.name == name]
    parts = [_shown(getattr(run.config, name))]
    parts += [f"{_shown(each.new)} from step {each.step:,} on" for each in changed]
    if len(parts) > 4:
        parts = [*parts[:2], "...", parts[-1]]
    return ", ".join(parts)


def _shown(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _table(heads: list[str], rows: list[str]) -> str:
    cells = "".join(f'<th scope="col" {RIGHT}>{head}</th>' for head in heads)
    return f"<table style='line-height:1.4'><tr>{cells}</tr>{''.join(rows)}</table>"


def _row(head: str, cells: list[str]) -> str:
    body = "".join(f"<td {RIGHT}>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row" {LEFT}>{html.escape(head)}</th>{body}</tr>'
