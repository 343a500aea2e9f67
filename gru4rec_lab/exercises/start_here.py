"""The exercises of notebook 00: the two numbers by which a ranking is judged."""

import torch

from .check import Cases, Check


def _ranks() -> Cases:
    return {
        "first, third, beyond": (torch.tensor([1, 3, 50]), 20),
        "a rank of exactly k": (torch.tensor([5, 6, 1, 5]), 5),
        "all beyond k": (torch.tensor([30, 40]), 20),
    }


def recall(ranks: torch.Tensor, k: int) -> torch.Tensor:
    """Recall@k: the share of ranks, counted from 1, that are k or better."""
    return (ranks <= k).double().mean()


def mrr(ranks: torch.Tensor, k: int) -> torch.Tensor:
    """MRR@k: the mean of 1 / rank, where a rank beyond k counts as 0."""
    return (1 / ranks.double()).where(ranks <= k, 0).mean()


check_recall = Check(
    "recall",
    recall,
    _ranks,
    mistakes={
        "a rank of exactly k counts: ranks start at 1": lambda ranks, k: recall(ranks, k - 1),
        "that is a number of targets; divide by how many there are": lambda ranks, k: (
            ranks <= k
        ).sum(),
        "divide by the number of targets, not by k": lambda ranks, k: (ranks <= k).sum() / k,
        "those are the ranks beyond k": lambda ranks, k: 1 - recall(ranks, k),
        "a share lies between 0 and 1, it is no percentage": lambda ranks, k: (
            100 * recall(ranks, k)
        ),
    },
)

check_mrr = Check(
    "mrr",
    mrr,
    _ranks,
    mistakes={
        "a rank beyond k counts as 0": lambda ranks, k: (1 / ranks.double()).mean(),
        "divide by all targets, not only by those found": lambda ranks, k: (
            1 / ranks[ranks <= k].double()
        ).mean(),
        "a rank of exactly k counts: ranks start at 1": lambda ranks, k: mrr(ranks, k - 1),
        "ranks start at 1, so the first place is worth 1/1": lambda ranks, k: (
            (1 / (ranks.double() + 1)).where(ranks <= k, 0).mean()
        ),
        "that is 1 over the mean rank; take the mean of 1/rank": lambda ranks, k: (
            1 / ranks.double().mean()
        ),
        "that is a sum; take the mean over all targets": lambda ranks, k: (
            mrr(ranks, k) * len(ranks)
        ),
    },
)
