"""What the lab says in words: where the run is, how fast, and what was changed when."""

import html

from ..live import LiveRun
from .lab_course import Course


def status_line(course: Course, run: LiveRun | None) -> str:
    """Epoch, step, speed, time left, device and effective negatives, as HTML in one line."""
    if run is None:
        return "Press Start: the controls act on the running model from its next step on."
    if course.started is None:
        return "loading the sessions ..."
    steps, rate = run.steps, course.steps_per_second
    epoch = min(course.n_epochs, 1 + max(steps - 1, 0) // course.started.n_steps)
    parts = [f"epoch {epoch} of {course.n_epochs}", f"step {steps:,} of {course.n_steps:,}"]
    if rate:
        left = (course.n_steps - steps) / rate
        parts += [f"{rate:,.0f} steps/s", f"{course.clicks_per_second:,.0f} clicks/s"]
        parts.append(f"about {left:,.0f} s left")
    parts.append(f"device {html.escape(course.started.device)}")
    if course.views:
        parts.append(f"<b>{course.views[-1][1].effective:,.0f}</b> effective negatives")
    return " &middot; ".join(parts)


def marks_list(course: Course) -> str:
    """The changed controls as an HTML list: "step 350: loss bpr -> bpr-max"."""
    if not course.marks:
        return ""
    rows = (
        f"<li>step {mark.step}: {mark.name} {mark.old} -&gt; {mark.new}</li>"
        for mark in course.marks
    )
    return f"<b>changes</b><ul style='margin:0'>{''.join(rows)}</ul>"
