"""Training steps a second on CUDA beside the CPU of the same machine.

    python -m benchmarks.gpu [--cases abcde]

Time on the clock: a GPU works while Python waits. Says so where there is no CUDA.
"""

import argparse
from collections.abc import Iterator
from time import perf_counter

import torch

from gru4rec_lab import Sessions, train
from gru4rec_lab.training.events import Report, StepDone

from . import clicks
from .cases import CASES, WORDS, options
from .official_adapter import config_of

HEAD = ("case", "steps/s CUDA", "steps/s CPU", "CUDA over CPU")
SECONDS = 5.0


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row a case."""
    training, _ = clicks.split_last_day(clicks.make_clicks(n_clicks=arguments.clicks))
    sessions = Sessions.from_frame(training)
    for case in arguments.cases:
        gpu, cpu = (steps_a_second(CASES[case], sessions, device) for device in ("cuda", "cpu"))
        yield f"{case}: {WORDS[case]}", f"{gpu:.0f}", f"{cpu:.0f}", f"{gpu / cpu:.2f}x"


def steps_a_second(settings, sessions: Sessions, device: str) -> float:
    """After 100 steps that do not count; reports wait for the device."""
    config = config_of(settings, n_epochs=10**6, report_every=100, device=device)
    steps, began = 0, None
    for event in train(config, sessions):
        steps += isinstance(event, StepDone)
        if isinstance(event, Report):
            if began is None:
                steps, began = 0, perf_counter()
            elif perf_counter() - began > SECONDS:
                return steps / (perf_counter() - began)
    raise AssertionError("training does not end by itself")


def main() -> None:
    """Measure and print."""
    arguments = options(__doc__).parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing to measure")
        return
    print(torch.cuda.get_device_name())
    print(" | ".join(HEAD))
    for row in rows(arguments):
        print(" | ".join(row), flush=True)


if __name__ == "__main__":
    main()
