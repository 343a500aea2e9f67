"""The explorer's settings as plain data, shared by the panel and the page without Python.

`CONTROLS` says of each setting what its control takes; `PRESETS` are settings to start from.
"""

from typing import Any

from ...diagnostics.stored import EPOCHS, FLIGHTS, N_TARGETS

BATCH_SIZE = 32
N_SAMPLES = [0] + [2**power for power in range(3, 16)]
SOURCES = {"Gaussian": "gaussian", "real model": "trained", "pasted": "pasted"}
USED_BY = {
    "gaussian": {"n_sample", "spread", "target_score", "seed"},
    "trained": {"n_sample", "sample_alpha", "model", "epoch", "number"},
    "pasted": {"pasted"},
}
_COMMON = {"n_sample": 2048, "temperature": 1.0, "bpreg": 0.0}
_GAUSSIAN = _COMMON | {"source": "gaussian", "spread": 4.0, "target_score": 8.0}
_TRAINED = _COMMON | {"source": "trained", "model": FLIGHTS, "epoch": 4, "sample_alpha": 0.5}
PRESETS: dict[str, dict[str, Any]] = {
    "batch only": _GAUSSIAN | {"n_sample": 0},
    "2048 extra samples": _GAUSSIAN,
    "narrow scores": _GAUSSIAN | {"spread": 0.5, "target_score": 1.5},
    "trained BPR": _TRAINED,
    "trained BPR, uniform samples": _TRAINED | {"sample_alpha": 0.0, "pane": "scores"},
    "trained BPR, popular samples": _TRAINED | {"sample_alpha": 1.0, "pane": "scores"},
}


def _numbers(
    label: str, tooltip: str, value: float, low: float, high: float, step: float
) -> dict[str, Any]:
    limits = {"value": value, "min": low, "max": high, "step": step}
    return {"label": label, "tooltip": tooltip} | limits


def _choices(label: str, value: Any, choices: dict[str, Any], tooltips: list[str]) -> dict:
    return {"label": label, "value": value, "choices": choices, "tooltips": tooltips}


# A control takes numbers from `min` to `max`, one of the `choices` (words to value), or text.
CONTROLS: dict[str, dict[str, Any]] = {
    "source": _choices(
        "scores", "gaussian", SOURCES,
        ["made up: N(0, spread^2)", "a model of flights or of a shop, as it learns",
         "numbers of your own"]),
    "n_sample": _numbers(
        "extra negatives",
        "n_sample: extra negatives besides the other targets of the batch (items)",
        0, 0, N_SAMPLES[-1], 1) | {"stops": N_SAMPLES},
    "spread": _numbers(
        "score spread (std)",
        "standard deviation of the negatives' scores (score units); models widen it",
        4.0, 0.1, 6.0, 0.1),
    "target_score": _numbers(
        "target's score (dot)",
        "score of the target that the dots and the words are about (score units)",
        8.0, -10.0, 30.0, 0.5),
    "sample_alpha": _numbers(
        "sample_alpha (power)",
        "extra negatives are drawn with probability ~ clicks^sample_alpha (no unit): "
        "0 uniform over the items, 1 by popularity", 0.5, 0.0, 1.0, 0.05),
    "model": {
        "label": "model", "value": FLIGHTS, "menu": True,
        "tooltip": "what was trained: BPR on the flights (1,881 items), or BPR or, with nothing "
        "else changed, BPR-max on the clicks in a clothing shop (213: most samples are copies)",
        "choices": {"flights BPR": FLIGHTS, "e-shop BPR": "e-shop-bpr",
                    "e-shop BPR-max": "e-shop-bpr-max"}},
    "epoch": {
        "label": "trained for (epochs)", "value": 4,
        "tooltip": "epochs of training after which the scores were taken",
        "choices": {f"{epoch:g}": epoch for epoch in EPOCHS}},
    "number": _numbers(
        "test target (number)", "which test target of the model's data, with its own negatives",
        9, 1, N_TARGETS, 1),
    "pasted": {
        "label": "scores", "value": "3 2.5 2 1 0.5 0 -1 -2",
        "tooltip": "numbers: the target's score, then its negatives' (score units)",
        "placeholder": "target first, then its negatives"},
    "temperature": _numbers(
        "temperature", "the losses see score / temperature; gradients are by what they see",
        1.0, 0.25, 4.0, 0.25),
    "bpreg": _numbers(
        "bpreg", "strength of the score regularisation; acts on bpr-max's push on negatives",
        0.0, 0.0, 2.0, 0.1),
    "scale": _choices(
        "gradient", "raw", {"raw": "raw", "relative": "relative"},
        ["-dL/dr_i itself", "divided by that of badly ranked targets"]),
    "pane": _choices(
        "on the right", "weights", {name: name for name in ("weights", "pushes", "scores")},
        ["softmax weights of the negatives", "dL/dr_j of the negatives",
         "histogram of the scores"]),
}  # fmt: skip
# On the page, whose made-up scores may be drawn from another seed than the panel's.
PAGE_CONTROLS = CONTROLS | {
    "seed": _numbers(
        "seed of the draws", "other draws from the same Gaussian; the panel's are of seed 0",
        0, 0, 9999, 1)
}  # fmt: skip
