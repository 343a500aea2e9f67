"""One epoch of generated clicks, end to end: reading, training, evaluation; ours and official.

Once each, after parts that have loaded and compiled all that they need.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any

from gru4rec_lab import Sessions, evaluate, fit

from ..cases import WORDS
from ..official import OfficialModel
from ..official_adapter import config_of
from .bench import Bench

HEAD = ("case, at batch 128", "seconds", "official", "x official", "Recall@20, MRR@20", "official")
SECONDS = 50
BATCH = 128
Metrics = tuple[float, float]


def rows(bench: Bench) -> dict[str, Callable[[], tuple[str, ...]]]:
    """A row for cross-entropy and one for BPR-max."""
    return {f"{case}: {WORDS[case]}": partial(measure, bench, case) for case in "ab"}


def measure(bench: Bench, case: str) -> tuple[str, ...]:
    """The row of one case."""
    settings = bench.settings(case)
    settings["batch_size"] = min(BATCH, bench.sizes.most_rows)
    seconds, metrics = timed(bench, partial(ours, bench, settings))
    if not bench.official:
        return f"{seconds:.1f}", "-", "-", words(metrics), "-"
    their_seconds, theirs = timed(bench, partial(official, bench, settings))
    factor = f"{their_seconds / seconds:.2f}x"
    return f"{seconds:.1f}", f"{their_seconds:.1f}", factor, words(metrics), words(theirs)


def timed(bench: Bench, side: Callable[[], Metrics]) -> tuple[float, Metrics]:
    """Seconds, and what came out."""
    began = perf_counter()
    metrics = side()
    bench.wait()
    return perf_counter() - began, metrics


def ours(bench: Bench, settings: Mapping[str, Any]) -> Metrics:
    """Recall@20 and MRR@20 of this library."""
    training, test = bench.frames
    config = config_of(settings, n_epochs=1, device=bench.device, step=bench.step)
    model = fit(config, Sessions.from_frame(training), progress=False)
    result = evaluate(model, Sessions.from_frame(test), k=20)
    return result.recall[20], result.mrr[20]


def official(bench: Bench, settings: Mapping[str, Any]) -> Metrics:
    """Recall@20 and MRR@20 of the official code."""
    training, test = bench.frames
    return OfficialModel(bench.official, training, settings, bench.device).evaluate(test)


def words(metrics: Metrics) -> str:
    """Both of them."""
    return f"{metrics[0]:.4f}, {metrics[1]:.4f}"
