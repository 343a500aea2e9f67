"""The figures of the latency benchmark: percentiles, the summary, what misses its target."""

import math
import statistics
from collections.abc import Mapping

# Most that each figure may be: worst 95th percentiles from the press to the screen in ms, frames
# between two pictures, and the share of the training speed that a watched panel costs.
TARGETS = {
    "explorer idle, ms": 80,
    "explorer while training, ms": 90,
    "lab while training, ms": 90,
    "lab paused, ms": 90,
    "drag tail, ms": 100,
    "stop, ms": 150,
    "empty frames": 0,
    "speed lost at 50 steps/s, %": 2,
    "speed lost without limit, %": 25,
}


def missed(figures: Mapping[str, float]) -> list[str]:
    """The figures above their targets; one that is no number is infinitely late."""
    return [name for name, figure in figures.items() if not figure <= TARGETS[name]]


def summary(figures: Mapping[str, float]) -> str:
    """A line a target: figure, target, and whether it is missed or was not measured."""
    late = missed(figures)
    lines = []
    for name, target in TARGETS.items():
        found = f"{figures[name]:.0f}" if name in figures else "not measured"
        lines.append(f"{name:44s} {found:>6s} ({target}){' MISSED' if name in late else ''}")
    return "\n".join(lines)


def p95(taken: list[float | None]) -> float:
    """The 95th percentile, an element of `taken`; what never came (None) is infinitely late.

    Raises:
        ValueError: nothing was taken.
    """
    if not taken:
        raise ValueError("no times were taken; measure at least once")
    ordered = sorted(math.inf if time is None else time for time in taken)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]


def row(name: str, cells: list[float | None] | tuple[str, ...]) -> str:
    """A line of the table: min, median and 95th percentile of times, or these words."""
    if not isinstance(cells, tuple):
        times = [math.inf if time is None else time for time in cells]
        cells = tuple(f"{each:.0f}" for each in (min(times), statistics.median(times), p95(times)))
    return f"{name:44s} " + " ".join(f"{cell:>6s}" for cell in cells)


def speed_lost(pairs: list[tuple[float, float]]) -> float:
    """Percent of speed lost, the median over (without, with) pairs of steps a second."""
    return 100 * statistics.median(1 - watched / alone for alone, watched in pairs)
