"""`Parts`: what losses and their gradients are made of, so that none of it is computed twice."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Target = Float[Tensor, "batch"]
Negatives = Float[Tensor, "batch negatives"]


class _part:  # noqa: N801
    """A property that is computed when it is first read, and kept.

    That of functools takes a lock, through which torch.compile cannot look.
    """

    def __init__(self, compute: Callable[["Parts"], Tensor]):
        self._compute, self.__doc__ = compute, compute.__doc__

    def __get__(self, parts: "Parts", _owner: type) -> Any:
        value = parts.__dict__[self._compute.__name__] = self._compute(parts)
        return value


class Parts:
    """What losses and gradients are made of, each part computed when it is first asked for.

    Attributes:
        target, negatives: the scores r_i [B] and r_j [B, N].
        complete: no negative is absent, which nobody then needs to look for.
    """

    def __init__(self, target: Target, negatives: Negatives, *, complete: bool = False):
        self.target, self.negatives, self.complete = target, negatives, complete

    @_part
    def count(self) -> Float[Tensor, "batch 1"] | int:
        """N of each row, at least 1."""
        n = self.negatives.shape[1]
        if self.complete:
            return max(n, 1)
        absent = self.negatives.isneginf().sum(dim=1, keepdim=True)
        return (n - absent).clamp(min=1).to(self.negatives.dtype)

    def mean(self, terms: Negatives) -> Target:
        """The mean of a row's terms over its negatives; those of absent ones must be 0."""
        return (terms.sum(dim=1, keepdim=True) / self.count).squeeze(1)

    @_part
    def score(self) -> Negatives:
        """r_j, 0 for absent negatives: their weight is 0, and 0 times inf is no number."""
        negatives = self.negatives
        return negatives if self.complete else negatives.where(negatives != -torch.inf, 0.0)

    @_part
    def gap(self) -> Negatives:
        """r_j - r_i."""
        return self.negatives - self.target[:, None]

    @_part
    def log_odds(self) -> Target:
        """log sum_j e^{r_j - r_i}; differences first: float32 has few digits left at 1e4."""
        return self.gap.logsumexp(dim=1)

    @_part
    def lose(self) -> Negatives:
        """q_j = sigma(r_j - r_i)."""
        return torch.sigmoid(self.gap)

    @_part
    def slope(self) -> Negatives:
        """q_j (1 - q_j): as a product of two small numbers it keeps its digits."""
        return (-self.gap).sigmoid_().mul_(self.lose)

    @_part
    def weight(self) -> Negatives:
        """s_j."""
        return self.negatives.softmax(dim=1)

    @_part
    def share(self) -> Negatives:
        """w_j = q_j / sum_k q_k, which is s_j p_j / sum_k s_k p_k with p_j = 1 - q_j."""
        total = self.lose.sum(dim=1, keepdim=True)
        return self.lose / total.clamp(min=torch.finfo(total.dtype).tiny)

    @_part
    def lost(self) -> Float[Tensor, "batch 1"]:
        """sum_j s_j q_j."""
        return (self.weight * self.lose).sum(dim=1, keepdim=True)

    @_part
    def squared(self) -> Negatives:
        """sigma(r_j^2)."""
        return torch.sigmoid(self.score.square())

    @_part
    def top1_term(self) -> Negatives:
        """l_j = sigma(r_j - r_i) + sigma(r_j^2); 0 for absent negatives."""
        term = self.lose + self.squared
        return term if self.complete else term.where(self.negatives != -torch.inf, 0.0)

    @_part
    def top1_slope(self) -> Negatives:
        """dl_j/dr_j = q_j (1 - q_j) + 2 r_j u (1 - u) with u = sigma(r_j^2)."""
        rest = torch.sigmoid(-self.score.square())
        return self.slope + 2 * self.score * (self.squared * rest)
