"""-dL/dr_i of all losses from one pass over the scores, for pictures that follow a slider.

The gradients of `LOSSES` also give dL/dr_j, which costs most of their time and which the pull on
the target does not need: all pulls together take a sixth of the time of all gradients, and say the
same.
"""

from collections.abc import Callable, Iterable
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ..losses import LOSSES

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "targets negatives"]


def target_pulls(
    target: Target, negatives: Negatives, losses: Iterable[str] = tuple(LOSSES)
) -> dict[str, Target]:
    """Loss name to -dL/dr_i of every target.

    Raises:
        ValueError: an unknown loss.
    """
    parts = _Parts(target, negatives)
    return {name: _pull(name, parts) for name in losses}


def _pull(name: str, parts: "_Parts") -> Target:
    if name in _PULLS:
        return _PULLS[name](parts)
    return -LOSSES[name].gradient(parts.target, parts.negatives)[0]


class _Parts:
    """What several pulls are made of, each computed when it is asked for first."""

    def __init__(self, target: Target, negatives: Negatives):
        self.target, self.negatives = target, negatives
        self.gap = negatives - target[:, None]

    @cached_property
    def lose(self) -> Negatives:
        """q_j = sigma(r_j - r_i)."""
        return self.gap.sigmoid()

    @cached_property
    def slope(self) -> Negatives:
        """q_j (1 - q_j), as a product of two numbers that keep their digits when small."""
        return (-self.gap).sigmoid_().mul_(self.lose)

    @cached_property
    def count(self) -> Target:
        """N, without the absent negatives."""
        absent = self.negatives.isneginf().sum(dim=1)
        return (self.negatives.shape[1] - absent).clamp(min=1).to(self.negatives.dtype)

    def bpr_max(self) -> Target:
        """sum_j w_j q_j with w_j = q_j / sum_k q_k."""
        total = self.lose.sum(dim=1, keepdim=True)
        share = self.lose / total.clamp(min=torch.finfo(total.dtype).tiny)
        return share.mul_(self.lose).sum(dim=1)


_PULLS: dict[str, Callable[[_Parts], Target]] = {
    "top1": lambda of: of.slope.sum(dim=1) / of.count,
    "bpr": lambda of: of.lose.sum(dim=1) / of.count,
    "top1-max": lambda of: of.negatives.softmax(dim=1).mul_(of.slope).sum(dim=1),
    "bpr-max": _Parts.bpr_max,
    "cross-entropy": lambda of: of.gap.logsumexp(dim=1).sigmoid(),
}
