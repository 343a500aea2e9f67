"""The five GRU4Rec losses, each beside its closed-form gradient; they are what trains.

A loss maps the score of the target and the scores of its negatives to one loss a row. Written with
r_i for the target's score, r_j for the scores of the N negatives and s_j = softmax(r)_j over the
negatives alone, the target excluded. The sixth loss of [H18], BPR-max with score regularisation,
is `bpr-max` plus `bpreg` times `score_regulariser`. A negative whose score is -inf is absent: it
has no weight, no gradient, and N does not count it.

Differences to the official code, which learning rates feel: its BPR is a sum over all columns with
the target's own, N * bpr + log 2 here; its TOP1 is a mean over all columns, so
(N * top1 + 1/2) / (N + 1). The others agree row by row.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

Target = Float[Tensor, "batch"]
Negatives = Float[Tensor, "batch negatives"]
Gradient = tuple[Target, Negatives]


def top1(target: Target, negatives: Negatives) -> Target:
    """Mean of sigma(r_j - r_i) + sigma(r_j^2) over the negatives. [H16]."""
    return _top1_terms(target, negatives).sum(dim=1) / _count(negatives)


def top1_grad(target: Target, negatives: Negatives) -> Gradient:
    """With q = sigma(r_j - r_i), u = sigma(r_j^2): dL/dr_j = [q(1-q) + 2 r_j u(1-u)] / N."""
    by_target, by_negative = _top1_slopes(target, negatives)
    n = _count(negatives)
    return by_target.sum(dim=1) / n, by_negative / n[:, None]


def bpr(target: Target, negatives: Negatives) -> Target:
    """Mean of -log sigma(r_i - r_j) over the negatives. [H16]."""
    return -logsigmoid(target[:, None] - negatives).sum(dim=1) / _count(negatives)


def bpr_grad(target: Target, negatives: Negatives) -> Gradient:
    """dL/dr_j = sigma(r_j - r_i) / N and dL/dr_i = -sum_j dL/dr_j."""
    by_negative = torch.sigmoid(negatives - target[:, None]) / _count(negatives)[:, None]
    return -by_negative.sum(dim=1), by_negative


def top1_max(target: Target, negatives: Negatives) -> Target:
    """TOP1's terms weighted by s_j instead of 1/N. [H18]."""
    weight = negatives.softmax(dim=1)
    return (weight * _top1_terms(target, negatives)).sum(dim=1)


def top1_max_grad(target: Target, negatives: Negatives) -> Gradient:
    """With l_j the TOP1 term and L the loss: dL/dr_j = s_j (dl_j/dr_j + l_j - L)."""
    weight = negatives.softmax(dim=1)
    term = _top1_terms(target, negatives)
    by_target, by_negative = _top1_slopes(target, negatives)
    loss = (weight * term).sum(dim=1, keepdim=True)
    return (weight * by_target).sum(dim=1), weight * (by_negative + term - loss)


def bpr_max(target: Target, negatives: Negatives) -> Target:
    """-log sum_j s_j sigma(r_i - r_j). [H18]."""
    gap = negatives - target[:, None]
    lose = torch.sigmoid(gap)
    lost = (negatives.softmax(dim=1) * lose).sum(dim=1)
    # Near 0 from 1 - sum: a log of almost 1 loses every digit of a well-ranked target's loss.
    near_zero = -torch.log1p(-lost.clamp(max=0.5))
    # Far off from e^{r_j} sigma(r_i - r_j) = e^{r_i} sigma(r_j - r_i), where nothing underflows.
    least = torch.finfo(lose.dtype).tiny
    far_off = gap.logsumexp(dim=1) - lose.sum(dim=1).clamp(min=least).log()
    return torch.where(lost < 0.5, near_zero, far_off)


def bpr_max_grad(target: Target, negatives: Negatives) -> Gradient:
    """With q_j = sigma(r_j - r_i), w_j = q_j / sum_k q_k: dL/dr_j = s_j - w_j (1 - q_j).

    w_j is the share s_j p_j / sum_k s_k p_k of a negative in the sum, and dL/dr_i = -sum_j w_j q_j.
    """
    lose = torch.sigmoid(negatives - target[:, None])
    weight = negatives.softmax(dim=1)
    share = lose / lose.sum(dim=1, keepdim=True).clamp(min=torch.finfo(lose.dtype).tiny)
    lost = (weight * lose).sum(dim=1, keepdim=True)
    # s_j - w_j; where both are almost equal, as s_j (q_j - sum_k s_k q_k) / sum_k s_k p_k.
    excess = torch.where(lost < 0.5, weight * (lose - lost) / (1 - lost), weight - share)
    by_target = share * lose
    return -by_target.sum(dim=1), excess + by_target


def cross_entropy(target: Target, negatives: Negatives) -> Target:
    """-log softmax(r)_i over the target and its negatives. [H18]."""
    # Differences first: at scores of 1e4, float32 has three digits left behind the point.
    return -logsigmoid(-(negatives - target[:, None]).logsumexp(dim=1))


def cross_entropy_grad(target: Target, negatives: Negatives) -> Gradient:
    """With P the softmax over target and negatives: dL/dr_i = -sum_j P_j and dL/dr_j = P_j."""
    miss = torch.sigmoid((negatives - target[:, None]).logsumexp(dim=1))
    return -miss, negatives.softmax(dim=1) * miss[:, None]


