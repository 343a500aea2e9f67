"""What an import of the library adds to an import of torch, each in a new process.

python -m benchmarks.import_time
"""

import argparse
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator

from .cases import options

HEAD = ("import", "s beyond torch (median of pairs)")
IMPORTS = {
    "gru4rec_lab": "import gru4rec_lab",
    "what a notebook uses": "from gru4rec_lab import Config, evaluate, fit, load_sessions, train",
    "the panels": "from gru4rec_lab.widgets import LossExplorer, TrainingLab",
}


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row an import."""
    seconds_of("import torch")
    for name, line in IMPORTS.items():
        seconds_of(f"import torch; {line}")
        beyond = [
            seconds_of(f"import torch; {line}") - seconds_of("import torch")
            for _ in range(arguments.rounds)
        ]
        yield name, f"{statistics.median(beyond):.3f}"


def seconds_of(code: str) -> float:
    """CPU seconds of a new Python that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
