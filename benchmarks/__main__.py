"""Run all paired benchmarks of the CPU and write their sections of benchmarks/RESULTS.md.

make bench [OFFICIAL=path/to/GRU4Rec_PyTorch_Official]
"""

from datetime import date

import torch

from . import (
    answers,
    evaluation,
    import_time,
    parts,
    preparation,
    raw_logs,
    results,
    sampling,
    training,
)
from .cases import options

PARTS = {
    "Training": training,
    "Where a step's time goes": parts,
    "Evaluation": evaluation,
    answers.TITLE: answers,
    "Preparation": preparation,
    "Sampling": sampling,
    "Import": import_time,
}


def main() -> None:
    """Measure, print, write; what other commands measured stays."""
    arguments = options(__doc__).parse_args()
    command = "make bench" + (" OFFICIAL=official" if arguments.official else "")
    facts = [
        "# Benchmarks",
        f"`{command}` on {date.today().isoformat()}: {results.machine()}; {results.versions()}; "
        f"{torch.get_num_threads()} torch thread; {arguments.rounds} pairs.",
        "CPU time, median and quartiles of the ratios of pairs measured in turn in one process; "
        "2.00x is twice as fast. The official code is GRU4Rec_PyTorch_Official at d1fc311, run as "
        "it is. How it got there: [docs/performance.md](../docs/performance.md).",
    ]
    tables = {name: results.table(part.HEAD, part.rows(arguments)) for name, part in PARTS.items()}
    others = (raw_logs.TITLE, results.GPU)
    kept = {title: text for title, text in results.read().items() if title in others}
    results.write({"": "\n\n".join(facts)} | tables | kept)
    print(f"\nwritten: {results.RESULTS.name}")


if __name__ == "__main__":
    main()
