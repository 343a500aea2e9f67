"""The exercises of notebook 05: what a sample costs, when there are enough, and chance."""

import math
from statistics import mean, pvariance, stdev, variance

from .check import Cases, Check


def _times() -> Cases:
    return {
        "0 and 512 samples": (0, 2.0, 512, 3.024),
        "32 and 2048 samples": (32, 1.5, 2048, 5.532),
        "the larger size first": (2048, 8.0, 0, 3.904),
    }


def _cost(size: int, seconds: float, other_size: int, other_seconds: float) -> float:
    return (other_seconds - seconds) / (other_size - size)


check_cost = Check(
    "cost of a sample",
    _cost,
    _times,
    mistakes={
        "a step costs something without any sample; take differences": (
            lambda size, seconds, other_size, other_seconds: other_seconds / (other_size or 1)
        ),
        "that is the difference in seconds; divide it by that in samples": (
            lambda size, seconds, other_size, other_seconds: other_seconds - seconds
        ),
        "that is samples a second; turn it round": (
            lambda size, seconds, other_size, other_seconds: (
                1 / _cost(size, seconds, other_size, other_seconds)
            )
        ),
        "divide by the difference in samples, not by the larger size": (
            lambda size, seconds, other_size, other_seconds: (
                (other_seconds - seconds) / max(size, other_size)
            )
        ),
    },
)


def _lines() -> Cases:
    return {
        "it rises and stays": ([0, 32, 512, 2048], [0.20, 0.25, 0.28, 0.281], 0.005),
        "the best is in the middle": ([0, 32, 512, 2048], [0.20, 0.258, 0.28, 0.26], 0.005),
        "it falls from the start": ([0, 32, 512], [0.14, 0.10, 0.09], 0.005),
        "just within": ([0, 32, 128, 512], [0.25, 0.5, 0.625, 0.75], 0.25),
        "a dip on the way": ([0, 32, 128, 512], [0.20, 0.27, 0.26, 0.28], 0.005),
    }


def _enough(sizes: list[int], quality: list[float], tolerance: float) -> int:
    wanted = max(quality) - tolerance
    return next(size for size, each in zip(sizes, quality, strict=True) if each >= wanted)


def _best(sizes, quality, tolerance):
    return sizes[quality.index(max(quality))]


def _near_the_last(sizes, quality, tolerance):
    wanted = quality[-1] - tolerance
    return next(size for size, each in zip(sizes, quality, strict=True) if each >= wanted)


def _first_small_gain(sizes, quality, tolerance):
    for place in range(len(sizes) - 1):
        if quality[place + 1] - quality[place] <= tolerance:
            return sizes[place]
    return sizes[-1]


check_enough = Check(
    "enough",
    _enough,
    _lines,
    mistakes={
        "that is the best size; a smaller one may come close enough": _best,
        "compare with the best, which need not be the last": _near_the_last,
        "compare with the best of all, not with the next size": _first_small_gain,
        "a value just tolerance below the best is close enough": (
            lambda sizes, quality, tolerance: _enough(sizes, quality, tolerance - 1e-9)
        ),
        "that is the quality; return the size": lambda sizes, quality, tolerance: max(quality),
        "that is the place in the list; return the size": lambda sizes, quality, tolerance: (
            sizes.index(_enough(sizes, quality, tolerance))
        ),
    },
)


def _by_seed() -> Cases:
    return {
        "far apart": ([0.28, 0.281, 0.279], [0.21, 0.212, 0.208]),
        "closer than the seeds": ([0.28, 0.27, 0.29], [0.276, 0.282, 0.27]),
        "the second is better": ([0.10, 0.11, 0.12], [0.2, 0.21, 0.25]),
    }


def _surely(first: list[float], second: list[float]) -> float:
    error = math.sqrt(variance(first) / len(first) + variance(second) / len(second))
    return (mean(first) - mean(second)) / error


def _by_spread(first, second):
    return (mean(first) - mean(second)) / math.sqrt(variance(first) + variance(second))


def _by_n(first, second):
    error = math.sqrt(pvariance(first) / len(first) + pvariance(second) / len(second))
    return (mean(first) - mean(second)) / error


def _added_up(first, second):
    error = stdev(first) / math.sqrt(len(first)) + stdev(second) / math.sqrt(len(second))
    return (mean(first) - mean(second)) / error


check_surely = Check(
    "difference over its error",
    _surely,
    _by_seed,
    mistakes={
        "that is how far single trainings differ; means of n seeds vary less": _by_spread,
        "the variance of a few values divides by n - 1, not by n": _by_n,
        "errors that have nothing to do with each other add up as squares": _added_up,
        "keep the sign: it says which of the two is better": lambda first, second: abs(
            _surely(first, second)
        ),
        "that is the difference; divide it by its error": lambda first, second: (
            mean(first) - mean(second)
        ),
    },
)
