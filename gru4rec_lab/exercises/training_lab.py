"""The exercises of notebook 04: read a run whose settings changed on the way."""

from operator import ge, gt

from ..training.controls import ControlChanged
from .check import Cases, Check

CHANGES = [
    ControlChanged(30, "n_sample", 512, 64),
    ControlChanged(30, "loss", "bpr", "bpr-max"),
    ControlChanged(80, "n_sample", 64, 0),
]


def _runs() -> Cases:
    return {
        "before any change": (CHANGES, 512, 1),
        "the step before a change": (CHANGES, 512, 29),
        "the step of a change": (CHANGES, 512, 30),
        "between two changes": (CHANGES, 512, 79),
        "after the last": (CHANGES, 512, 500),
        "no change at all": ([], 512, 10),
    }


def n_sample_at(changes: list[ControlChanged], start: int, step: int) -> int:
    """The `n_sample` in force at a step: changes are in order, each in force from its step on."""
    values = [each.new for each in changes if each.name == "n_sample" and each.step <= step]
    return values[-1] if values else start


def _after(changes, start, step):
    return n_sample_at(changes, start, step - 1)


def _first(changes, start, step):
    return next((each.new for each in changes if each.name == "n_sample"), start)


def _last(changes, start, step):
    return n_sample_at(changes, start, 10**9)


def _any_name(changes, start, step):
    values = [each.new for each in changes if each.step <= step]
    return values[-1] if values else start


check_n_sample_at = Check(
    "n_sample_at",
    n_sample_at,
    _runs,
    mistakes={
        "a change is in force at its own step": _after,
        "look at the steps of the changes": _first,
        "changes after this step are not made yet": _last,
        "a run changes other settings too; look at the name": _any_name,
    },
)


def _epochs() -> Cases:
    return {
        "better every time": ([0.1, 0.2, 0.3], 2),
        "best in the middle": ([0.1, 0.3, 0.2, 0.25, 0.2], 2),
        "better again too late": ([0.1, 0.3, 0.2, 0.2, 0.9], 2),
        "better again in time": ([0.1, 0.3, 0.2, 0.4, 0.1], 2),
        "the same is not better": ([0.3, 0.3, 0.3, 0.3], 2),
        "one bad epoch ends it": ([0.2, 0.1, 0.5], 1),
        "better than the epoch before, but no best": ([0.3, 0.1, 0.2, 0.1, 0.4, 0.3, 0.2, 0.9], 2),
    }


def best_epoch(mrr: list[float], patience: int) -> int:
    """The epoch, from 1, whose model is kept: training ends `patience` epochs after the best."""
    best = 0
    for epoch, value in enumerate(mrr):
        if epoch - best > patience:
            break
        if value > mrr[best]:
            best = epoch
    return best + 1


def _patient(mrr, patience):
    return mrr.index(max(mrr)) + 1


def _kept_by(better, over):
    """The rule with another idea of what is better than the best, and of when it is over."""

    def rule(mrr, patience):
        best = 0
        for epoch, value in enumerate(mrr):
            if over(epoch - best, patience):
                break
            best = epoch if better(value, mrr[best]) else best
        return best + 1

    return rule


def _falls_in_a_row(mrr, patience):
    best = falls = 0
    for epoch in range(1, len(mrr)):
        falls = 0 if mrr[epoch] > mrr[epoch - 1] else falls + 1
        if falls >= patience:
            break
        best = epoch if mrr[epoch] > mrr[best] else best
    return best + 1


check_best_epoch = Check(
    "best_epoch",
    best_epoch,
    _epochs,
    mistakes={
        "epochs count from 1": lambda mrr, patience: best_epoch(mrr, patience) - 1,
        "an epoch after the end of the training is never seen": _patient,
        "that is the last epoch trained; keep the best": lambda mrr, patience: min(
            best_epoch(mrr, patience) + patience, len(mrr)
        ),
        "an equal value is not better": _kept_by(ge, gt),
        "one epoch too few: patience epochs after the best are still seen": _kept_by(gt, ge),
        "count the epochs since the best, not the falls in a row": _falls_in_a_row,
    },
)
