"""The score matrix of a step, [B, B + N]: row k's target in column k, all else its negatives.

Columns are the B targets of the batch, then the N extra samples. If all items are negatives
(`n_sample="all"`), they are the items instead, each once, and row k's target stands in its column
`own[k]`. Here the matrix is split into targets and negatives and joined again, and here a loss of
`gru4rec_lab.losses` is taken over its rows.
"""

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from .device import Strength, acts
from .loss_parts import Parts
from .losses import Loss, elu, elu_grad, score_regulariser, score_regulariser_grad

Scores = Float[Tensor, "batch columns"]
Own = Int[Tensor, "batch"] | None  # the column of each row's target; None: row k's is column k


def split_columns(
    scores: Shaped[Tensor, "batch columns"], own: Own = None
) -> tuple[Shaped[Tensor, "batch"], Shaped[Tensor, "batch others"]]:
    """The target's score of each row and those of its negatives.

    The row's last column takes the place of the target among the negatives.
    """
    if own is not None:
        negatives = scores.scatter(1, own[:, None], scores[:, -1:])[:, :-1]
        return scores.gather(1, own[:, None])[:, 0], negatives
    negatives = scores[:, :-1].clone()
    place = negatives.diagonal()
    place.copy_(scores[: len(place), -1])
    return scores.diagonal().clone(), negatives


def join_columns(
    target: Float[Tensor, "batch"], negatives: Float[Tensor, "batch others"], own: Own = None
) -> Scores:
    """The inverse of `split_columns`."""
    if own is not None:
        scores = torch.cat([negatives, target[:, None]], dim=1)
        scores[:, -1:] = scores.gather(1, own[:, None])
        return scores.scatter_(1, own[:, None], target[:, None])
    last = target.clone()
    place = negatives.diagonal()
    last[: len(place)] = place
    scores = torch.cat([negatives, last[:, None]], dim=1)
    scores.diagonal().copy_(target)
    return scores


def loss_and_gradient(
    scores: Scores,
    loss: Loss,
    *,
    bpreg: Strength = 0.0,
    elu_param: Strength = 0.0,
    absent: Bool[Tensor, "batch columns"] | None = None,
    own: Own = None,
) -> tuple[Float[Tensor, "batch"], Scores]:
    """Loss of each row and its gradient by the scores; row k's target is in column k or `own[k]`.

    ELU bends all scores first; the regulariser acts on the negatives; those marked `absent` count
    for nothing. A row without negatives has loss 0.
    """
    if scores.shape[1] == 1:
        return torch.zeros_like(scores[:, 0]), torch.zeros_like(scores)
    target, negatives = split_columns(elu(scores, elu_param), own)
    if absent is not None:
        negatives = negatives.masked_fill(split_columns(absent, own)[1], -torch.inf)
    parts = Parts(target, negatives, complete=absent is None)
    value = loss.value_of(parts)
    by_target, by_negatives = loss.gradient_of(parts)
    if acts(bpreg):
        value = value + bpreg * score_regulariser(negatives, parts)
        by_negatives = by_negatives + bpreg * score_regulariser_grad(negatives, parts)
    gradient = join_columns(by_target, by_negatives, own)
    if acts(elu_param):
        gradient = gradient * elu_grad(scores, elu_param)
    if absent is not None:
        left = (negatives != -torch.inf).any(dim=1)
        value, gradient = value.where(left, 0.0), gradient.where(left[:, None], 0.0)
    return value, gradient
