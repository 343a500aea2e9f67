"""What to try next in the lab, and what can be seen: one line for the run as it is."""

from typing import Any

import numpy as np

from ..diagnostics import GradientByRank
from .panel import advice

MANY, ALIKE = 256, 2.0
FADING = ("bpr", "top1")


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
