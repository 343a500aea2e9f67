"""The exercises of notebook 07: ELU, the score regulariser and its gradient."""

import torch

from ..losses import elu, elu_grad, score_regulariser, score_regulariser_grad
from .check import Cases, Check


def _bent(scores, alpha):
    return elu(scores, alpha), elu_grad(scores, alpha)


def _bent_everywhere(scores, alpha):
    return alpha * torch.expm1(scores), alpha * torch.exp(scores)


def _without_alpha(scores, alpha):
    return elu(scores, 1.0), elu_grad(scores, 1.0)


def _value_as_slope(scores, alpha):
    bent = elu(scores, alpha)
    return bent, torch.where(scores > 0, torch.ones_like(scores), bent)


def _scores_and_alpha() -> Cases:
    return {
        "alpha 0.5": (torch.tensor([2.0, 0.5, -0.5, -4.0]), 0.5),
        "alpha 1": (torch.tensor([3.0, -1.0]), 1.0),
    }


check_elu = Check(
    "elu",
    _bent,
    _scores_and_alpha,
    mistakes={
        "scores above 0 stay as they are": _bent_everywhere,
        "alpha is left out": _without_alpha,
        "the slope of alpha (e^r - 1) is alpha e^r": _value_as_slope,
    },
    parts=("bent scores", "slope"),
)


def _negatives() -> Cases:
    generator = torch.Generator().manual_seed(0)
    return {
        "one row": (torch.tensor([[2.0, 0.0, -1.0]]),),
        "four rows, seven negatives": (2 * torch.randn(4, 7, generator=generator),),
    }


def _plain_mean(negatives):
    return negatives.square().mean(dim=1)


def _squared_mean(negatives):
    return (negatives.softmax(dim=1) * negatives).sum(dim=1).square()


def _over_columns(negatives):
    return (negatives.softmax(dim=0) * negatives.square()).sum(dim=1)


check_score_regulariser = Check(
    "score_regulariser",
    score_regulariser,
    _negatives,
    mistakes={
        "that weighs all negatives alike; weigh them by their softmax": _plain_mean,
        "square the scores first, then take their weighted sum": _squared_mean,
        "take the softmax along each row, dim=1": _over_columns,
    },
)


def _weights_held(negatives):
    return 2 * negatives.softmax(dim=1) * negatives


def _upwards(negatives):
    return -score_regulariser_grad(negatives)


check_score_regulariser_grad = Check(
    "score_regulariser_grad",
    score_regulariser_grad,
    _negatives,
    mistakes={
        "the weights s_j depend on the scores too; that holds them fixed": _weights_held,
        "the sign is the wrong way round": _upwards,
    },
)
