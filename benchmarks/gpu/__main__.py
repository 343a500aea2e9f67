"""Run all parts on a GPU; see benchmarks/gpu/__init__.py for how and what."""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import torch

from .. import results
from ..cases import options
from . import epoch, growth, inside, ranking, steps
from .bench import Bench, error_text

PARTS = {
    "Training steps": steps,
    "One epoch end to end": epoch,
    "Evaluation": ranking,
    "Growth with the catalogue, case a": growth,
    "Inside of a step": inside,
}
NOTES = (
    "Time on the clock, the GPU waited for at the end of each block; median and quartiles of "
    "blocks taken in turn in one process; 2.00x is twice as fast. The official code is "
    "GRU4Rec_PyTorch_Official at d1fc311, its own fit on the same GPU, with a store of ten million "
    "samples. The products are captured in a CUDA graph. The CPU step runs on the same machine, on "
    "one thread."
)


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = options(__doc__)
    made.set_defaults(cases="abcdfg", rounds=5)
    made.add_argument("--seconds", type=float, default=480, help="what the whole may take")
    made.add_argument("--out", type=Path, help="folder for a copy of the section")
    made.add_argument("--device", default="cuda")
    made.add_argument("--tiny", action="store_true", help="a trial, which writes to --out alone")
    return made


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write after each part."""
    chosen = parser().parse_args(arguments)
    if chosen.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA device here: nothing to measure")
        return
    bench = Bench(chosen)
    texts = [facts(bench), NOTES]
    print(texts[0])
    for title, part in PARTS.items():
        texts.append(f"### {title}\n\n{results.table(part.HEAD, rows(bench, part))}")
        write("\n\n".join(texts), chosen)


def rows(bench: Bench, part) -> Iterator[tuple[str, ...]]:
    """The rows of a part; an error, or no time, takes the place of one."""
    for name, measure in part.rows(bench).items():
        if bench.left() < part.SECONDS:
            row: tuple[str, ...] = ("left out: no time",)
        else:
            try:
                row = measure()
            except Exception as error:
                row = (error_text(error),)
        yield name, *row, *[""] * (len(part.HEAD) - 1 - len(row))


def facts(bench: Bench) -> str:
    """Command, date, GPU and versions."""
    command = "python -m benchmarks.gpu" + (" --official official" if bench.official else "")
    name = torch.cuda.get_device_name(bench.device) if bench.cuda else bench.device
    return (
        f"`{command}` on {date.today().isoformat()}: {name}; CUDA {torch.version.cuda}; "
        f"{results.machine()}; {results.versions('triton')}; {bench.rounds} rounds."
    )


def write(section: str, chosen: argparse.Namespace) -> None:
    """Put the section in its place in RESULTS.md, and a copy into `--out`."""
    if not chosen.tiny:
        results.write(results.read() | {results.GPU: section})
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "gpu.md").write_text(f"## {results.GPU}\n\n{section}\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
