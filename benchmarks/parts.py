"""Where the time of a step goes: the plain step's and the numba step's, part by part.

    python -m benchmarks.parts

Functions of both steps are wrapped in a clock. A part's time is without that of the parts that run
inside it; the clocks themselves, a microsecond each, count as "the rest".
"""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import wraps
from time import process_time
from unittest.mock import patch

import torch

from gru4rec_lab.model import Network
from gru4rec_lab.sampling import Sampler
from gru4rec_lab.training.numba_step.layers import Stack
from gru4rec_lab.training.numba_step.output import Columns
from gru4rec_lab.training.optim import Adagrad, Repeats
from gru4rec_lab.training.step import Step

from . import clicks, official_adapter
from .cases import CASES, options

SAMPLES, ROWS, GRU, LOSS, PRODUCTS, UPDATE, REST = PARTS = (
    "draw the samples",
    "look up the rows, correct by logq",
    "GRU forward, dropout",
    "loss and its gradient",
    "scores, their two gradients, GRU backward",
    "Adagrad",
    "the rest",
)
WHOLE = "whole step"
# The parts of both steps: owner (or its name), function, part.
CLOCKS = (
    (Sampler, "draw", SAMPLES),
    (Step, "_look_up", ROWS),
    (Network, "forward", GRU),
    (Step, "_dropout", GRU),
    ("gru4rec_lab.sampling", "official_logq", ROWS),
    ("gru4rec_lab.sampling", "exact_logq", ROWS),
    ("gru4rec_lab.training.step", "loss_and_gradient", LOSS),
    (torch, "addmm", PRODUCTS),
    (torch.autograd, "grad", PRODUCTS),
    (Repeats, "of", UPDATE),
    (Repeats, "total", UPDATE),
    (Adagrad, "update_rows", UPDATE),
    (Adagrad, "update", UPDATE),
    (Columns, "look_up", ROWS),
    (Stack, "forward", GRU),
    ("gru4rec_lab.training.numba_step.output", "rank_rows", LOSS),
    (Columns, "loss", PRODUCTS),
    (Stack, "backward", PRODUCTS),
    ("gru4rec_lab.training.numba_step.step", "learn", UPDATE),
)
HEAD = ("us a step", "a: plain", "a: numba", "b: plain", "b: numba")
N_STEPS = 60


class Clock:
    """Seconds by part; a part that runs inside another counts for itself alone."""

    def __init__(self):
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]

    def on(self, function: Callable, part: str) -> Callable:
        """The function with its time taken."""

        @wraps(function)
        def timed(*arguments, **named):
            self._inside.append(0.0)
            began = process_time()
            result = function(*arguments, **named)
            taken = process_time() - began
            self.seconds[part] += taken - self._inside.pop()
            self._inside[-1] += taken
            return result

        return timed


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row a part."""
    training, _ = clicks.split_last_day(clicks.make_clicks(n_clicks=arguments.clicks))
    sides = [
        official_adapter.make_trainer(training, CASES[case], step=step)
        for case in "ab"
        for step in ("plain", "numba")
    ]
    for side in sides:
        side(N_STEPS)
    taken = [[parts_of(side) for side in sides] for _ in range(arguments.rounds)]
    for part in (*PARTS, WHOLE):
        by_side = zip(*([seconds[part] for seconds in round_] for round_ in taken), strict=True)
        yield part, *(f"{1e6 * statistics.median(times):.0f}" for times in by_side)


def parts_of(side: Callable[[int], None]) -> dict[str, float]:
    """Seconds of a step by part."""
    clock = Clock()
    with ExitStack() as stack:
        for owner, name, part in CLOCKS:
            stack.enter_context(clocked(clock, owner, name, part))
        clock.on(side, REST)(N_STEPS)
    parts = {part: clock.seconds[part] / N_STEPS for part in PARTS}
    return parts | {WHOLE: sum(parts.values())}


def clocked(clock: Clock, owner, name: str, part: str):
    """A patch that takes the time of a function."""
    if isinstance(owner, str):
        owner = __import__(owner, fromlist=[name])
    kept = vars(owner)[name]
    bound = isinstance(kept, staticmethod | classmethod)
    timed = clock.on(getattr(owner, name), part)
    return patch.object(owner, name, staticmethod(timed) if bound else timed)


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
