"""From a DataFrame of clicks to the first step: ours and the official code.

    python -m benchmarks.preparation [--official PATH]

Ours checks every row and lays out all steps of an epoch, once for all epochs; the official code
sorts the clicks and lays out each step when it comes, in every epoch again.
"""

import argparse
from collections.abc import Iterator
from functools import partial

from gru4rec_lab import Sessions
from gru4rec_lab.batches import session_parallel

from . import clicks, official
from .cases import CASES, options
from .paired import milliseconds, paired, ratio

HEAD = ("what", "clicks", "seconds", "x official")


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row for reading the frame, one for the steps of an epoch, one for both."""
    training, _ = clicks.split_last_day(clicks.make_clicks(n_clicks=arguments.clicks))
    sessions, batch_size = Sessions.from_frame(training), CASES["b"]["batch_size"]
    sides = {
        "read and check": partial(Sessions.from_frame, training),
        "steps of an epoch": partial(session_parallel, sessions, batch_size),
        "both": lambda: session_parallel(Sessions.from_frame(training), batch_size),
    }
    ours = tuple(sides)
    if arguments.official:
        sides["official"] = partial(official.prepare, arguments.official, training, CASES["b"])
    times = paired(sides, arguments.rounds)
    for name in ours:
        theirs = ratio(times, "official", name) if arguments.official and name == "both" else "-"
        seconds = f"{milliseconds(times[name]) / 1000:.3f}"
        yield name, f"{len(training):,}", seconds, str(theirs)


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
