"""Times of several functions taken in turn, A B A B, in one process, and their ratios.

CPU time, since other work on the machine adds to the time on the clock; pairs, since what is left
of its influence (clock rate, shared caches) then meets both sides.
"""

import statistics
from collections.abc import Callable, Mapping
from time import process_time
from typing import NamedTuple

Times = dict[str, list[float]]


class Ratio(NamedTuple):
    """How many times faster: median and quartiles over the pairs."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """As 4.21x [4.15-4.30]."""
        return f"{self.median:.2f}x [{self.low:.2f}-{self.high:.2f}]"


def paired(functions: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """CPU seconds of each function, `rounds` of them, after one round that does not count."""
    times: Times = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            began = process_time()
            function()
            times[name].append(process_time() - began)
    return {name: taken[1:] for name, taken in times.items()}


def ratio(times: Times, slow: str, fast: str) -> Ratio:
    """How many times `fast` goes into `slow`, pair by pair."""
    pairs = sorted(a / b for a, b in zip(times[slow], times[fast], strict=True))
    quarter = len(pairs) // 4
    return Ratio(statistics.median(pairs), pairs[quarter], pairs[-1 - quarter])


def milliseconds(taken: list[float], n: int = 1) -> float:
    """Median in milliseconds for one of `n` things done each time."""
    return 1000 * statistics.median(taken) / n
