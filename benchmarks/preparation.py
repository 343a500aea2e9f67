"""From a DataFrame of clicks to the batches of an epoch: ours and the official code.

    python -m benchmarks.preparation [--official PATH]

Ours checks every row, then lays out all steps of an epoch, once for all epochs; the official code
sorts the clicks and lays out each step when it comes, in every epoch again.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from gru4rec_lab import Sessions
from gru4rec_lab.batches import session_parallel

from . import clicks, official
from .cases import CASES, options
from .paired import milliseconds, paired, ratio

HEAD = ("what", "clicks", "seconds", "x official")


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row for reading the frame, one for the batches of a first epoch, one for a later epoch."""
    training, _ = clicks.split_last_day(clicks.make_clicks(n_clicks=arguments.clicks))
    sides = of_ours(training, CASES["b"]["batch_size"])
    ours = tuple(sides)
    if arguments.official:
        sides |= of_theirs(arguments.official, training)
    times = paired(sides, arguments.rounds)
    for name in ours:
        theirs = ratio(times, f"official: {name}", name) if arguments.official else "-"
        seconds = f"{milliseconds(times[name]) / 1000:.3f}"
        yield name, f"{len(training):,}", seconds, str(theirs)


def of_ours(training: pd.DataFrame, batch_size: int) -> dict[str, Callable]:
    """What is measured, by name."""
    sessions = Sessions.from_frame(training)
    schedule = session_parallel(sessions, batch_size)
    return {
        "read and check": partial(Sessions.from_frame, training),
        "read, then all batches": lambda: official.exhaust(
            session_parallel(Sessions.from_frame(training), batch_size)
        ),
        "all batches once more": partial(official.exhaust, schedule),
    }


def of_theirs(path: str, training: pd.DataFrame) -> dict[str, Callable]:
    """The official counterpart of each."""
    prepare = partial(official.prepare, path, training, CASES["b"])
    return {
        "official: read and check": prepare,
        "official: read, then all batches": lambda: prepare()(),
        "official: all batches once more": prepare(),
    }


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
