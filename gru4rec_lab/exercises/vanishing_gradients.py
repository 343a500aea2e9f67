"""The exercises of notebook 03: two pulls, what is left of them at the top, and log N."""

import math

import torch
from torch import Tensor

from ..losses import LOSSES
from .check import Cases, Check


def _scores() -> Cases:
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(3, generator=generator)
    negatives = 2 * torch.randn(3, 40, generator=generator)
    return {
        "two rows, two negatives": (
            torch.tensor([1.0, 0.0]),
            torch.tensor([[2.0, -1.0], [0.5, 3.0]]),
        ),
        "three rows of forty": (target, negatives),
    }


def pulls(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    """-dL/dr_i of BPR and of BPR-max, [rows] each."""
    bpr, bpr_max = (-LOSSES[name].gradient(target, negatives)[0] for name in ("bpr", "bpr-max"))
    return bpr, bpr_max


def _turned_round(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    return pulls(-target, -negatives)


def _summed(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    bpr, bpr_max = pulls(target, negatives)
    return bpr * negatives.shape[1], bpr_max


def _weighted_mean(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    beaten = torch.sigmoid(negatives - target[:, None])
    return pulls(target, negatives)[0], (negatives.softmax(dim=1) * beaten).sum(dim=1)


def _top1_max(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    slope = LOSSES["top1-max"].gradient(target, negatives)[0]
    return pulls(target, negatives)[0], -slope


def _without_weights(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    q = torch.sigmoid(negatives - target[:, None])
    return q.mean(dim=1), (q * (1 - q)).sum(dim=1) / (1 - q).sum(dim=1)


def _sum_of_ratios(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    beaten = torch.sigmoid(negatives - target[:, None])
    return pulls(target, negatives)[0], beaten.sum(dim=1)


check_pulls = Check(
    "pulls",
    pulls,
    _scores,
    mistakes={
        "q_j is large where the negative beats the target: sigma(r_j - r_i)": _turned_round,
        "BPR takes the mean of the q_j, not their sum": _summed,
        "that is the weighted mean of the q_j; the sum below the line is not 1": _weighted_mean,
        "the sum below the line is missing": _top1_max,
        "the weights s_j are missing": _without_weights,
        "the pull is minus the gradient, so it is never below 0": lambda target, negatives: tuple(
            -pull for pull in pulls(target, negatives)
        ),
        "sum above and below the line first, then divide": _sum_of_ratios,
    },
    parts=("BPR", "BPR-max"),
)


def _targets() -> Cases:
    # The numbers of targets at the top and at the bottom are odd: every median is the same.
    rank = torch.tensor([0, 1, 2, 3, 5, 6, 7, 12, 25, 30, 40, 60, 80])
    pull = [0.01, 0.06, 0.02, 0.04, 0.09, 0.015, 0.21, 0.25, 0.95, 0.6, 0.5, 0.4, 0.9]
    return {"thirteen targets, 100 negatives": (torch.tensor(pull), rank, 100)}


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
        "you divide by all that are not at the top; take the badly ranked only": (
            lambda pull, rank, n_negatives: pull[rank < 6].median() / pull[rank >= 6].median()
        ),
        "fewer than 6 negatives above means the ranks 0 to 5": (
            lambda pull, rank, n_negatives: (
                pull[rank <= 6].median() / pull[rank >= n_negatives / 4].median()
            )
        ),
        "a target with just a quarter of the negatives above it is ranked badly": (
            lambda pull, rank, n_negatives: (
                pull[rank < 6].median() / pull[rank > n_negatives / 4].median()
            )
        ),
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
        "the hard one is part of the sum below the line, too": lambda gap, n_easy: (
            math.exp(gap) / n_easy
        ),
        "that is the gap beyond log n_easy; a weight lies between 0 and 1": lambda gap, n_easy: (
            gap - math.log(n_easy)
        ),
    },
)
