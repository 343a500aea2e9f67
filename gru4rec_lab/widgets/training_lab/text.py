"""What the lab says in words: where the run is, how fast, what was changed, what to try next."""

import html
from dataclasses import asdict
from typing import Any

import numpy as np

from ...config import Config
from ...diagnostics import GradientByRank
from ...training.controls import ControlChanged, Settings
from ...training.live import LiveRun
from ..markup import advice
from .history import Course
from .run import SpeedLimit

MANY, ALIKE = 256, 2.0
FADING = ("bpr", "top1")


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


def hint(
    state: str, gradients: GradientByRank | None, shown: dict[str, Any], scores_of: str
) -> str:
    """The line as HTML: for the run, its last look if there was one, and the controls shown."""
    if state == "loading":
        return advice("wait for the data and the first look at the model.")
    if gradients is None:
        return advice(
            "press <b>Start</b> and watch <i>pull on the target</i>. Then drag <b>extra "
            "negatives</b> and <b>loss</b> while the model trains."
        )
    if scores_of == "reference":
        return advice("set <b>pull on scores of</b> to this model: what do its own do to it?")
    held = {name: kept(gradients, name) for name in ("bpr", "bpr-max")}
    seen = ""
    if np.isfinite(list(held.values())).all():
        seen = (
            f" On its scores BPR pulls the best-ranked targets {_times(held['bpr'])} as hard as "
            f"badly ranked ones, BPR-max {_times(held['bpr-max'])}."
        )
    if state not in ("running", "paused"):
        return advice("<b>Pin</b> this run, change something, and <b>Start</b> another." + seen)
    return advice(_advice(shown, held) + seen)


def kept(gradients: GradientByRank, loss: str) -> float:
    """The pull on the best-ranked targets as a share of that on badly ranked ones, NaN if none.

    A model that ranks none badly is judged by those it ranks worst.
    """
    curve, badly = gradients.curves[loss], gradients.badly_ranked[loss]
    seen = curve[np.isfinite(curve)]
    if not len(seen):
        return np.nan
    worst = badly if np.isfinite(badly) else seen[-1]
    return float(seen[0] / worst) if worst else np.nan


def _advice(shown: dict[str, Any], held: dict[str, float]) -> str:
    if held["bpr-max"] < ALIKE * held["bpr"]:
        return "set <b>pull on scores of</b> to a trained BPR: narrow scores make all losses alike."
    if shown["n_sample"] < MANY:
        return "raise <b>extra negatives</b>: the dashed lines fall on the left."
    if shown["loss"] in FADING:
        return "drag <b>loss</b> to bpr-max, and see what becomes of Recall@1 and MRR@20."
    return "drag <b>loss</b> back to bpr, or <b>extra negatives</b> to 0, and compare."


def _times(share: float) -> str:
    return f"<b>{share:.2g}</b> times"
