"""The lab's picture as plain data: what a run did so far, and what its losses see in the scores."""

import math
from typing import NamedTuple

import numpy as np

from ...diagnostics.stored import reference_gradients
from ...losses import LOSSES
from ...plots.loss_panes import (
    NEGATIVE_COLOUR,
    Numbers,
    count_ticks,
    pull_in_words,
    pull_lines,
    pull_numbers,
    pull_pane,
    score_lines,
    score_numbers,
    score_pane,
    weight_lines,
    weight_numbers,
    weight_pane,
)
from ...plots.picture import INK, SOFT, Axis, Box, Line, Pane, Picture, Shown, across, points
from ...training.controls import Settings
from .comparison import QUALITY_NAMES, Pinned, quality_curves
from .history import History
from .observation import SCORE_BINS

HEIGHT, HIGHEST = 560, 3000
# The pull and the quality come first: they are what is on the screen together with the controls.
PULL, QUALITY = (0, 0, 0.5, 0.56), (0.5, 0, 1, 0.56)
LOSS, EFFECTIVE, RIGHT = (0, 0.56, 0.3, 1), (0.3, 0.56, 0.6, 1), (0.6, 0.56, 1, 1)
OVER_STEPS = ("quality", "loss", "effective")
OF_THE_REFERENCE = "pull on the target, scores of a trained BPR"
LOSS_LIMITS = [place * 10.0**power for power in range(-3, 9) for place in (1, 1.5, 2, 3, 5, 7)]
QUALITY_LIMITS = [0.2, 0.4, 0.6, 0.8, 1.05]
LOOKS = {
    "recall_20": (INK, (), "circle"),
    "mrr_20": (SOFT, (4, 2), "square"),
    "recall_1": (SOFT, (1, 1), "diamond"),
}
GHOST = "#d0b9a0"


class View(NamedTuple):
    """What the picture is asked to show besides the run.

    Attributes:
        pane: "weights" or "scores", what stands in the lower right corner.
        on_reference: whether the pull is that on the scores of a trained BPR model.
        pinned: the run whose quality lies below as a ghost; None without one.
    """

    pane: str = "weights"
    on_reference: bool = False
    pinned: Pinned | None = None


def drawn(history: History, asked: Settings, view: View) -> tuple[Picture, Shown]:
    """The picture of the run so far and its numbers.

    The pull is that on the scores of the model as last observed or, `on_reference` and before
    that, on those of a trained BPR model with the negatives `asked` for.
    """
    last = history.observations[-1] if history.observations else None
    on_reference = view.on_reference or last is None
    loss = asked.loss if on_reference else last.settings.loss
    gradients = (
        reference_gradients(asked.n_sample, asked.sample_alpha)
        if on_reference
        else last.value.gradients
    )
    ghost = view.pinned if view.pinned and view.pinned.data == history.data else None
    lines = pull_numbers(gradients) | _losses(history) | _effective(history)
    lines |= _quality(history, ghost)
    if last and view.pane == "weights":
        lines |= weight_numbers(last.value.weights)
    elif last:
        lines |= score_numbers(last.value.scores)
    changes = across(*(change.step for change in history.changes))
    lines |= {f"changes of {pane}": changes for pane in OVER_STEPS}
    titles = _titles(history, view, loss, on_reference=on_reference)
    # An own loss may have been removed.
    pull = pull_in_words(gradients, {loss} & gradients.curves.keys())
    about = f"{titles['pull']}: {pull}. {_told(history, view, ghost)}"
    shown = Shown(lines, about, thick=loss, titles=titles)
    return _picture(history, view.pane, ghost, lines), shown


def _picture(history: History, pane: str, ghost: Pinned | None, shown: Numbers) -> Picture:
    n_steps = max(history.n_steps, ghost.n_steps if ghost else 0) or 1000
    losses = [shown[f"loss {name}"][1] for name in LOSSES]
    shares = [shown[f"{kind}{name}"][1] for name in LOOKS for kind in ("", "end ", "ghost ")]
    most = max((each.value.n_negatives for each in history.observations), default=0)
    highest = HIGHEST if most <= HIGHEST else 10 ** math.ceil(math.log10(most))
    right = weight_pane(RIGHT, highest) if pane == "weights" else score_pane(RIGHT, **SCORE_BINS)
    panes = {
        "pull": pull_pane(PULL, highest),
        "quality": _over_steps(
            QUALITY, n_steps, Axis((0, top_of(shares, QUALITY_LIMITS, at_least=0.6)),
            label="share of held-out targets"), "quality", ghost is not None,
        ),
        "loss": _over_steps(
            LOSS, n_steps, Axis((0, top_of(losses, LOSS_LIMITS, at_least=1.0)),
            label="mean a target"), "training loss",
        ),
        "effective": _over_steps(
            EFFECTIVE, n_steps, Axis((1, highest), "log", "negatives", ticks=count_ticks(highest)),
            "effective negatives",
        ),
        "right": right,
    }  # fmt: skip
    marks = {f"changes of {name}": Line(name, SOFT, "across", dash=(1, 1.5), width=1)
             for name in OVER_STEPS}  # fmt: skip
    lines = _quality_lines() | _loss_lines() | {
        "all": Line("effective", NEGATIVE_COLOUR, dash=(4, 2), label="all (dashed)", layer=1),
        "that count": Line("effective", width=2, dots=1.5, label="effective"),
    }  # fmt: skip
    of_right = weight_lines if pane == "weights" else score_lines
    return Picture(HEIGHT, panes, pull_lines("pull", LOSSES) | marks | lines | of_right("right"))


