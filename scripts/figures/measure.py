"""The measurements: each function trains what it needs and yields the rows of its table."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import torch
from plan import SEEDED, VARIANTS, Plan

from gru4rec_lab import evaluate
from gru4rec_lab.diagnostics import (
    gradient_by_rank,
    museum,
    probe_scores,
    rank_summary,
    score_summary,
    seen_by_loss,
)
from gru4rec_lab.recommender import Recommender
from gru4rec_lab.training.observe import at_epochs

Row = dict[str, float | int | str]
Rows = Iterator[tuple[str, Row]]
# With fewer samples, .1 is the better rate for all but BPR.
SMALL = {
    "bpr": VARIANTS["bpr"],
    "bpr + elu + regulariser": VARIANTS["bpr + elu + regulariser"],
    "bpr-max": VARIANTS["bpr-max"] | {"learning_rate": 0.1},
    "cross-entropy": VARIANTS["cross-entropy"] | {"learning_rate": 0.1},
    "cross-entropy, logq": VARIANTS["cross-entropy"] | {"learning_rate": 0.1, "logq": 1.0},
}


def trainings(plan: Plan) -> Rows:
    """The long trainings: rows of "history" (ranks and scores) and "gradients" (against rank)."""
    for name, changes in VARIANTS.items():
        for seed in plan.seeds if name in SEEDED else plan.seeds[:1]:
            config = plan.config.with_changes(n_sample=plan.n_sample, seed=seed, **changes)
            watched = at_epochs(config, plan.training, _observer(plan), plan.epochs)
            for epoch, step, (ranks, model) in watched:
                where = {"model": name, "seed": seed, "epoch": epoch, "step": step}
                negatives = _scores(model, plan, plan.n_sample)[1]
                yield "history", where | ranks | score_summary(negatives)
                if epoch in plan.curve_epochs and seed == plan.seeds[0]:
                    for row in _gradients(model, plan):
                        yield "gradients", where | row


def _observer(plan: Plan):
    return lambda model: (rank_summary(evaluate(model, plan.probe, all_ranks=True)), model)


def _scores(model: Recommender, plan: Plan, n_sample: int) -> tuple[torch.Tensor, torch.Tensor]:
    support = torch.from_numpy(plan.training.support)
    scores = probe_scores(
        model, plan.probe, n_sample=n_sample, sample_alpha=0.5, support=support,
        batch_size=model.config.batch_size, max_targets=2000,
    )  # fmt: skip
    return seen_by_loss(model.config, *scores)


def _gradients(model: Recommender, plan: Plan) -> Iterator[Row]:
    for n_sample in (0, plan.n_sample):
        curves = gradient_by_rank(*_scores(model, plan, n_sample))
        for loss, curve in curves.curves.items():
            badly = curves.badly_ranked[loss]
            for rank, count, pull in zip(curves.rank, curves.count, curve, strict=True):
                if count:
                    yield {
                        "n_sample": n_sample, "loss": loss, "rank": rank, "count": int(count),
                        "pull": pull, "badly_ranked": badly,
                    }  # fmt: skip


def long_runs(plan: Plan) -> Rows:
    """Rows of "long": quality over many epochs; does BPR catch up?"""
    for name in ("bpr", "bpr + elu + regulariser", "bpr-max"):
        yield from _ends(plan, "long", name, {}, plan.long_epochs)


def batch_sizes(plan: Plan) -> Rows:
    """Rows of "batch_size": quality at ends of epochs, other batch sizes, the same samples."""
    for name in ("bpr", "bpr-max"):
        for size in plan.batch_sizes:
            yield from _ends(plan, "batch_size", name, {"batch_size": size}, plan.grid_epochs)


def alphas(plan: Plan) -> Rows:
    """Rows of "sample_alpha": quality with uniform, popular and in-between samples."""
    for name in ("bpr-max", "cross-entropy", "cross-entropy, logq"):
        for n_sample, alpha in product(plan.grid_samples, plan.alphas):
            cell = {"n_sample": n_sample, "sample_alpha": alpha}
            yield from _ends(plan, "sample_alpha", name, cell, plan.grid_epochs)


def _ends(plan: Plan, table: str, name: str, cell: Row, epochs: tuple[float, ...]) -> Rows:
    changes = {"n_sample": max(plan.grid_samples)} | SMALL[name] | cell
    config = plan.config.with_changes(**changes)
    quality = partial(evaluate, sessions=plan.test, all_ranks=True)
    seen = at_epochs(config, plan.small, quality, epochs)
    for epoch, step, found in seen:
        row = {"model": name} | cell | {"epoch": epoch, "step": step} | rank_summary(found)
        yield table, row | {"mrr_20_se": found.standard_error("mrr", 20)}


# All bugs as the config says; a stale reset with 4 sessions side by side, where it lasts; and a
# loss that is divided by N without the regulariser, which is not.
MUSEUM = (
    ({}, None),
    ({"batch_size": 4}, ("stale reset",)),
    ({"bpreg": 0.0}, ("divided by N",)),
)


def bugs(plan: Plan) -> Rows:
    """Rows of "bugs": what each bug of the museum leaves of the quality, world by world."""
    for (world, parts), (changes, names), seed in product(plan.worlds.items(), MUSEUM, plan.seeds):
        config = plan.worlds_config.with_changes(seed=seed, **changes)
        cell = {"world": world, "batch_size": config.batch_size, "bpreg": config.bpreg}
        for name, row in museum(config, *parts, names).iterrows():
            yield "bugs", cell | {"bug": name, "seed": seed} | row.to_dict()


MEASUREMENTS = (trainings, long_runs, batch_sizes, alphas, bugs)
