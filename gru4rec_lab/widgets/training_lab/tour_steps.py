"""A guided tour of the lab in five steps: predict, then drag. Plain data, and what it reads.

A step is as in `loss_explorer.tour_steps`, but `next_move` says what it points at. It starts from
live settings that the run takes from its next step on, and waits `until` the settings asked for and
the run are as it says: `trained` are the training steps with these settings since the step of the
tour began, up to the last observation; `compared` is whether there is a pinned run of the same data
that began with another loss. In braces stand names of `tour_numbers`.
"""

from dataclasses import asdict
from math import inf
from typing import Any

from ...training.events import Observed
from .comparison import Pinned
from .history import History
from .run import LabRun
from .text import kept

_BOTH = ("bpr", "bpr-max")
_BPR = {
    "loss": "bpr", "n_sample": 0, "sample_alpha": 0.5, "bpreg": 1.0, "elu_param": 0.5,
    "scores_of": "model",
}  # fmt: skip
_BPR_MAX = _BPR | {"loss": "bpr-max", "n_sample": 512}
STEPS: list[dict[str, Any]] = [
    {
        "start": _BPR,
        "predict": "A model learns with BPR; its only negatives are the targets of the other "
        "sessions in the batch. Some targets are soon ranked well. After 200 steps, how hard does "
        "BPR pull at the best-ranked targets, beside badly ranked ones?",
        "choices": ["as hard", "about half as hard", "a small fraction"],
        "until": [["trained", ">=", 200]],
        "seen": "At step {step} BPR pulls the best-ranked targets {kept.bpr} times as hard as "
        "badly ranked ones; BPR-max would pull them {kept.bpr-max} times as hard. BPR averages "
        "over all {negatives} negatives, however far they lie below such a target. BPR-max weighs "
        "them by softmax, and {effective} count. Recall@1 is {recall_1}, MRR@20 {mrr_20}.",
    },
    {
        "start": _BPR,
        "predict": "Now every step draws extra negatives too: raise them to 512 or more. What "
        "becomes of the pull on the best-ranked targets?",
        "choices": ["both fall", "only BPR's falls", "neither falls"],
        "until": [["n_sample", ">=", 512], ["trained", ">=", 100]],
        "seen": "From step {before.step} to {step} BPR's pull on the best-ranked targets went from "
        "{before.kept.bpr} to {kept.bpr} times that on badly ranked ones, BPR-max's from "
        "{before.kept.bpr-max} to {kept.bpr-max} times. A negative that lies far below the target "
        "adds next to nothing to BPR's average, but it counts in the {negatives} that this is "
        "divided by. For BPR-max {effective} of them count.",
    },
    {
        "start": _BPR | {"n_sample": 512},
        "predict": "BPR lets go of the targets that it ranks best, and the best ranks are where a "
        "recommender is judged. Switch the loss to bpr-max. What does Recall@1 do in the next 300 "
        "steps?",
        "choices": ["climbs at once", "falls, then climbs", "stays as it is"],
        "until": [["loss", "==", "bpr-max"], ["trained", ">=", 300]],
        "seen": "From step {before.step} to {step} Recall@1 went from {before.recall_1} to "
        "{recall_1}, MRR@20 from {before.mrr_20} to {mrr_20}; the curves of the quality show the "
        "way there. Of {negatives} negatives {effective} count now, {before.effective} did before: "
        "ELU and bpreg, which come with BPR-max here, draw the scores together. On such scores the "
        "losses pull alike: at the best-ranked targets BPR {kept.bpr} times as hard as at badly "
        "ranked ones, BPR-max {kept.bpr-max} times.",
    },
    {
        "start": _BPR_MAX,
        "predict": "Negatives are drawn by popularity^alpha. Set sample_alpha to 1, and popular "
        "items come much more often. Does the number of negatives that count change?",
        "choices": ["far fewer count", "far more count", "hardly"],
        "until": [["sample_alpha", ">=", 1], ["trained", ">=", 100]],
        "seen": "From step {before.step} to {step} the negatives that count went from "
        "{before.effective} to {effective}, BPR-max's pull on the best-ranked targets from "
        "{before.kept.bpr-max} to {kept.bpr-max} times that on badly ranked ones. As long as the "
        "scores are narrow, popular and rare negatives weigh nearly alike. On wide scores alpha "
        "matters: set pull on scores of to a trained BPR, drag alpha, and watch the dashed lines.",
    },
    {
        "start": _BPR_MAX,
        "predict": "What if BPR-max trains from the first step on? Press Pin, which keeps the "
        "curves of this run, then Reset and Start. Which run has the higher MRR@20 at step 300?",
        "choices": ["the pinned one", "the new one", "both alike"],
        "until": [["compared", "==", True], ["trained", ">=", 300]],
        "seen": "At step {step} this run, which began with {loss}, has Recall@1 {recall_1} and "
        "MRR@20 {mrr_20}. The pinned one began with {pinned.loss} and had {pinned.recall_1} and "
        "{pinned.mrr_20} by then. The table below the picture sets them side by side. Go on with "
        "other seeds, another learning rate, or Replay, which repeats a run with its changes.",
    },
]  # fmt: skip