def score_regulariser(negatives: Negatives) -> Target:
    """sum_j s_j r_j^2, which keeps the scores of the strongest negatives small. [H18]."""
    return (negatives.softmax(dim=1) * _present(negatives).square()).sum(dim=1)


def score_regulariser_grad(negatives: Negatives) -> Negatives:
    """With R the regulariser: dR/dr_j = s_j (2 r_j + r_j^2 - R)."""
    weight = negatives.softmax(dim=1)
    score, top = _present(negatives), negatives.amax(dim=1, keepdim=True)
    # Less top^2, which cancels in r_j^2 - R: float32 has no digits left behind 1e4 squared.
    squared = (score - top) * (score + top)
    penalty = (weight * squared).sum(dim=1, keepdim=True)
    return weight * (2 * score + squared - penalty)


def elu(scores: Float[Tensor, "*any"], alpha: float) -> Float[Tensor, "*any"]:
    """Scores, those below 0 bent to alpha (e^r - 1); unchanged for `alpha` = 0. [H18]."""
    if alpha == 0:
        return scores
    return torch.where(scores > 0, scores, alpha * torch.expm1(scores.clamp(max=0)))


def elu_grad(scores: Float[Tensor, "*any"], alpha: float) -> Float[Tensor, "*any"]:
    """Slope of `elu`: 1 above 0, alpha e^r at 0 and below."""
    if alpha == 0:
        return torch.ones_like(scores)
    return torch.where(scores > 0, 1.0, alpha * torch.exp(scores.clamp(max=0)))


def _count(negatives: Negatives) -> Target:
    """N of each row, at least 1."""
    return (negatives != -torch.inf).sum(dim=1).clamp(min=1).to(negatives.dtype)


def _present(negatives: Negatives) -> Negatives:
    """The scores, 0 for absent negatives: their weight is 0, and 0 times inf is no number."""
    return negatives.where(negatives != -torch.inf, 0.0)


def _top1_terms(target: Target, negatives: Negatives) -> Negatives:
    term = torch.sigmoid(negatives - target[:, None]) + torch.sigmoid(negatives.square())
    return term.where(negatives != -torch.inf, 0.0)


def _top1_slopes(target: Target, negatives: Negatives) -> tuple[Negatives, Negatives]:
    q, score = _sigmoid_slope(negatives - target[:, None]), _present(negatives)
    return -q, q + 2 * score * _sigmoid_slope(score.square())


def _sigmoid_slope(scores: Negatives) -> Negatives:
    """sigma(x) sigma(-x): as a product of two small numbers it keeps its digits."""
    return torch.sigmoid(scores) * torch.sigmoid(-scores)


@dataclass(frozen=True)
class Loss:
    """One loss as the notebooks see it.

    Attributes:
        name: its name in `LOSSES`.
        value: (target [B], negatives [B, N]) to one loss a row [B].
        gradient: (target [B], negatives [B, N]) to (dL/dr_i [B], dL/dr_j [B, N]), closed form.
        equation: the loss of one row, in LaTeX.
        source: [H16] or [H18].
        corrects_logq: whether `logq` applies to it.
        shapes_scores: whether `elu_param` and `bpreg` apply to it unless `shape_scores="all"`.
    """

    name: str
    value: Callable[[Target, Negatives], Target]
    gradient: Callable[[Target, Negatives], Gradient]
    equation: str
    source: str
    corrects_logq: bool = False
    shapes_scores: bool = False

    def __call__(self, target: Target, negatives: Negatives) -> Target:
        """One loss a row; the same as `value`."""
        return self.value(target, negatives)


class _Registry(Mapping[str, Loss]):
    """The losses by name; an unknown name lists the known ones."""

    def __init__(self, *losses: Loss):
        self._losses = MappingProxyType({loss.name: loss for loss in losses})

    def __getitem__(self, name: str) -> Loss:
        if name not in self._losses:
            raise ValueError(f"unknown loss {name!r}; choose one of {', '.join(self._losses)}")
        return self._losses[name]

    def __contains__(self, name: object) -> bool:
        return name in self._losses

    def __iter__(self):
        return iter(self._losses)

    def __len__(self) -> int:
        return len(self._losses)


_TOP1_TERM = r"\sigma(r_j-r_i)+\sigma(r_j^2)"
LOSSES: Mapping[str, Loss] = _Registry(
    Loss("top1", top1, top1_grad, rf"\frac1N\sum_j\left[{_TOP1_TERM}\right]", "[H16]"),
    Loss("bpr", bpr, bpr_grad, r"-\frac1N\sum_j\log\sigma(r_i-r_j)", "[H16]"),
    Loss("top1-max", top1_max, top1_max_grad, rf"\sum_j s_j\left[{_TOP1_TERM}\right]", "[H18]"),
    Loss(
        "bpr-max",
        bpr_max,
        bpr_max_grad,
        r"-\log\sum_j s_j\,\sigma(r_i-r_j)",
        "[H18]",
        shapes_scores=True,
    ),
    Loss(
        "cross-entropy",
        cross_entropy,
        cross_entropy_grad,
        r"-r_i+\log\left(e^{r_i}+\sum_j e^{r_j}\right)",
        "[H18]",
        corrects_logq=True,
    ),
)
