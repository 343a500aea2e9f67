"""The five GRU4Rec losses, each beside its closed-form gradient; they are what trains.

A loss maps the score of the target and the scores of its negatives to one loss a row; loss and
gradient share what they are made of, `Parts`. Written with r_i for the target's score, r_j for the
scores of the N negatives and s_j = softmax(r)_j over the negatives alone, the target excluded. The
sixth loss of [H18], BPR-max with score regularisation, is `bpr-max` plus `bpreg` times
`score_regulariser`. A negative whose score is -inf is absent: it has no weight, no gradient, and N
does not count it.

Differences to the official code, which learning rates feel: its BPR is a sum over all columns with
the target's own, N * bpr + log 2 here; its TOP1 is a mean over all columns, so
(N * top1 + 1/2) / (N + 1). The others agree row by row.

A new loss is added in one place. To the library: a `Loss` in `LOSSES` below; settings, training,
diagnostics, plots and panels ask there, and without a kernel of its own it trains by the plain
step. In a notebook, for as long as its kernel lives: `LOSSES.add("hinge", hinge)`.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

import re
from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from .device import Strength, acts
from .loss_parts import Negatives, Parts, Target
from .own_losses import checked_gradient, without_absent

Gradient = tuple[Target, Negatives]


def top1(parts: Parts) -> Target:
    """Mean of sigma(r_j - r_i) + sigma(r_j^2) over the negatives. [H16]."""
    return parts.mean(parts.top1_term)


def top1_pull(parts: Parts) -> Target:
    """-dL/dr_i = sum_j q_j (1 - q_j) / N."""
    return parts.mean(parts.slope)


def top1_grad(parts: Parts) -> Gradient:
    """With q = sigma(r_j - r_i), u = sigma(r_j^2): dL/dr_j = [q(1-q) + 2 r_j u(1-u)] / N."""
    return -top1_pull(parts), parts.top1_slope / parts.count


def bpr(parts: Parts) -> Target:
    """Mean of -log sigma(r_i - r_j) over the negatives. [H16]."""
    return -parts.mean(logsigmoid(-parts.gap))


def bpr_pull(parts: Parts) -> Target:
    """-dL/dr_i = sum_j q_j / N."""
    return parts.mean(parts.lose)


def bpr_grad(parts: Parts) -> Gradient:
    """dL/dr_j = sigma(r_j - r_i) / N and dL/dr_i = -sum_j dL/dr_j."""
    return -parts.mean(parts.lose), parts.lose / parts.count


def top1_max(parts: Parts) -> Target:
    """TOP1's terms weighted by s_j instead of 1/N. [H18]."""
    return (parts.weight * parts.top1_term).sum(dim=1)


def top1_max_pull(parts: Parts) -> Target:
    """-dL/dr_i = sum_j s_j q_j (1 - q_j)."""
    return (parts.weight * parts.slope).sum(dim=1)


def top1_max_grad(parts: Parts) -> Gradient:
    """With l_j the TOP1 term and L the loss: dL/dr_j = s_j (dl_j/dr_j + l_j - L)."""
    loss, term = top1_max(parts)[:, None], parts.top1_term
    return -top1_max_pull(parts), parts.weight * (parts.top1_slope + term - loss)


def bpr_max(parts: Parts) -> Target:
    """-log sum_j s_j sigma(r_i - r_j). [H18]."""
    lost = parts.lost.squeeze(1)
    # Near 0 from 1 - sum: a log of almost 1 loses every digit of a well-ranked target's loss.
    near_zero = -torch.log1p(-lost.clamp(max=0.5))
    # Far off from e^{r_j} sigma(r_i - r_j) = e^{r_i} sigma(r_j - r_i), where nothing underflows.
    least = torch.finfo(lost.dtype).tiny
    far_off = parts.log_odds - parts.lose.sum(dim=1).clamp(min=least).log()
    return torch.where(lost < 0.5, near_zero, far_off)


def bpr_max_pull(parts: Parts) -> Target:
    """-dL/dr_i = sum_j w_j q_j."""
    return (parts.share * parts.lose).sum(dim=1)


def bpr_max_grad(parts: Parts) -> Gradient:
    """With q_j = sigma(r_j - r_i), w_j = q_j / sum_k q_k: dL/dr_j = s_j - w_j (1 - q_j)."""
    lose, weight, share, lost = parts.lose, parts.weight, parts.share, parts.lost
    # s_j - w_j; where both are almost equal, as s_j (q_j - sum_k s_k q_k) / sum_k s_k p_k.
    excess = torch.where(lost < 0.5, weight * (lose - lost) / (1 - lost), weight - share)
    return -bpr_max_pull(parts), excess + share * lose


def cross_entropy(parts: Parts) -> Target:
    """-log softmax(r)_i over the target and its negatives. [H18]."""
    return -logsigmoid(-parts.log_odds)


