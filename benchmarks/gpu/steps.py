"""Training steps of each case: ours, plain and official on the GPU, ours on the CPU, products.

The matrix products run in a graph, so that nothing but them takes time.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from ..cases import WORDS, matrix_products
from ..paired import ratio
from ..training import repeat
from .bench import Bench, Race

HEAD = ("case", "step", "ms a step", "x official", "x plain step", "of matrix products",
        "x CPU step", "compiled, x ours", "MB, ours", "MB, official")  # fmt: skip
SECONDS = 40  # that a row may take


def rows(bench: Bench) -> dict[str, Callable[[], tuple[str, ...]]]:
    """A row a case."""
    return {f"{case}: {WORDS[case]}": partial(measure, bench, case) for case in bench.cases}


def measure(bench: Bench, case: str) -> tuple[str, ...]:
    """The row of one case."""
    settings = bench.settings(case)
    makers = {
        "ours": lambda: bench.ours(settings),
        "plain": lambda: bench.ours(settings, step="plain"),
        "products": lambda: partial(repeat, products(bench, settings)),
        "cpu": lambda: bench.ours(settings, step="auto", device="cpu"),
    }
    if bench.cuda:
        makers["compiled"] = lambda: bench.ours(settings, step="compiled")
    if bench.official:
        makers["official"] = lambda: bench.theirs(settings)
    race = Race(bench, makers)
    try:
        share = lambda: f"{ratio(race.times, 'products', 'ours').median:.0%}"  # noqa: E731
        return (
            race.cell(lambda: race.sides["ours"].started.step, "ours"),
            race.milliseconds("ours"),
            race.times_faster("official", "ours"),
            race.times_faster("plain", "ours"),
            race.cell(share, "products", "ours"),
            race.times_faster("cpu", "ours"),
            race.times_faster("ours", "compiled"),
            race.megabytes.get("ours", "-"),
            race.megabytes.get("official", "-"),
        )
    finally:
        race.close()


def products(bench: Bench, settings: Mapping[str, Any]) -> Callable[[], None]:
    """The matrix products of a step, captured in a CUDA graph; as they are on a CPU."""
    work = matrix_products(settings, bench.device)
    if not bench.cuda:
        return work
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        work()  # what cuBLAS sets up once cannot be captured
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    # Other threads may do as they like meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        work()
    # The graph reads the tensors of `work`, but does not keep them.
    return lambda kept=work: graph.replay()
