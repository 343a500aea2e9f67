"""Training steps: ours against the plain step, the matrix products alone and the official code.

python -m benchmarks.training [--official PATH] [--cases ab]
"""

import argparse
from collections.abc import Iterator
from functools import partial
from time import process_time

import pandas as pd

from . import clicks, official_adapter
from .cases import CASES, WORDS, matrix_products, options
from .official import OfficialTrainer
from .paired import milliseconds, paired, ratio

HEAD = ("case", "ms a step", "x plain step", "of matrix products", "x official")
SECONDS = 0.4  # of the slowest side in each measurement


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row a case."""
    training, _ = clicks.split_last_day(clicks.make_clicks(n_clicks=arguments.clicks))
    for case in arguments.cases:
        yield measure(case, training, arguments)


def measure(case: str, training: pd.DataFrame, arguments: argparse.Namespace) -> tuple[str, ...]:
    """The row of one case."""
    settings = CASES[case]
    sides = {
        "ours": official_adapter.make_trainer(training, settings),
        "plain": official_adapter.make_trainer(training, settings, step="plain"),
        "products": partial(repeat, matrix_products(settings)),
    }
    if arguments.official:
        sides["official"] = OfficialTrainer(arguments.official, training, settings)
    n = steps_in(SECONDS, sides["official" if arguments.official else "plain"])
    for name, side in sides.items():
        sides[name] = partial(side, n)
    times = paired(sides, arguments.rounds)
    theirs = "-"
    if arguments.official:
        theirs = str(ratio(times, "official", "ours"))
        sides["official"].func.close()
    step = f"{milliseconds(times['ours'], n):.2f}"
    share = f"{ratio(times, 'products', 'ours').median:.0%}"
    return f"{case}: {WORDS[case]}", step, str(ratio(times, "plain", "ours")), share, theirs


def repeat(function, n: int) -> None:
    """Call `n` times."""
    for _ in range(n):
        function()


def steps_in(seconds: float, side) -> int:
    """About how many steps that takes."""
    side(5)
    began = process_time()
    side(10)
    return max(5, int(10 * seconds / (process_time() - began)))


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
