"""A guided tour of the explorer in five steps: predict, then drag. Plain data, for panel and page.

Each step starts from its own settings (`start`; all others are as usual), asks for a prediction
(`predict`, one of the `choices`), points at a `control`, waits `until` the settings are as it says
and then says what was `seen`, with the numbers of that moment. In braces stand names of
`LossExplorer.numbers` and `top_pull` (loss name to the pull on a target of the best rank drawn),
`before.` for those at the start of the step, `%` behind those to be written as percentages.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...diagnostics import GradientByRank

_BOTH = ["bpr", "bpr-max"]
_WIDE = {"source": "gaussian", "spread": 4.0, "target_score": 8.0, "losses": _BOTH}
STEPS: list[dict[str, Any]] = [
    {
        "start": _WIDE | {"n_sample": 0},
        "predict": "The left end of the lines is the pull on a target of rank 0: no negative is "
        "above it. Now 2,048 extra negatives are added, most of them scored far below it. What "
        "happens to the pull of BPR there, and to that of BPR-max?",
        "choices": ["both fall", "only BPR's falls", "neither falls"],
        "control": "n_sample",
        "until": [["n_sample", ">=", 2048]],
        "seen": "At rank 0 BPR's pull went from {before.top_pull.bpr} to {top_pull.bpr}, BPR-max's "
        "from {before.top_pull.bpr-max} to {top_pull.bpr-max}. BPR is an average over {negatives} "
        "negatives, and nearly all of them lie far below such a target. BPR-max weighs them by "
        "softmax: the 5 best carry {top_5%} of the weight, however many easy ones there are.",
    },
    {
        "start": _WIDE | {"n_sample": 2048},
        "predict": "The weights of BPR-max come from the scores. Draw the scores together, to a "
        "spread of 0.5. How many of the 2,079 negatives will then really count?",
        "choices": ["fewer than 10", "some hundred", "nearly all"],
        "control": "spread",
        "until": [["spread", "<=", 0.5]],
        "seen": "{effective} of {negatives} negatives count now, {before.effective} did before. "
        "With weights that are almost equal BPR-max is almost BPR: the two curves lie together. "
        "The -max losses need scores that are spread.",
    },
    {
        "start": _WIDE | {"n_sample": 2048},
        "predict": "Back to wide scores. Drag the target's score down to 0, into the middle of the "
        "negatives. Which of the two pulls grows more, as a factor?",
        "choices": ["BPR's", "BPR-max's", "both alike"],
        "control": "target_score",
        "until": [["target_score", "<=", 0]],
        "seen": "From rank {before.rank} to rank {rank}: BPR's pull went from "
        "{before.gradient.bpr} to {gradient.bpr}, BPR-max's from {before.gradient.bpr-max} to "
        "{gradient.bpr-max}. BPR does not stop; it works on badly ranked targets and lets go of "
        "those near the top, where a recommender is judged.",
    },
    {
        "start": _WIDE | {"n_sample": 2048},
        "predict": "So far the target was pulled. What happens to the negatives? Choose pushes on "
        "the right. Does BPR-max push all of them down, as BPR does?",
        "choices": ["all down", "a few up", "most up"],
        "control": "pane",
        "until": [["pane", "==", "pushes"]],
        "seen": "BPR pushes {pushed_up.bpr%} of the negatives up, BPR-max {pushed_up.bpr-max%}: a "
        "higher weight on a harmless negative lowers its loss too. But each of those pushes is "
        "tiny. The 5 best-scoring negatives get {push_top_5.bpr-max%} of BPR-max's whole push and "
        "{push_top_5.bpr%} of BPR's.",
    },
    {
        "start": _WIDE | {"n_sample": 2048},
        "predict": "These scores were made up. Switch to those of a real model, BPR after four "
        "epochs on flights. Will BPR pull a well-ranked target harder than BPR-max does there?",
        "choices": ["yes", "no", "about the same"],
        "control": "source",
        "until": [["source", "==", "trained"]],
        "seen": "This target is at rank {rank} of {negatives}. BPR pulls with {gradient.bpr}, "
        "BPR-max with {gradient.bpr-max}. A spread of {spread} is what training made of the "
        "scores, and {effective} negatives count. Go on with other targets, fewer epochs or "
        "another sample_alpha.",
    },
]  # fmt: skip


def tour_numbers(numbers: Mapping[str, Any], curves: GradientByRank) -> dict[str, Any]:
    """The numbers that steps name, from those of the panel and the gradients it draws."""
    best = np.isfinite(curves.rank).argmax()
    return {**numbers, "top_pull": {name: curve[best] for name, curve in curves.curves.items()}}