def _over_steps(box: Box, n_steps: int, y: Axis, title: str, ghost: bool = False) -> Pane:
    x = Axis((0, n_steps), label="step (dotted: a control changed)", name="step")
    return Pane(x, y, box, title, corners=("", "pale: the pinned run" if ghost else ""))


def _quality_lines() -> dict[str, Line]:
    """Lines for the probe, marks for ends of epochs, and below them pale lines of a pinned run."""
    lines = {}
    for name, (_, dash, _) in LOOKS.items():
        label = f"{QUALITY_NAMES[name]}, pinned"
        lines[f"ghost {name}"] = Line("quality", GHOST, dash=dash, width=3, group=name, label=label)
    for name, (colour, dash, mark) in LOOKS.items():
        look = {"dash": dash, "width": 1.5, "label": QUALITY_NAMES[name]}
        lines[name] = Line("quality", colour, key="pane", **look)
        lines[f"end {name}"] = Line("quality", colour, width=0, dots=4, mark=mark, group=name)
    return lines


def _loss_lines() -> dict[str, Line]:
    return {
        f"loss {name}": Line("loss", loss.colour, dots=1.5, label=name, group=name)
        for name, loss in LOSSES.items()
    }


def _losses(history: History) -> Numbers:
    """Mean loss since the last report, a line a loss, apart where the loss was changed."""
    gaps = [(change.step - 0.5, np.nan) for change in history.changes if change.name == "loss"]
    return {f"loss {name}": _points(sorted(history.losses.get(name, []) + gaps)) for name in LOSSES}


def _effective(history: History) -> Numbers:
    seen = history.observations
    return {
        "all": _points([(each.step, each.value.n_negatives) for each in seen]),
        "that count": _points([(each.step, each.value.effective) for each in seen]),
    }


def _quality(history: History, ghost: Pinned | None) -> Numbers:
    lines = {}
    for name, curves in quality_curves(history).items():
        lines[name], lines[f"end {name}"] = _points(curves.observed), _points(curves.ends)
        lines[f"ghost {name}"] = _points(ghost.quality[name].observed if ghost else [])
    return lines


def _points(pairs: list[tuple[float, float]]) -> np.ndarray:
    return points(*np.array(pairs, dtype=float).reshape(-1, 2).T)


def _titles(history: History, view: View, loss: str, *, on_reference: bool) -> dict[str, str]:
    right = "softmax weights" if view.pane == "weights" else "scores"
    titles = {"pull": OF_THE_REFERENCE, "right": f"{right} of the negatives"}
    if history.observations:
        last = history.observations[-1]
        at = f"step {last.step:,} ({last.settings.loss})"
        titles |= {"right": f"{right} at {at}", "quality": f"quality at step {last.step:,}"}
        if not on_reference:
            titles["pull"] = f"pull on the target, scores at {at}"
    if history.report:
        report = history.report
        titles["loss"] = f"loss at step {report.step:,} ({report.settings.loss})"
    return titles


def _told(history: History, view: View, ghost: Pinned | None) -> str:
    """Loss, effective negatives and quality in words, for those who do not see them."""
    if not history.observations:
        return "No model has been observed yet."
    last, report = history.observations[-1], history.report
    seen = last.value
    shares = ", ".join(f"{QUALITY_NAMES[name]} {getattr(seen, name):.3f}" for name in LOOKS)
    words = [f"Step {last.step:,} with {last.settings.loss}: {shares}; "
             f"{seen.effective:,.0f} effective of {seen.n_negatives:,} negatives"]  # fmt: skip
    if report:
        words.append(f"mean loss {report.loss:.3g} at step {report.step:,}")
    if view.pane == "weights" and seen.weights is not None:
        words.append(f"the largest softmax weight {seen.weights.weight[0]:.2g}")
    if history.changes:
        words.append(f"changes at steps {', '.join(str(each.step) for each in history.changes)}")
    if ghost:
        words.append(f"pale: the pinned run, {ghost.label}")
    return "; ".join(words) + "."


def top_of(seen: list[np.ndarray], tops: list[float], *, at_least: float) -> float:
    """The upper limit for what is seen, out of few, so that the axis seldom changes."""
    known = np.concatenate(seen)
    highest = 1.15 * max(known[np.isfinite(known)], default=0)
    return next((top for top in tops if top >= max(highest, at_least)), tops[-1])
