"""The exercises of notebook 03: how many negatives count, and what pull is left at the top."""

import math

import torch
from torch import Tensor

from .check import Cases, Check


def _rows() -> Cases:
    scores = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))
    lone = torch.zeros(1, 4)
    lone[0, 0] = 200.0  # the other weights underflow to 0
    return {
        "four equal scores": (torch.zeros(1, 4),),
        "one score far above": (lone,),
        "three rows of forty": (2 * scores,),
    }


def _effective(negatives: Tensor) -> Tensor:
    return _entropy(negatives).exp()


def _entropy(negatives: Tensor) -> Tensor:
    log_weight = negatives.log_softmax(dim=1)
    return -(log_weight.exp() * log_weight).sum(dim=1)


def _inverse_square(negatives: Tensor) -> Tensor:
    return 1 / negatives.softmax(dim=1).square().sum(dim=1)


check_effective = Check(
    "effective negatives",
    _effective,
    _rows,
    mistakes={
        "that is the entropy; its exp is a number of negatives": _entropy,
        "that is 1 / sum of s_j squared, another count; take exp of the entropy": _inverse_square,
    },
)


def _targets() -> Cases:
    rank = torch.tensor([0, 2, 5, 6, 40, 60, 80, 24, 12])
    pull = torch.tensor([0.01, 0.02, 0.09, 0.2, 0.5, 0.4, 0.9, 0.3, 0.25])
    return {"nine targets, 100 negatives": (pull, rank, 100)}


def _kept(pull: Tensor, rank: Tensor, n_negatives: int) -> Tensor:
    return pull[rank < 6].median() / pull[rank >= n_negatives / 4].median()


def _kept_of_means(pull: Tensor, rank: Tensor, n_negatives: int) -> Tensor:
    return pull[rank < 6].mean() / pull[rank >= n_negatives / 4].mean()


def _kept_upside_down(pull: Tensor, rank: Tensor, n_negatives: int) -> Tensor:
    return 1 / _kept(pull, rank, n_negatives)


def _kept_of_all(pull: Tensor, rank: Tensor, n_negatives: int) -> Tensor:
    return pull[rank < 6].median() / pull.median()


check_kept = Check(
    "share kept",
    _kept,
    _targets,
    mistakes={
        "those are means; a few large pulls decide them, so take medians": _kept_of_means,
        "that is the other way round; divide by the badly ranked": _kept_upside_down,
        "you divide by the median of all targets; take the badly ranked only": _kept_of_all,
    },
)


def _lone_cases() -> Cases:
    return {
        "one easy negative, no gap": (0.0, 1),
        "gap 3.5, 2047 easy ones": (3.5, 2047),
        "gap 9, 2047 easy ones": (9.0, 2047),
    }


def _hard_weight(gap: float, n_easy: int) -> float:
    return 1 / (1 + n_easy * math.exp(-gap))


def _against_one(gap: float, n_easy: int) -> float:
    return 1 / (1 + math.exp(-gap))


def _easy_weight(gap: float, n_easy: int) -> float:
    return 1 - _hard_weight(gap, n_easy)


def _gap_upside_down(gap: float, n_easy: int) -> float:
    return 1 / (1 + n_easy * math.exp(gap))


check_hard_weight = Check(
    "weight of a hard negative",
    _hard_weight,
    _lone_cases,
    mistakes={
        "that is against one easy negative; there are n_easy of them": _against_one,
        "that is the weight of the easy ones together": _easy_weight,
        "the easy ones lie gap below the hard one, not above": _gap_upside_down,
    },
)
