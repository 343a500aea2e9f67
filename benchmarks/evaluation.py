"""Evaluation: ours against all scores at once, the products alone and the official `batch_eval`.

    python -m benchmarks.evaluation [--official PATH]

Recall@20 and MRR@20 over the whole catalogue, conservative ties; each side starts from the clicks.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
import torch

from gru4rec_lab import Recommender, Sessions, evaluate, fit

from . import clicks
from .cases import CASES, options
from .official import OfficialModel
from .official_adapter import config_of, model_of
from .paired import milliseconds, paired, ratio

HEAD = ("units", "seconds", "x all scores", "x products", "x official", "Recall@20, MRR@20")
N_TRAINING, N_SESSIONS = 300_000, 1_500
# One epoch without samples, on both sides.
HOW = {"loss": "cross-entropy", "learning_rate": 0.1, "batch_size": 512, "n_sample": 0}


class AllScores:
    """A model that does not say what its scores are products of."""

    def __init__(self, model: Recommender):
        self.item_ids, self.start = model.item_ids, model.start
        self.advance, self.scores = model.advance, model.scores


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row for 100 units and one for 224."""
    training, test = clicks.split_last_day(clicks.make_clicks(n_clicks=arguments.clicks))
    for case in "ab":
        yield measure(case, training[:N_TRAINING], test, arguments)


def measure(case: str, training: pd.DataFrame, test: pd.DataFrame, arguments) -> tuple[str, ...]:
    """The row of one size."""
    settings = HOW | {"layers": CASES[case]["layers"]}
    known = test[test.ItemId.isin(training.ItemId.unique())]
    known = known[known.groupby("SessionId").ItemId.transform("size") > 1]
    known = known[known.SessionId.isin(known.SessionId.unique()[:N_SESSIONS])]
    sides = {}
    if arguments.official:
        theirs = OfficialModel(arguments.official, training, settings)
        sides["official"] = partial(theirs.evaluate, known)
        model = model_of(settings, theirs.weights, theirs.item_ids)
    else:
        model = trained(training, settings)
    sides |= {
        "ours": partial(metrics, model, known),
        "all scores": partial(metrics, AllScores(model), known),
        "products": products(model, len(known) - known.SessionId.nunique()),
    }
    times = paired(sides, arguments.rounds)
    official = ratio(times, "official", "ours") if arguments.official else "-"
    recall, mrr = metrics(model, known)
    return (
        str(settings["layers"][0]),
        f"{milliseconds(times['ours']) / 1000:.3f}",
        str(ratio(times, "all scores", "ours")),
        str(ratio(times, "products", "ours")),
        str(official),
        f"{recall:.4f}, {mrr:.4f}",
    )


def trained(training: pd.DataFrame, settings, **ours) -> Recommender:
    """A model after one epoch, as the official one is trained here."""
    config = config_of(settings, n_epochs=1, **ours)
    return fit(config, Sessions.from_frame(training), progress=False)


def metrics(model, test: pd.DataFrame) -> tuple[float, float]:
    """Recall@20 and MRR@20."""
    result = evaluate(model, Sessions.from_frame(test), k=20)
    return result.recall[20], result.mrr[20]


def products(model: Recommender, n_targets: int) -> Callable[[], None]:
    """The scores of all items for all targets, 512 rows at a time, and nothing else."""
    items = model.network.items.detach()
    queries = torch.randn(n_targets, items.shape[1])

    def run() -> None:
        for part in queries.split(512):
            torch.mm(part, items.T)

    return run


if __name__ == "__main__":
    print(" | ".join(HEAD))
    for row in rows(options(__doc__).parse_args()):
        print(" | ".join(row), flush=True)
