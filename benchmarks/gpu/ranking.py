"""Evaluation on a GPU: ours and the official `batch_eval`, from the clicks, on the same weights."""

from collections.abc import Callable
from functools import partial

from ..evaluation import HOW, metrics, trained
from ..official import OfficialModel
from ..official_adapter import model_of
from ..training import repeat
from .bench import Bench, Race
from .epoch import words

HEAD = ("units", "items", "targets", "seconds", "x official", "Recall@20, MRR@20", "official")
SECONDS = 25


def rows(bench: Bench) -> dict[str, Callable[[], tuple[str, ...]]]:
    """A row for the units of case a and one for those of f."""
    cases = {case: bench.settings(case)["layers"] for case in "af"}
    return {
        f"{layers[0]}, case {case}": partial(measure, bench, layers)
        for case, layers in cases.items()
    }


def measure(bench: Bench, layers: list[int]) -> tuple[str, ...]:
    """The row of one size."""
    training, test = bench.frames
    settings, sides = HOW | {"layers": layers}, {}
    settings["batch_size"] = min(settings["batch_size"], bench.sizes.most_rows)
    theirs = "-"
    if bench.official:
        official = OfficialModel(bench.official, training, settings, bench.device)
        ours = model_of(settings, official.weights, official.item_ids, device=bench.device)
        sides["official"] = lambda: partial(repeat, partial(official.evaluate, test))
        theirs = words(official.evaluate(test))
    else:
        ours = trained(training, settings, device=bench.device, step=bench.step)
    sides["ours"] = lambda: partial(repeat, partial(metrics, ours, test))
    race = Race(bench, sides)
    return (
        f"{len(ours.item_ids):,}",
        f"{len(test) - test.SessionId.nunique():,}",
        race.cell(lambda: f"{float(race.milliseconds('ours')) / 1000:.3f}", "ours"),
        race.times_faster("official", "ours"),
        words(metrics(ours, test)),
        theirs,
    )
