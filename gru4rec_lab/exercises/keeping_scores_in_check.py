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


def _without_minus_one(scores, alpha):
    slope = elu_grad(scores, alpha)
    return torch.where(scores > 0, scores, slope), slope


def _flat_above(scores, alpha):
    bent, slope = _bent(scores, alpha)
    return bent, torch.where(scores > 0, 0.0, slope)


def _score_as_slope(scores, alpha):
    bent, slope = _bent(scores, alpha)
    return bent, torch.where(scores > 0, scores, slope)


def _relu(scores, alpha):
    return scores.relu(), (scores > 0).to(scores.dtype)


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
        "at and below 0 it is alpha (e^r - 1); the minus 1 is missing": _without_minus_one,
        "above 0 the curve is r itself; its slope there is 1": _flat_above,
        "above 0 the slope is 1, whatever the score": _score_as_slope,
        "that is ReLU; ELU bends what is below 0 and does not cut it off": _relu,
    },
    parts=("bent scores", "slope"),
)


def _negatives() -> Cases:
    generator = torch.Generator().manual_seed(0)
    return {
        "two rows, three negatives": (torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.0, 3.0]]),),
        "four rows, seven negatives": (2 * torch.randn(4, 7, generator=generator),),
    }


def _plain_mean(negatives):
    return negatives.square().mean(dim=1)


def _squared_mean(negatives):
    return (negatives.softmax(dim=1) * negatives).sum(dim=1).square()


def _squares_weigh(negatives):
    return (negatives.square().softmax(dim=1) * negatives.square()).sum(dim=1)


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
        "that is a sum without weights; weigh by the softmax": lambda negatives: (
            negatives.square().sum(dim=1)
        ),
        "the scores are not squared": lambda negatives: (negatives.softmax(dim=1) * negatives).sum(
            1
        ),
        "the weights sum to 1 already; take the sum, not the mean": lambda negatives: (
            score_regulariser(negatives) / negatives.shape[1]
        ),
        "the softmax is over the scores, not over their squares": _squares_weigh,
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
        "when one weight grows the others shrink; take R off": lambda negatives: (
            negatives.softmax(dim=1) * (2 * negatives + negatives.square())
        ),
        "the squares depend on the scores too: a term 2 r_k is missing": lambda negatives: (
            score_regulariser_grad(negatives) - _weights_held(negatives)
        ),
    },
)
