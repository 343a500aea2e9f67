"""A model's state in a handful of numbers: where the targets stand, how its scores spread."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..config import Config
from ..evaluation import Evaluation
from ..losses import LOSSES, elu
from ..training.controls import Settings
from .gradients import EDGES, GradientByRank
from .weights import effective_negatives, top_share

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "targets negatives"]


def bent(negatives: Negatives, elu_param: float) -> Negatives:
    """The scores after ELU; absent ones, at -inf, stay absent."""
    return elu(negatives, elu_param).masked_fill(negatives.isneginf(), -torch.inf)


def seen_by_loss(
    config: Config, target: Target, negatives: Negatives, *, settings: Settings | None = None
) -> tuple[Target, Negatives]:
    """Linear scores as the loss sees them in training: after ELU where it acts.

    `settings` are those in force; of `config`, if None.
    """
    settings = settings or Settings.of(config)
    if not (LOSSES[settings.loss].shapes_scores or config.shape_scores == "all"):
        return target, negatives
    return elu(target, settings.elu_param), bent(negatives, settings.elu_param)


def rank_summary(evaluation: Evaluation) -> dict[str, float]:
    """Share of targets in first place and among the first 6 and 20, their median rank, MRR@20.

    Keys: first, first_six, recall_20, median_rank (1 = best), mrr_20.

    Raises:
        ValueError: the median lies beyond the ranks that were counted out.
    """
    ranks = evaluation.ranks
    if np.isinf(np.median(ranks)):
        raise ValueError(
            f"the median rank lies beyond {evaluation.limit:.0f}; evaluate with all_ranks=True"
        )
    return {
        "first": float((ranks <= 1).mean()),
        "first_six": float((ranks <= 6).mean()),
        "recall_20": float((ranks <= 20).mean()),
        "median_rank": float(np.median(ranks)),
        "mrr_20": float(np.where(ranks <= 20, 1 / ranks, 0).mean()),
    }


def score_summary(negatives: Negatives) -> dict[str, float]:
    """How the scores of the negatives spread and how many of them carry the softmax weight.

    Keys: negatives (how many a row has at most), spread (median over rows of their standard
    deviation), effective (negatives), top_5 (share of the weight on the 5 best). Absent negatives,
    at -inf, do not count; each row has one that is not.
    """
    negatives = negatives.cpu()  # MPS has no float64
    present = negatives > -torch.inf
    if present.all():
        spread = negatives.double().std(dim=1, correction=0)
    else:
        scores = negatives.double().where(present, torch.nan)
        from_mean = scores - scores.nanmean(dim=1, keepdim=True)
        spread = from_mean.square().nanmean(dim=1).sqrt()
    return {
        "negatives": int(present.sum(dim=1).max()),
        "spread": float(torch.quantile(spread, 0.5)),
        "effective": effective_negatives(negatives),
        "top_5": top_share(negatives, 5),
    }


def kept_share(
    curves: GradientByRank, loss: str, ranks: Iterable[int] = EDGES[:-1]
) -> dict[int, float]:
    """Share of the gradient of badly ranked targets that targets of these ranks still get.

    For each rank the bin that holds it; NaN where no target fell into it.
    """
    shares = curves.relative().curves[loss]
    bins = np.searchsorted(EDGES, list(ranks), side="right") - 1
    return {int(rank): float(shares[k]) for rank, k in zip(ranks, bins, strict=True)}
