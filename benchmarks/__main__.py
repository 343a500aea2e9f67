"""Run all paired benchmarks and write benchmarks/RESULTS.md.

make bench [OFFICIAL=path/to/GRU4Rec_PyTorch_Official]
"""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

from . import evaluation, import_time, parts, preparation, sampling, training
from .cases import options

RESULTS = Path(__file__).with_name("RESULTS.md")
PARTS = {
    "Training": training,
    "Where a step's time goes": parts,
    "Evaluation": evaluation,
    "Preparation": preparation,
    "Sampling": sampling,
    "Import": import_time,
}


def machine() -> str:
    """Cores and name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {name}"


def versions() -> str:
    """Python and what does the arithmetic."""
    names = ("torch", "numpy", "numba", "pandas")
    return ", ".join([f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in names)])


def table(part, arguments) -> str:
    """The table of one benchmark, printed row by row as it grows."""
    lines = [part.HEAD, ("---",) * len(part.HEAD)]
    print("\n" + " | ".join(part.HEAD), flush=True)
    for row in part.rows(arguments):
        print(" | ".join(row), flush=True)
        lines.append(row)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure, print, write."""
    arguments = options(__doc__).parse_args()
    command = "make bench" + (" OFFICIAL=official" if arguments.official else "")
    facts = [
        "# Benchmarks",
        f"`{command}` on {date.today().isoformat()}: {machine()}; {versions()}; "
        f"{torch.get_num_threads()} torch thread; {arguments.rounds} pairs.",
        "CPU time, median and quartiles of the ratios of pairs measured in turn in one process; "
        "2.00x is twice as fast. The official code is GRU4Rec_PyTorch_Official at d1fc311, run as "
        "it is. How it got there: [docs/performance.md](../docs/performance.md).",
    ]
    tables = [f"## {name}\n\n{table(part, arguments)}" for name, part in PARTS.items()]
    RESULTS.write_text("\n\n".join([*facts, *tables]) + "\n", encoding="utf-8")
    print(f"\nwritten: {RESULTS.name}")


if __name__ == "__main__":
    main()