def cross_entropy_pull(parts: Parts) -> Target:
    """-dL/dr_i = sum_j P_j, with P the softmax over target and negatives."""
    return torch.sigmoid(parts.log_odds)


def cross_entropy_grad(parts: Parts) -> Gradient:
    """With P the softmax over target and negatives: dL/dr_j = P_j and dL/dr_i = -sum_j P_j."""
    miss = cross_entropy_pull(parts)
    return -miss, parts.weight * miss[:, None]


def score_regulariser(negatives: Negatives, parts: Parts | None = None) -> Target:
    """sum_j s_j r_j^2, which keeps the scores of the strongest negatives small. [H18].

    `parts`, where they are there already, are those of the negatives and any target.
    """
    parts = parts or Parts(negatives.new_zeros(len(negatives)), negatives)
    return (parts.weight * parts.score.square()).sum(dim=1)


def score_regulariser_grad(negatives: Negatives, parts: Parts | None = None) -> Negatives:
    """With R the regulariser: dR/dr_j = s_j (2 r_j + r_j^2 - R)."""
    parts = parts or Parts(negatives.new_zeros(len(negatives)), negatives)
    weight, score, top = parts.weight, parts.score, negatives.amax(dim=1, keepdim=True)
    # Less top^2, which cancels in r_j^2 - R: float32 has no digits left behind 1e4 squared.
    squared = (score - top) * (score + top)
    penalty = (weight * squared).sum(dim=1, keepdim=True)
    return weight * (2 * score + squared - penalty)


def elu(scores: Float[Tensor, "*any"], alpha: Strength) -> Float[Tensor, "*any"]:
    """Scores, those below 0 bent to alpha (e^r - 1); unchanged for `alpha` = 0. [H18]."""
    if not acts(alpha):
        return scores
    return torch.where(scores > 0, scores, alpha * torch.expm1(scores.clamp(max=0)))


def elu_grad(scores: Float[Tensor, "*any"], alpha: Strength) -> Float[Tensor, "*any"]:
    """Slope of `elu`: 1 above 0, alpha e^r at 0 and below."""
    if not acts(alpha):
        return torch.ones_like(scores)
    return torch.where(scores > 0, 1.0, alpha * torch.exp(scores.clamp(max=0)))


@dataclass(frozen=True)
class Loss:
    """One loss and all that other modules need to know about it.

    Attributes:
        name: its name in `LOSSES`.
        value_of: `Parts` to one loss a row [B].
        gradient_of: `Parts` to (dL/dr_i [B], dL/dr_j [B, N]).
        equation: the loss of one row, in LaTeX.
        source: [H16] or [H18]; empty for a learner's own.
        corrects_logq: whether `logq` applies to it.
        shapes_scores: whether `elu_param` and `bpreg` apply to it unless `shape_scores="all"`.
        pull_of: `Parts` to -dL/dr_i [B], where `gradient_of` would work out more than that.
        kernel: the `kind` of its compiled form in `kernels.losses`; None trains by the plain step.
        colour, dash: of its lines; lengths of ink and gap, () for a solid line.
        given: the value and the gradient, or None, that a learner gave `LOSSES.add`.
    """

    name: str
    value_of: Callable[[Parts], Target] = field(repr=False)
    gradient_of: Callable[[Parts], Gradient] = field(repr=False)
    equation: str = ""
    source: str = ""
    corrects_logq: bool = False
    shapes_scores: bool = False
    pull_of: Callable[[Parts], Target] | None = field(default=None, repr=False)
    kernel: int | None = None
    colour: str = ""
    dash: tuple[float, ...] = ()
    given: tuple[Callable, Callable | None] | None = field(default=None, repr=False)

    def value(self, target: Target, negatives: Negatives) -> Target:
        """One loss a row [B]."""
        return self.value_of(Parts(target, negatives))

    __call__ = value

    def gradient(self, target: Target, negatives: Negatives) -> Gradient:
        """(dL/dr_i [B], dL/dr_j [B, N])."""
        return self.gradient_of(Parts(target, negatives))

    def pull(self, parts: Parts) -> Target:
        """-dL/dr_i [B]."""
        return -self.gradient_of(parts)[0] if self.pull_of is None else self.pull_of(parts)


def _of_parts(complete: Callable, any_rows: Callable) -> Callable[[Parts], Any]:
    """A function of scores as one of `Parts`; `any_rows` has to look for absent negatives first."""
    return lambda parts: (complete if parts.complete else any_rows)(parts.target, parts.negatives)


# Colours that the losses of the papers leave free: one of Okabe & Ito, three of Tol's "muted".
_SPARE = [
    {"colour": colour, "dash": dash}
    for dash in ((6, 2, 1, 2), (6, 2, 1, 2, 1, 2))
    for colour in ("#332288", "#882255", "#56B4E9", "#999933")
]


