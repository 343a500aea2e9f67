"""The exercises of notebook 09: errors over sessions, paired differences, and who may be best."""

import math
from statistics import mean, stdev, variance

from .check import Cases, Check


def _pairs() -> Cases:
    return {
        "hard and easy sessions": ([1.0, 0.05, 0.5, 0.1], [0.9, 0.04, 0.45, 0.0]),
        "the second is better": ([0.2, 0.5, 0.25], [0.5, 0.5, 1.0]),
        "better and worse": ([1.0, 0.0, 0.5, 0.2], [0.5, 0.5, 0.5, 0.0]),
    }


def _over_error(first: list[float], second: list[float]) -> float:
    within = [one - other for one, other in zip(first, second, strict=True)]
    return mean(within) / (stdev(within) / math.sqrt(len(within)))


def _unpaired(first, second):
    error = math.sqrt(variance(first) / len(first) + variance(second) / len(second))
    return (mean(first) - mean(second)) / error


def _by_spread(first, second):
    return _over_error(first, second) / math.sqrt(len(first))


def _by_n(first, second):
    return _over_error(first, second) * math.sqrt(len(first) / (len(first) - 1))


check_paired = Check(
    "paired difference over its error",
    _over_error,
    _pairs,
    mistakes={
        "those are the errors of methods with different sessions; subtract within each session "
        "first": _unpaired,
        "that is how far single sessions differ; a mean of n sessions varies less": _by_spread,
        "the variance of a few values divides by n - 1, not by n": _by_n,
        "keep the sign: it says which of the two is better": lambda first, second: abs(
            _over_error(first, second)
        ),
        "that is the difference; divide it by its error": lambda first, second: (
            mean(first) - mean(second)
        ),
    },
)


def _clicks() -> Cases:
    return {
        "one click a session": ([1.0, 0.0, 0.5], [0, 1, 2]),
        "clicks that agree": ([1.0, 1.0, 0.0, 0.0, 0.5, 0.5], [0, 0, 1, 1, 2, 2]),
        "a long and two short sessions": ([1.0, 0.5, 0.5, 0.0, 0.2], [0, 0, 0, 1, 2]),
        "sessions with gaps in their numbers": ([1.0, 0.0, 0.25, 0.5], [3, 3, 7, 9]),
    }


def _sums(gains: list[float], session: list[int]) -> list[float]:
    """The excess over the mean, summed within each session."""
    middle, sums = mean(gains), dict.fromkeys(session, 0.0)
    for gain, which in zip(gains, session, strict=True):
        sums[which] += gain - middle
    return list(sums.values())


def _error(gains: list[float], session: list[int]) -> float:
    sums = _sums(gains, session)
    return math.sqrt(sum(each**2 for each in sums) * len(sums) / (len(sums) - 1)) / len(gains)


def _without_correction(gains, session):
    return math.sqrt(sum(each**2 for each in _sums(gains, session))) / len(gains)


def _over_sessions(gains, session):
    return _error(gains, session) * len(gains) / len(set(session))


check_error = Check(
    "error over sessions",
    _error,
    _clicks,
    mistakes={
        "that takes every click for a session of its own; add up within each session first": (
            lambda gains, session: stdev(gains) / math.sqrt(len(gains))
        ),
        "multiply below the root by m / (m - 1), for m sessions": _without_correction,
        "divide by the number of clicks, not by that of sessions": _over_sessions,
        "that is the square of it; take the root": lambda gains, session: (
            _error(gains, session) ** 2
        ),
    },
)


def _tables() -> Cases:
    return {
        "two lead": ([0.20, 0.281, 0.28, 0.25], [0.003, 0.0, 0.002, 0.003]),
        "one leads": ([0.30, 0.20, 0.1], [0.0, 0.01, 0.01]),
        "nobody can tell": ([0.26, 0.25, 0.27], [0.02, 0.02, 0.0]),
        "just at two errors": ([0.5, 0.25, 0.75], [0.125, 0.125, 0.0]),
    }


def _leaders(values: list[float], errors: list[float]) -> list[int]:
    best = max(values)
    pairs = enumerate(zip(values, errors, strict=True))
    return [place for place, (value, error) in pairs if best - value <= 2 * error]


def _within_one(values, errors):
    return _leaders(values, [error / 2 for error in errors])


def _without_best(values, errors):
    return [place for place in _leaders(values, errors) if values[place] < max(values)]


check_leaders = Check(
    "leaders",
    _leaders,
    _tables,
    mistakes={
        "exactly two errors below is still as good": lambda values, errors: _leaders(
            values, [error * (1 - 1e-9) for error in errors]
        ),
        "that is the best alone; others may be as good": lambda values, errors: [
            values.index(max(values))
        ],
        "the best is one of those that may be best": _without_best,
        "one error is little; ask for two": _within_one,
        "those are the others; return the places that cannot be told from the best": (
            lambda values, errors: [
                place for place in range(len(values)) if place not in _leaders(values, errors)
            ]
        ),
        "those are the values; return the places in the list, from 0": lambda values, errors: [
            values[place] for place in _leaders(values, errors)
        ],
    },
)


def _wishes() -> Cases:
    return {
        "half the error": (1000, 0.004, 0.004),
        "an error that is small enough": (1000, 0.001, 0.004),
        "a small difference": (2500, 0.003, 0.001),
    }


def _needed(n_sessions: int, error: float, difference: float) -> int:
    return math.ceil(n_sessions * (2 * error / difference) ** 2 - 1e-9)


check_needed = Check(
    "sessions needed",
    _needed,
    _wishes,
    mistakes={
        "an error falls with the root of the sessions: half of it takes four times as many": (
            lambda n_sessions, error, difference: math.ceil(n_sessions * 2 * error / difference)
        ),
        "the difference must be two errors, not one": lambda n_sessions, error, difference: (
            math.ceil(n_sessions * (error / difference) ** 2 - 1e-9)
        ),
        "that is how many more; return all": lambda n_sessions, error, difference: (
            _needed(n_sessions, error, difference) - n_sessions
        ),
    },
)