def tour_settings(run: LabRun, begun: tuple[History, int]) -> dict[str, Any]:
    """What the steps wait for; `begun` is the run and its step when the step of the tour began."""
    history, asked = run.history, run.controls.settings
    last = history.observations[-1] if history.observations else None
    since = begun[1] if begun[0] is history else 0
    since = max([since, *(change.step - 1 for change in history.changes[-1:])])
    trained = last.step - since if last and last.settings == asked else 0
    other = _comparable(run) and run.pinned.config.loss != history.config.loss
    n_sample = inf if asked.n_sample == "all" else asked.n_sample
    return asdict(asked) | {"n_sample": n_sample, "trained": trained, "compared": other}


def tour_numbers(run: LabRun, start: dict[str, Any]) -> dict[str, Any]:
    """The numbers that steps name, as far as they are known.

    Of the last observation: step, recall_1, mrr_20, negatives, effective, `kept` (loss name to the
    pull on the best-ranked targets as a share of that on badly ranked ones), and the
    loss that the run began with. `before` are those of the last observation with the settings of
    `start`, `pinned` those of the pinned run by the same step.
    """
    history = run.history
    if not history.observations:
        return {}
    last = history.observations[-1]
    before = next((each for each in reversed(history.observations) if _has(each, start)), None)
    numbers = _numbers(last) | {"loss": history.config.loss}
    numbers["before"] = _numbers(before) if before else {}
    if _comparable(run):
        numbers["pinned"] = _by_step(run.pinned, last.step) | {"loss": run.pinned.config.loss}
    return numbers


def next_move(run: LabRun, step: dict[str, Any], name: str, value: Any) -> tuple[str, str]:
    """What is to be done for the setting `name` of `tour_settings`: a control, and words."""
    state, observed = run.state, bool(run.history.observations)
    if name == "compared" and observed:
        return ("reset", "Now press Reset.") if _comparable(run) else ("pin", "")
    if name == "compared" and _comparable(run):
        return "loss", "Choose another loss than the pinned run began with."
    if state == "paused" and name == "trained":
        return "pause", "Press Resume."
    if state == "paused":
        return name, "The run is held meanwhile; then press Resume."
    if state not in ("loading", "running"):
        return "start", "Press Start." if state == "idle" else "This run has ended. Press Start."
    if name == "trained":
        return "", f"Watch the picture. What it shows after {value} steps is said here."
    return name, ""


def _comparable(run: LabRun) -> bool:
    return run.pinned is not None and run.pinned.data == run.history.data


def _has(seen: Observed, start: dict[str, Any]) -> bool:
    asked = asdict(seen.settings)
    return all(asked[name] == value for name, value in start.items() if name in asked)


def _numbers(seen: Observed) -> dict[str, Any]:
    value = seen.value
    pulls = {loss: kept(value.gradients, loss) for loss in _BOTH if loss in value.gradients.curves}
    return {
        "step": seen.step,
        "recall_1": round(value.recall_1, 3),
        "mrr_20": round(value.mrr_20, 3),
        "negatives": value.n_negatives,
        "effective": round(value.effective),
        "kept": {loss: share for loss, share in pulls.items() if share == share},  # no NaN
    }


def _by_step(pinned: Pinned, step: int) -> dict[str, float]:
    """The pinned run's quality in its last observation up to this step; empty before the first."""
    shares = {
        name: [round(share, 3) for at, share in curves.observed if at <= step]
        for name, curves in pinned.quality.items()
    }
    return {name: each[-1] for name, each in shares.items() if each}
