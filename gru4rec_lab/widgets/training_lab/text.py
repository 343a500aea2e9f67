"""What the lab says in words: where the run is, how fast, what was changed, what to try next."""

import html
from typing import Any

import numpy as np

from ...diagnostics import GradientByRank
from ...losses import LOSSES
from ...recommender import Recommendation
from ...training.controls import ControlChanged, Settings
from ..markup import advice
from .probe import Recommended
from .run import LabRun

MANY, ALIKE = 256, 2.0
FADING = ("bpr", "top1")


def status_line(run: LabRun) -> str:
    """Epoch, step, speed, time left, device and effective negatives, as HTML in one line."""
    history, limit = run.history, run.limit.steps_per_second
    if run.state == "idle":
        return (
            "Press Start: the controls act on the running model from its next step on. Before it "
            "is observed, the pull is that on the scores of a trained BPR model."
        )
    if history.started is None:
        return "loading the sessions ..."
    steps, rate, n_epochs = run.steps, history.steps_per_second, history.config.n_epochs
    epoch = min(n_epochs, 1 + max(steps - 1, 0) // history.started.n_steps)
    parts = [f"epoch {epoch} of {n_epochs}", f"step {steps:,} of {history.n_steps:,}"]
    if rate:
        held = limit or rate
        left = (history.n_steps - steps) / min(rate, held)
        if held < rate:
            parts.append(f"held at {held:,} steps/s, could do {rate:,.0f}")
        else:
            parts += [f"{rate:,.0f} steps/s", f"{history.clicks_per_second:,.0f} clicks/s"]
        parts.append(f"about {left:,.0f} s left")
    parts.append(f"device {html.escape(history.started.device)}, {history.started.step} step")
    if history.last_observation:
        parts.append(f"<b>{history.last_observation.effective:,.0f}</b> effective negatives")
    return " &middot; ".join(parts)


def formula(settings: Settings, shape_scores: str) -> str:
    """The loss of one row for MathJax, with the score regularisation and ELU that act on it."""
    if settings.loss not in LOSSES:  # an own loss that was removed: the run fails and says so
        return ""
    loss = LOSSES[settings.loss]
    acts = loss.shapes_scores or shape_scores == "all"
    equation, bent = loss.equation, ""
    if acts and settings.bpreg:
        equation += rf"+{settings.bpreg:g}\sum_j s_j r_j^2"
    if acts and settings.elu_param:
        bent = f", scores below 0 bent to ${settings.elu_param:g}\\,(e^r-1)$"
    return f"<b>{html.escape(loss.name)}</b> {loss.source}: ${equation}${bent}"


def without_effect(settings: Settings, shape_scores: str) -> dict[str, str]:
    """Why a live setting changes nothing now, by its name; those that act are left out."""
    if settings.loss not in LOSSES:
        return {}
    loss, why = LOSSES[settings.loss], {}
    if not settings.n_sample:
        why["sample_alpha"] = "no effect: there are no extra negatives to draw"
    if settings.n_sample == "all":
        idle = "no effect: all items are negatives, none is drawn"
        why |= dict.fromkeys(("sample_alpha", "logq"), idle)
    if not (loss.shapes_scores or shape_scores == "all"):
        acts = ", ".join(name for name, each in LOSSES.items() if each.shapes_scores)
        why |= dict.fromkeys(("bpreg", "elu_param"), f"no effect on {loss.name}: acts on {acts}")
    if not loss.corrects_logq:
        acts = ", ".join(name for name, each in LOSSES.items() if each.corrects_logq)
        why["logq"] = f"no effect on {loss.name}: acts on {acts}"
    return why


def changes_list(changes: list[ControlChanged], pending: list[ControlChanged]) -> str:
    """Changed controls as an HTML list, "step 350: loss bpr -> bpr-max", then those asked for."""
    if not changes and not pending:
        return ""
    rows = [f"<li>step {each.step}: {_words(each)}</li>" for each in changes]
    rows += [f"<li><i>next step: {_words(each)}</i></li>" for each in pending]
    return f"<b>changes</b><ul style='margin:0;line-height:1.5'>{''.join(rows)}</ul>"


def _words(change: ControlChanged) -> str:
    return f"{change.name} {change.old} -&gt; {change.new}"


def hint(state: str, gradients: GradientByRank | None, asked: Settings, scores_of: str) -> str:
    """The line as HTML: for the run, its last observation if there is one, what is asked for."""
    if state == "loading":
        return advice("wait for the data and the first observation of the model.")
    if gradients is None:
        return advice(
            "press <b>Start</b> and watch <i>pull on the target</i>. Then drag <b>extra "
            "negatives</b> and switch <b>loss</b> while the model trains."
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
    return advice(_advice(asked, held) + seen)


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


def _advice(asked: Settings, held: dict[str, float]) -> str:
    if held["bpr-max"] < ALIKE * held["bpr"]:
        return "set <b>pull on scores of</b> to a trained BPR: narrow scores make all losses alike."
    if asked.n_sample != "all" and asked.n_sample < MANY:
        return "raise <b>extra negatives</b>: the dashed lines fall on the left."
    if asked.loss in FADING:
        return "switch <b>loss</b> to bpr-max, and see what becomes of Recall@1 and MRR@20."
    return "switch <b>loss</b> back to bpr, or <b>extra negatives</b> to 0, and compare."


def _times(share: float) -> str:
    return f"<b>{share:.2g}</b> times"


def recommendations_list(step: int, seen: Recommended) -> str:
    """The session and its ten recommendations as HTML; what came next is bold."""
    rows = "".join(_entry(each, seen.answer) for each in seen.top)
    words = f"after {_names(seen.clicks) or 'no click'}"
    if seen.unknown:
        words += f" (unknown: {_names(seen.unknown)})"
    if seen.answer is not None:
        words += f"; next came <b>{_names([seen.answer])}</b>"
    best = f"<ol style='margin:0;line-height:1.5'>{rows}</ol>"
    return f"<b>recommended at step {step:,}</b><br>{words}{best}"


def _entry(each: Recommendation, answer: Any) -> str:
    name = html.escape(str(each.item))
    hit = answer is not None and each.item == answer
    return f"<li>{f'<b>{name}</b> &#10003;' if hit else name} ({each.score:.2f})</li>"


def _names(items: list[Any]) -> str:
    """The last six names; earlier ones become an ellipsis."""
    names = [html.escape(str(item)) for item in items]
    return " &gt; ".join(["..."] * (len(names) > 6) + names[-6:])