class Losses(Mapping[str, Loss]):
    """The losses by name, a learner's own after those of the library."""

    def __init__(self, *losses: Loss):
        self._losses: dict[str, Loss] = {}
        for loss in losses:
            self._put(loss)
        self._built_in = frozenset(self._losses)

    def add(
        self,
        name: str,
        value: Callable[[Target, Negatives], Target],
        gradient: Callable[[Target, Negatives], Gradient] | None = None,
        *,
        equation: str = "",
        corrects_logq: bool = False,
        shapes_scores: bool = False,
    ) -> Loss:
        """The loss of your own that trains and is drawn as `name` from now on, in this process.

        `value` takes the scores of targets [B] and of their negatives [B, N], N >= 1, and returns
        one loss a row [B]; `gradient` the same scores to (dL/dr_i [B], dL/dr_j [B, N]), by autograd
        where it is left out. Neither is shown absent negatives, nor rows that have no others. An
        own loss of this name is replaced. `equation` is LaTeX; the rest is as in `Loss`.

        Raises:
            ValueError: a name that cannot be used, or which check the loss does not pass: one
                number a row, no row minds the others, the gradient is that of autograd, all is
                finite at scores of +-1e4.
        """
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
            raise ValueError(f"a name is made of letters, digits and - _ . alone, got {name!r}")
        self._refuse_built_in(name, f"call your own another name, such as 'my-{name}'")
        given, gradient = (value, gradient), checked_gradient(repr(name), value, gradient)
        any_rows = without_absent(value, gradient)
        of_parts = map(_of_parts, (value, gradient), any_rows)
        self._put(Loss(name, *of_parts, equation, "", corrects_logq, shapes_scores, given=given))
        return self[name]

    def remove(self, name: str) -> None:
        """Take back the loss of your own that was added as `name`.

        Raises:
            ValueError: no such loss, or one of the library.
        """
        self._refuse_built_in(self[name].name, "it cannot be removed")
        self._losses = {key: loss for key, loss in self._losses.items() if key != name}

    def _refuse_built_in(self, name: str, way_out: str) -> None:
        if name in self._built_in:
            raise ValueError(f"{name!r} is a loss of the library; {way_out}")

    def _put(self, loss: Loss) -> None:
        if not loss.colour:
            seen = [(x.colour, x.dash) for x in self._losses.values() if x.name != loss.name]
            free = (look for look in _SPARE if tuple(look.values()) not in seen)
            loss = replace(loss, **next(free, _SPARE[0]))
        # A new dictionary: threads that train or draw may be in the middle of the old one.
        self._losses = self._losses | {loss.name: loss}

    def __getitem__(self, name: str) -> Loss:
        if name not in self:
            raise ValueError(
                f"unknown loss {name!r}; choose one of {', '.join(self._losses)}, or add it first: "
                f"LOSSES.add({name!r}, value)"
            )
        return self._losses[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._losses

    def __iter__(self) -> Iterator[str]:
        return iter(self._losses)

    # Of one moment, where those of Mapping would ask for names that were removed meanwhile.
    def values(self) -> ValuesView[Loss]:
        """The losses."""
        return self._losses.values()

    def items(self) -> ItemsView[str, Loss]:
        """Names and losses."""
        return self._losses.items()

    def __len__(self) -> int:
        return len(self._losses)


_TOP1_TERM = r"\sigma(r_j-r_i)+\sigma(r_j^2)"
# Colours by Okabe & Ito, told apart with any kind of colour vision; dashes for print without
# colour: the -max losses are solid, what they come from is dashed.
LOSSES = Losses(
    Loss(
        "top1", top1, top1_grad, rf"\frac1N\sum_j\left[{_TOP1_TERM}\right]", "[H16]",
        pull_of=top1_pull, kernel=0, colour="#E69F00", dash=(4, 2),
    ),
    Loss(
        "bpr", bpr, bpr_grad, r"-\frac1N\sum_j\log\sigma(r_i-r_j)", "[H16]",
        pull_of=bpr_pull, kernel=1, colour="#0072B2", dash=(4, 2),
    ),
    Loss(
        "top1-max", top1_max, top1_max_grad, rf"\sum_j s_j\left[{_TOP1_TERM}\right]", "[H18]",
        pull_of=top1_max_pull, kernel=2, colour="#D55E00",
    ),
    Loss(
        "bpr-max", bpr_max, bpr_max_grad, r"-\log\sum_j s_j\,\sigma(r_i-r_j)", "[H18]",
        pull_of=bpr_max_pull, kernel=3, colour="#009E73", shapes_scores=True,
    ),
    Loss(
        "cross-entropy", cross_entropy, cross_entropy_grad,
        r"-r_i+\log\left(e^{r_i}+\sum_j e^{r_j}\right)", "[H18]",
        pull_of=cross_entropy_pull, kernel=4, colour="#CC79A7", dash=(1, 1), corrects_logq=True,
    ),
)  # fmt: skip
