"""Measure what the lessons show, store it as tables, and draw the figures of the README.

    python scripts/figures                 # all of it again, some 4 minutes of one core
    python scripts/figures --only trainings   # one measurement, no figures
    python scripts/figures --draw          # only the figures, from the tables as they are
    python scripts/figures --fast --out build/figures   # a tiny world, in seconds

Tables go into the package, where `diagnostics.results(name)` finds them, figures into
docs/figures; with --out both go into that folder.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from time import process_time

import draw
import measure
import plan as plans
import tables
import torch

from gru4rec_lab.diagnostics import RESULT_FOLDER

FIGURE_FOLDER = Path(__file__).parents[2] / "docs" / "figures"


def main() -> None:
    """Run the measurements asked for, then draw."""
    asked = _arguments()
    torch.set_num_threads(1)
    results = asked.out or RESULT_FOLDER
    plan = plans.fast() if asked.fast else plans.full()
    if not asked.draw:
        _measure(plan, asked, results)
    if asked.only:
        return
    for path in draw.all_figures(plan, results, asked.out or FIGURE_FOLDER):
        print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)


def _measure(plan: plans.Plan, asked: argparse.Namespace, folder: Path) -> None:
    for measurement in measure.MEASUREMENTS:
        if asked.only not in (None, measurement.__name__):
            continue
        rows, began = defaultdict(list), process_time()
        for table, row in measurement(plan):
            rows[table].append(row)
            if table != "gradients":
                print(" ".join(f"{value:.4g}" if isinstance(value, float) else str(value)
                               for value in row.values()), flush=True)  # fmt: skip
        command = "make figures" + (" FAST=1" if asked.fast else "")
        for table, found in rows.items():
            tables.write(folder, table, found, command=command, data=plan.data)
        print(f"{measurement.__name__}: {process_time() - began:.0f} s of CPU", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [measurement.__name__ for measurement in measure.MEASUREMENTS]
    parser.add_argument("--only", choices=names, help="one measurement, and no figures")
    parser.add_argument("--fast", action="store_true", help="a tiny world, to try the script")
    parser.add_argument("--draw", action="store_true", help="draw only, from stored tables")
    parser.add_argument("--out", type=Path, help="folder for tables and figures")
    asked = parser.parse_args()
    if asked.fast and asked.out is None:
        parser.error("--fast needs --out: its numbers must not replace the stored ones")
    return asked


if __name__ == "__main__":
    main()
