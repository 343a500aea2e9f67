"""The figures of the latency benchmark: percentiles, the summary line, what misses its target."""

import math
import statistics
from dataclasses import astuple, dataclass

TARGETS = (100, 150, 150, 200, 15)


@dataclass(frozen=True)
class Figures:
    """What is compared with `TARGETS`; None: not measured.

    Attributes:
        idle, training: worst 95th percentile from key press to reaction, ms.
        drag_tail, stop: 95th percentiles, ms.
        speed_lost: share of the training speed that a watched panel costs, percent.
    """

    idle: float
    training: float
    drag_tail: float
    stop: float
    speed_lost: float | None

    def missed(self) -> bool:
        """Whether a figure is above its target; no reaction at all is infinitely late."""
        pairs = zip(astuple(self), TARGETS, strict=True)
        return any(figure is not None and not figure <= target for figure, target in pairs)

    def summary(self) -> str:
        """The last line: every figure with its target in brackets."""
        lost = "not measured" if self.speed_lost is None else f"{self.speed_lost:.0f} %"
        return (
            f"worst p95: idle {self.idle:.0f} ms ({TARGETS[0]}), "
            f"while training {self.training:.0f} ms ({TARGETS[1]}), "
            f"drag tail {self.drag_tail:.0f} ms ({TARGETS[2]}), "
            f"stop {self.stop:.0f} ms ({TARGETS[3]}), training speed lost {lost} ({TARGETS[4]})"
        )


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
