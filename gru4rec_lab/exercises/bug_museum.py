"""The exercises of notebook 10: a test that sees mixed rows, the first step, and ranks."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..diagnostics import BUGS
from ..evaluation import rank_targets
from ..losses import LOSSES
from .check import Cases, Check


def _losses() -> Cases:
    rows = 2 * torch.randn(4, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    at = rows[:, 0], rows[:, 1:]
    return {
        "BPR": (LOSSES["bpr"].value, *at),
        "the batch mean in the log": (BUGS["batch mean in log"].value, *at),
        "the softmax over the batch": (BUGS["softmax over batch"].value, *at),
        "the log inside": (BUGS["log inside"].value, *at),
    }


def _mixes_rows(loss: Callable, target: Tensor, negatives: Tensor) -> bool:
    alone = [loss(target[k : k + 1], negatives[k : k + 1]) for k in range(len(target))]
    return not torch.allclose(torch.cat(alone), loss(target, negatives))


check_mixes_rows = Check(
    "mixes_rows",
    _mixes_rows,
    _losses,
    mistakes={
        "turn it round: True where a row's loss changes": lambda loss, target, negatives: (
            not _mixes_rows(loss, target, negatives)
        ),
    },
)


def _starts() -> Cases:
    return {
        "sums from 0": (0.02, 0.0, 0.1),
        "sums from 1": (0.02, 1.0, 0.1),
        "a large gradient downwards": (-3.0, 1.0, 0.05),
    }


def _first_step(gradient: float, start: float, rate: float) -> float:
    return -rate * gradient / (start + gradient**2) ** 0.5


check_first_step = Check(
    "first_step",
    _first_step,
    _starts,
    mistakes={
        "a step goes against the gradient": lambda gradient, start, rate: (
            -_first_step(gradient, start, rate)
        ),
        "add the square first, then divide": lambda gradient, start, rate: (
            -rate * gradient / (start or gradient**2) ** 0.5
        ),
        "the sum has the gradient's square": lambda gradient, start, rate: (
            -rate * gradient / (start + abs(gradient)) ** 0.5
        ),
        "divide by the root of the sum": lambda gradient, start, rate: (
            -rate * gradient / (start + gradient**2)
        ),
    },
)


def _scored() -> Cases:
    return {
        "no ties": (torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]]), torch.tensor([2, 0])),
        "ties": (torch.tensor([[1.0, 1.0, 1.0, 0.0], [2.0, 3.0, 3.0, 1.0]]), torch.tensor([1, 2])),
    }


def _ranks(scores: Tensor, targets: Tensor) -> Tensor:
    return rank_targets(scores, targets).long()


check_honest_ranks = Check(
    "honest ranks",
    _ranks,
    _scored,
    mistakes={
        "the best has rank 1, not 0": lambda scores, targets: _ranks(scores, targets) - 1,
        "a tie counts against the target: a model that scores all alike knows nothing": (
            lambda scores, targets: rank_targets(scores, targets, "standard").long()
        ),
        "the highest score is the best": lambda scores, targets: _ranks(-scores, targets),
    },
)
