"""Answers of a trained model: how long a click and its ten recommendations take, and many sessions.

    OMP_NUM_THREADS=1 python -m benchmarks.answers [--write]

On one core: a catalogue of 40,000 items, 100 and 224 units, weights as they were drawn, since the
time depends on sizes alone. A click is `visit.click` and `visit.top(10, exclude_seen=True)`.
"""

import argparse
from collections.abc import Iterator
from time import perf_counter, thread_time

import numpy as np
import torch

from gru4rec_lab import Config, Recommender, Sessions, network_of, recommend

from . import results

TITLE = "Answers"
HEAD = (
    "units", "CPU ms a click: median", "p95", "p99", "of matrix products", "by the clock: p99",
    "sessions a CPU second",
)  # fmt: skip
N_ITEMS, N_VISITS, LENGTH, N_SESSIONS = 40_000, 200, 10, 20_000


def rows(_arguments: argparse.Namespace | None = None) -> Iterator[tuple[str, ...]]:
    """A row a number of units."""
    for units in (100, 224):
        config = Config(layers=(units,), device="cpu")
        network = network_of(config, N_ITEMS, torch.Generator().manual_seed(0))
        model = Recommender(network, np.arange(N_ITEMS), config)
        wall, cpu = clicks(model)
        median, *high = (f"{1000 * each:.2f}" for each in np.percentile(cpu, [50, 95, 99]))
        share = f"{product(model) / np.median(cpu):.0%}"
        late = f"{1000 * np.percentile(wall, 99):.2f}"
        yield str(units), median, *high, share, late, f"{throughput(model):,.0f}"


def clicks(model: Recommender) -> np.ndarray:
    """[2, clicks] seconds and CPU seconds of each click with its answer."""
    items, taken = np.random.default_rng(0).integers(0, N_ITEMS, (N_VISITS, LENGTH)).tolist(), []
    for session in items:
        visit = model.session()
        for item in session:
            began = perf_counter(), thread_time()
            visit.click(item)
            visit.top(10, exclude_seen=True)
            taken.append((perf_counter() - began[0], thread_time() - began[1]))
    return np.array(taken[LENGTH:]).T  # the first session warms up


@torch.no_grad()
def product(model: Recommender) -> float:
    """CPU seconds of the product that scores all items: what no answer can go below."""
    _, items, bias = model.factors(model.start(1))
    query, taken = torch.rand(items.shape[1]), []
    for _ in range(N_VISITS):
        began = thread_time()
        torch.addmv(bias[:, 0], items, query)
        taken.append(thread_time() - began)
    return float(np.median(taken))


def throughput(model: Recommender) -> float:
    """Sessions of five clicks that `recommend` answers in a second of CPU time."""
    items = np.random.default_rng(1).integers(0, N_ITEMS, 5 * N_SESSIONS)
    sessions = Sessions(
        items=items,
        times=np.zeros(len(items)),
        offsets=np.arange(0, len(items) + 1, 5),
        item_ids=model.item_ids,
        session_ids=np.arange(N_SESSIONS),
    )
    began = thread_time()
    recommend(model, sessions)
    return N_SESSIONS / (thread_time() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    chosen = parser.parse_args()
    table = results.table(HEAD, rows())
    if chosen.write:
        results.write(results.read() | {TITLE: table})


if __name__ == "__main__":
    main()
