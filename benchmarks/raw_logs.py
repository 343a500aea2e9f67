"""From the raw file of a public set, and from Parquet parts, to sessions to train on.

    python -m benchmarks.raw_logs [--clicks N] [--write]

The file is made in the form of yoochoose-clicks.dat: no header, sessions together but not in time
order, and in one session of a hundred two rows the wrong way round; the parts hold the same rows, a
million each. Each step is measured in a process of its own; memory is the most that it held, files
that are mapped included, 0.3 GiB of it libraries. It needs Linux.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from gru4rec_lab import Sessions, load_sessions
from gru4rec_lab.data.recipes import RECIPES, Recipe, load_recipe

from . import clicks, results

TITLE = "Raw files"
HEAD = ("what", "clicks", "CPU seconds", "by the clock", "peak GiB")
BLOCK = 1_000_000
FIRST_DAY = 1_396_310_400  # 1 April 2014
PARTS = "parts"


def sampled(recipe: Recipe) -> Sessions:
    """The sessions that lessons train on."""
    past, _ = load_recipe(recipe).filtered().split_last(**recipe.split)
    return past.most_recent(recipe.recent)


STEPS = {
    "prepare the raw file": lambda recipe: load_recipe(recipe),
    "load it prepared": lambda recipe: load_recipe(recipe),
    "filter, split, sample it": sampled,
    "read Parquet parts": lambda recipe: load_sessions(recipe.path.parent / PARTS),
}


def write_raw(path: Path, n_clicks: int) -> None:
    """A file of about `n_clicks` clicks in the form of yoochoose-clicks.dat; beside it as parts.

    One block is made and repeated under other session numbers, since only its size matters here.
    """
    log = clicks.make_clicks(n_clicks=min(BLOCK, n_clicks))
    moment = ((log["Time"] + FIRST_DAY) * 1000).astype("int64").to_numpy().astype("M8[ms]")
    late = np.flatnonzero((log["SessionId"] % 100 == 0) & ~log["SessionId"].duplicated())
    order = np.arange(len(log))
    order[late], order[late + 1] = late + 1, late
    log = log.assign(Time=moment).iloc[order]
    columns = {
        "SessionId": log["SessionId"].astype(str).str.zfill(7),
        "Time": np.datetime_as_string(log["Time"], timezone="UTC"),
        "ItemId": log["ItemId"],
        "category": 0,
    }
    lines = pd.DataFrame(columns).to_csv(header=False, index=False).encode()
    folder = path.parent / PARTS
    folder.mkdir(parents=True)
    with path.open("wb") as file:
        for block in range(1, round(n_clicks / len(log)) + 1):
            before = str(block).encode()
            file.write(before + lines[:-1].replace(b"\n", b"\n" + before) + b"\n")
            part = log.assign(SessionId=log["SessionId"] + block * 10**7)
            part.to_parquet(folder / f"part-{block:05}.parquet", index=False)


def rows(n_clicks: int) -> Iterator[tuple[str, ...]]:
    """A row for each of `STEPS`, in a new folder."""
    with TemporaryDirectory() as folder:
        write_raw(Path(folder) / "downloads" / RECIPES["yoochoose"].file, n_clicks)
        environment = os.environ | {"GRU4REC_LAB_CACHE": folder}
        for name in STEPS:
            command = [sys.executable, "-m", "benchmarks.raw_logs", "--step", name]
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            count, *measured = done.stdout.split()
            yield name, f"{int(count):,}", *measured


def step(name: str) -> None:
    """Do one of `STEPS`; print clicks, seconds and the most GiB held (Linux)."""
    # The counts are those of the publisher's file.
    counts = dict.fromkeys(("n_rows", "n_clicks", "n_sessions", "n_items"))
    recipe = replace(RECIPES["yoochoose"], **counts)
    start, busy = time.perf_counter(), time.process_time()
    count = STEPS[name](recipe).n_clicks
    busy, seconds = time.process_time() - busy, time.perf_counter() - start
    # Not getrusage: its peak begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 2**20
    print(count, f"{busy:.1f} {seconds:.1f} {peak:.2f}")


def main() -> None:
    """Measure and print, or do one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=3_300_000, help="size of the file")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        step(chosen.step)
    else:
        table = results.table(HEAD, rows(chosen.clicks))
        if chosen.write:
            results.write(results.read() | {TITLE: table})


if __name__ == "__main__":
    main()
