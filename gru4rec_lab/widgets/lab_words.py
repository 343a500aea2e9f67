"""What the lab says in words: where the run is, how fast, and what was changed when."""

import html
from dataclasses import asdict

from ..config import Config
from ..controls import ControlChanged, Settings
from ..live import LiveRun
from .lab_course import Course
from .lab_run import SpeedLimit


def status_line(course: Course, run: LiveRun | None, limit: SpeedLimit) -> str:
    """Epoch, step, speed, time left, device and effective negatives, as HTML in one line."""
    if run is None:
        return (
            "Press Start: the controls act on the running model from its next step on. Before the "
            "first look at it, the pull is that on the scores of a trained BPR model."
        )
    if course.started is None:
        return "loading the sessions ..."
    steps, rate = run.steps, course.steps_per_second
    epoch = min(course.n_epochs, 1 + max(steps - 1, 0) // course.started.n_steps)
    parts = [f"epoch {epoch} of {course.n_epochs}", f"step {steps:,} of {course.n_steps:,}"]
    if rate:
        held = limit.steps_per_second or rate
        left = (course.n_steps - steps) / min(rate, held)
        if held < rate:
            parts.append(f"held at {held:,} steps/s, could do {rate:,.0f}")
        else:
            parts += [f"{rate:,.0f} steps/s", f"{course.clicks_per_second:,.0f} clicks/s"]
        parts.append(f"about {left:,.0f} s left")
    parts.append(f"device {html.escape(course.started.device)}")
    if course.views:
        parts.append(f"<b>{course.views[-1][1].effective:,.0f}</b> effective negatives")
    return " &middot; ".join(parts)


def pending(course: Course, config: Config, asked: Settings | None) -> list[ControlChanged]:
    """What the next step will change: where `asked` differs from the run; None: it has ended."""
    if asked is None:
        return []
    known = asdict(Settings.of(config)) | {mark.name: mark.new for mark in course.marks}
    return [
        ControlChanged(0, name, known[name], value)
        for name, value in asdict(asked).items()
        if value != known[name]
    ]


def marks_list(marks: list[ControlChanged], asked: list[ControlChanged]) -> str:
    """Changed controls as an HTML list, "step 350: loss bpr -> bpr-max", then those asked for."""
    if not marks and not asked:
        return ""
    rows = [f"<li>step {each.step}: {_words(each)}</li>" for each in marks]
    rows += [f"<li><i>next step: {_words(each)}</i></li>" for each in asked]
    return f"<b>changes</b><ul style='margin:0;line-height:1.5'>{''.join(rows)}</ul>"


def _words(change: ControlChanged) -> str:
    return f"{change.name} {change.old} -&gt; {change.new}"
