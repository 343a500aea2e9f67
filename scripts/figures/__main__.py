"""Measure what the lessons show, store it as tables, and draw the figures of the README.

    python scripts/figures                 # all of it again, some 12 minutes and the grids
    python scripts/figures --only trainings   # one measurement or grid, no figures
    python scripts/figures --draw          # only the figures, from the tables as they are
    python scripts/figures --fast --out build/figures   # a tiny world, in seconds

The grids use all cores, some 20 minutes on two; each training is kept in runs/figures, so that a
run that was ended goes on where it was. A grid of a data set that was not fetched is left out.

Tables go into the package, where `diagnostics.results(name)` finds them, figures into
docs/figures; with --out both go into that folder.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from time import process_time

import draw
import grids
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
    command = "make figures" + (" FAST=1" if asked.fast else "")
    for measurement in measure.MEASUREMENTS:
        if asked.only not in (None, measurement.__name__):
            continue
        rows, began = defaultdict(list), process_time()
        for table, row in measurement(plan):
            rows[table].append(row)
            if table != "gradients":
                print(" ".join(f"{value:.4g}" if isinstance(value, float) else str(value)
                               for value in row.values()), flush=True)  # fmt: skip
        for table, found in rows.items():
            data = plan.worlds_data if table == "bugs" else plan.data
            tables.write(folder, table, found, command=command, data=data)
        print(f"{measurement.__name__}: {process_time() - began:.0f} s of CPU", flush=True)
    for each in grids.fast(plan) if asked.fast else grids.full():
        if asked.only not in (None, each.table):
            continue
        try:
            rows = grids.run(each, None if asked.fast else grids.STORE)
        except FileNotFoundError as error:
            print(f"{each.table}: left as it is: {error}", flush=True)
        else:
            tables.write(folder, each.table, rows, command=command, data=each.head)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [measurement.__name__ for measurement in measure.MEASUREMENTS]
    names += [each.table for each in grids.full()]
    parser.add_argument("--only", choices=names, help="one measurement or grid, and no figures")
    parser.add_argument("--fast", action="store_true", help="a tiny world, to try the script")
    parser.add_argument("--draw", action="store_true", help="draw only, from stored tables")
    parser.add_argument("--out", type=Path, help="folder for tables and figures")
    asked = parser.parse_args()
    if asked.fast and asked.out is None:
        parser.error("--fast needs --out: its numbers must not replace the stored ones")
    return asked


if __name__ == "__main__":
    main()
