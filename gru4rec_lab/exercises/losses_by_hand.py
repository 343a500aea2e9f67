"""The exercises of notebook 02: losses, written by hand."""

import torch

from ..losses import LOSSES
from .check import Cases, Check


def _scores() -> Cases:
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(4, generator=generator)
    negatives = torch.randn(4, 7, generator=generator)
    return {
        "one negative": (torch.tensor([2.0, 0.0]), torch.tensor([[1.0], [3.0]])),
        "four rows, seven negatives": (target, 2 * negatives),
    }


def _sum(target, negatives):
    return LOSSES["bpr"](target, negatives) * negatives.shape[1]


def _upside_down(target, negatives):
    return LOSSES["bpr"](-target, -negatives)


check_bpr = Check(
    "bpr",
    LOSSES["bpr"],
    _scores,
    mistakes={
        "that is the sum over the negatives; take the mean": _sum,
        "that is high where the target leads; it is r_i - r_j in the sigma": _upside_down,
    },
)
