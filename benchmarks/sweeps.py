"""What a sweep on two processes costs beside its trainings, in wall time, and what it leaves.

    python -m benchmarks.sweeps [--quick]

On a machine that others use too, look at the load beside the numbers.
"""

import argparse
import os
import threading
import time
from collections.abc import Iterator

import psutil

from gru4rec_lab import Config, grid, load_sessions
from gru4rec_lab.sweeps.sweep import Sweep

HEAD = ("what", "measured", "aim")
# Steps of these settings take about a tenth of a millisecond.
SMALL = Config(layers=(32,), loss="bpr-max", n_sample=128, batch_size=32, n_epochs=1, device="cpu")
WORKERS = 2


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row a claim."""
    quick = arguments.quick
    split = load_sessions("world:cycle", n_sessions=400, n_items=200).split_last(fraction=0.1)
    of_a_second = SMALL.with_changes(n_epochs=epochs_of(split, 0.1 if quick else 1.0))
    small = SMALL.with_changes(n_epochs=epochs_of(split, 0.1 if quick else 0.5))
    processes = {"backend": "loky", "n_jobs": WORKERS}
    seconds_of(grid(SMALL, seed=range(4)), split, **processes)  # start and warm the processes
    yield "12 trials of a second, 2 workers, x ideal", *against_ideal(of_a_second, split), "1.15"
    n_trials = 20 if quick else 100
    wall, inside = seconds_of(grid(SMALL, n_epochs=0, seed=range(n_trials)), split, **processes)
    overhead = 1000 * (wall - inside / WORKERS) / n_trials
    yield "overhead of a trial beside its own work, ms", f"{overhead:.1f}", "50"
    yield "cancel with two trials under way, s", f"{cancel(split, **processes):.2f}", "1"
    seeds = range(6 if quick else 60)
    seconds_of(grid(SMALL, seed=range(4)), split, **processes)
    one, _ = seconds_of(grid(small, seed=seeds), split)
    two, _ = seconds_of(grid(small, seed=seeds), split, **processes)
    yield f"{len(seeds)} small trainings, x faster than one core", f"{one / two:.2f}", "1.8"
    for clicks, held in memory(10_000 if quick else 1_000_000):
        bytes_of_a_click = 1e6 * held / clicks if clicks > 10_000 else 0
        found = f"{held:.0f} ({bytes_of_a_click:.0f} bytes a click)"
        yield f"most memory of a worker's own, {clicks:,} clicks, MB beyond few", found, "-"


def epochs_of(split, seconds: float) -> int:
    """Epochs of `SMALL` that take about that long."""
    _, warm = seconds_of([SMALL], split)
    _, taken = seconds_of([SMALL.with_changes(n_epochs=5)], split)
    return max(1, round(5 * seconds / taken))


def seconds_of(trials, split, **how) -> tuple[float, float]:
    """Wall seconds of a sweep, and those that its trials say they took, added up."""
    began = time.perf_counter()
    found = list(Sweep(trials, *split, **how))
    wall = time.perf_counter() - began
    assert not [row["error"] for row in found if row["error"]]
    return wall, sum(row["seconds"] + row["evaluation_seconds"] for row in found)


def against_ideal(config: Config, split) -> tuple[str]:
    """Wall seconds of 12 trials over what they took themselves, shared by two."""
    wall, inside = seconds_of(grid(config, seed=range(12)), split, backend="loky", n_jobs=WORKERS)
    return (f"{wall / (inside / WORKERS):.2f} ({wall:.1f} s)",)


def cancel(split, **how) -> float:
    """Seconds from the call to the end of the loop."""
    endless = grid(SMALL, n_epochs=1_000_000, seed=[0, 1])
    under_way = Sweep([SMALL, *endless], *split, **how)
    ended = threading.Event()
    thread = threading.Thread(target=lambda: [ended.set() for _ in under_way])
    thread.start()
    ended.wait()
    time.sleep(1)
    began = time.perf_counter()
    under_way.cancel()
    thread.join()
    return time.perf_counter() - began


def memory(n_sessions: int) -> Iterator[tuple[int, float]]:
    """Clicks, and megabytes that a worker holds for itself alone at most, beyond those of a few."""
    few = None
    for count in (100, n_sessions // 10, n_sessions):
        sessions = load_sessions("world:cycle", n_sessions=count + 20, n_items=200)
        split = sessions.split_last(fraction=0.01 if count > 1000 else 0.1)
        trials = grid(SMALL, n_epochs=0, seed=[0, 1])
        thread = threading.Thread(
            target=seconds_of, args=(trials, split), kwargs={"backend": "loky", "n_jobs": WORKERS}
        )
        thread.start()
        most = 0.0
        while thread.is_alive():
            most = max([most, *own_megabytes()])
            time.sleep(0.02)
        few = few or most
        yield split[0].n_clicks, most - few


def own_megabytes() -> Iterator[float]:
    """What each worker holds that no other process shares."""
    for child in psutil.Process().children(recursive=True):
        if "LokyProcess" in " ".join(child.cmdline()):
            yield child.memory_full_info().uss / 1e6


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a trial of the benchmark itself")
    print(f"{psutil.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    print(" | ".join(HEAD))
    for row in rows(parser.parse_args(arguments)):
        print(" | ".join(row), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
