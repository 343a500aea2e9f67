"""The exercises of notebook 02: losses, a gradient and the weights, written by hand."""

import torch
from torch import Tensor

from ..diagnostics import effective_negatives
from ..losses import LOSSES
from .check import Cases, Check


def _chance(target: Tensor, negatives: Tensor) -> Tensor:
    return torch.sigmoid(target[:, None] - negatives)


def _scores() -> Cases:
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(4, generator=generator)
    negatives = torch.randn(4, 7, generator=generator)
    return {
        "one negative": (torch.tensor([2.0, 0.0]), torch.tensor([[1.0], [3.0]])),
        "four rows, seven negatives": (target, 2 * negatives),
    }


check_bpr = Check(
    "bpr",
    LOSSES["bpr"],
    _scores,
    mistakes={
        "that is the sum over the negatives; take the mean": lambda target, negatives: (
            LOSSES["bpr"](target, negatives) * negatives.shape[1]
        ),
        "that is large where the target leads; it is r_i - r_j in the sigma": (
            lambda target, negatives: LOSSES["bpr"](-target, -negatives)
        ),
        "the minus before the log is missing": lambda target, negatives: (
            -LOSSES["bpr"](target, negatives)
        ),
        "that is the log of the mean; take the logs first, then their mean": (
            lambda target, negatives: -_chance(target, negatives).mean(dim=1).log()
        ),
        "the log is missing": lambda target, negatives: -_chance(target, negatives).mean(dim=1),
        "target[:, None] is a column; without it a negative meets the targets of all rows": (
            lambda target, negatives: -torch.sigmoid(target - negatives[:, :1]).log().mean(dim=1)
        ),
    },
)


def _log_inside(target: Tensor, negatives: Tensor) -> Tensor:
    return -(negatives.softmax(dim=1) * _chance(target, negatives).log()).sum(dim=1)


def _target_in_softmax(target: Tensor, negatives: Tensor) -> Tensor:
    weight = torch.cat([target[:, None], negatives], dim=1).softmax(dim=1)[:, 1:]
    return -(weight * _chance(target, negatives)).sum(dim=1).log()


def _mean_of_weighted(target: Tensor, negatives: Tensor) -> Tensor:
    return -(negatives.softmax(dim=1) * _chance(target, negatives)).mean(dim=1).log()


def _softmax_over_rows(target: Tensor, negatives: Tensor) -> Tensor:
    return -(negatives.softmax(dim=0) * _chance(target, negatives)).sum(dim=1).log()


def _turned_round(target: Tensor, negatives: Tensor) -> Tensor:
    return -(negatives.softmax(dim=1) * _chance(-target, -negatives)).sum(dim=1).log()


check_bpr_max = Check(
    "bpr_max",
    LOSSES["bpr-max"],
    _scores,
    mistakes={
        "the log goes outside the sum": _log_inside,
        "the softmax is over the negatives alone, without the target": _target_in_softmax,
        "the weights sum to 1 already; take the sum, not the mean": _mean_of_weighted,
        "the softmax goes along a row, dim=1": _softmax_over_rows,
        "that weighs all negatives alike; weigh them by s_j": lambda target, negatives: (
            -_chance(target, negatives).mean(dim=1).log()
        ),
        "that is plain BPR: weights s_j, and the log outside": LOSSES["bpr"].value,
        "that is large where the target leads; it is r_i - r_j in the sigma": _turned_round,
        "the minus before the log is missing": lambda target, negatives: (
            -LOSSES["bpr-max"](target, negatives)
        ),
        "the log is missing": lambda target, negatives: (
            -(negatives.softmax(dim=1) * _chance(target, negatives)).sum(dim=1)
        ),
    },
)


def top1_slope(target: Tensor, negatives: Tensor) -> Tensor:
    """[B] dL/dr_i of TOP1: minus the mean of q (1 - q), with q = sigma(r_j - r_i)."""
    return LOSSES["top1"].gradient(target, negatives)[0]


def _with_second_term(target: Tensor, negatives: Tensor) -> Tensor:
    chance = torch.sigmoid(negatives.square())
    return top1_slope(target, negatives) + (2 * negatives * chance * (1 - chance)).mean(dim=1)


def _slope_of_mean(target: Tensor, negatives: Tensor) -> Tensor:
    q = 1 - _chance(target, negatives).mean(dim=1)
    return -q * (1 - q)


check_top1_slope = Check(
    "top1_slope",
    top1_slope,
    _scores,
    mistakes={
        "the sign: a higher target lowers the loss": lambda target, negatives: (
            -top1_slope(target, negatives)
        ),
        "that is BPR's; the slope of a sigma is q (1 - q)": lambda target, negatives: LOSSES[
            "bpr"
        ].gradient(target, negatives)[0],
        "take the mean over the negatives": lambda target, negatives: (
            top1_slope(target, negatives) * negatives.shape[1]
        ),
        "that is TOP1-max's; TOP1 takes a plain mean": lambda target, negatives: LOSSES[
            "top1-max"
        ].gradient(target, negatives)[0],
        "the second term does not hold r_i": _with_second_term,
        "take q (1 - q) of each negative first, then the mean": _slope_of_mean,
        "that is the loss; its slope is asked for": LOSSES["top1"].value,
    },
)


def _spreads() -> Cases:
    generator = torch.Generator().manual_seed(2)
    draws = torch.randn(3, 50, generator=generator)
    return {
        "ten equal negatives": (torch.zeros(1, 10),),
        "three rows of narrow scores": (draws,),
        "three rows of wide scores": (4 * draws,),
        "one negative far ahead": (torch.tensor([[0.0, 300.0, 10.0]]),),
    }


def effective(negatives: Tensor) -> Tensor:
    """[B] exp of the entropy of the softmax weights: how many negatives really count."""
    return torch.tensor([effective_negatives(row[None]) for row in negatives])


def _entropy_of(weight: Tensor) -> Tensor:
    return -(weight * weight.log()).sum(dim=1)


check_effective = Check(
    "effective",
    effective,
    _spreads,
    mistakes={
        "that is the entropy itself; take its exp": lambda negatives: effective(negatives).log(),
        "that is 1 / effective; entropy has a minus": lambda negatives: 1 / effective(negatives),
        "that is 1 / sum of the squared weights, another way to count; take the entropy": (
            lambda negatives: 1 / negatives.softmax(dim=1).square().sum(dim=1)
        ),
        "the entropy is a sum over the negatives, not a mean": lambda negatives: (
            effective(negatives) ** (1 / negatives.shape[1])
        ),
        "0 times the log of 0 is NaN: take log_softmax": lambda negatives: _entropy_of(
            negatives.softmax(dim=1)
        ).exp(),
    },
)
