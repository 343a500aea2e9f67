"""The table that sets a run beside the pinned one: at the same step and epoch, and what differs."""

import html
from dataclasses import fields
from typing import Any

from ..config import Config
from .lab_course import Course
from .lab_pin import QUALITY_NAMES, Pinned, pinned_run, run_label

ORDER = ("recall_1", "recall_20", "mrr_20")
NAMES = [QUALITY_NAMES[name] for name in ORDER]
RIGHT = 'style="padding:1px 8px;text-align:right"'
LEFT = 'style="padding:1px 8px;text-align:left;font-weight:normal"'


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
