"""Losses that came after GRU4Rec's. Each is in `LOSSES` once its function here has been called.

`add_psl()` enters the pairwise softmax loss as "psl"; from then on it is a loss like those that a
learner writes: it trains by the plain step, is drawn, and goes into sweeps. Another `name` keeps
several side by side, as in `add_bpr_top(16, name="bpr-top-16")`. `LOSSES.add` checks each when it
is added: its gradient against autograd, finite values at scores of +-1e4.

r_i is the target's score, r_j those of its N negatives, d_j = r_j - r_i, q_j = sigma(d_j), the
chance to lose against j, and p_j = 1 - q_j. Absent negatives are taken out of a row before a loss
sees it, and N does not count them; a row without others has loss and gradient 0.

Sources, each formula compared with the public code of its authors:
    [PSL] Yang et al., "PSL: Rethinking and Improving Softmax Loss from Pairwise Perspective for
          Recommendation", arXiv 2411.00163.
    [OPAUC] Shi et al., "On the Theories Behind Hard Negative Sampling for Recommendation",
          arXiv 2302.03472.
    [gBCE] Petrov & Macdonald, "gSASRec: Reducing Overconfidence in Sequential Recommendation
          Trained with Negative Sampling", arXiv 2308.07192.
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, one_hot

from .loss_parts import Negatives, Parts, Target
from .losses import LOSSES, Gradient, Loss

# The least sum of the relu form, to the power tau: log 0 is no number.
LEAST = 1e-3


def _log_relu(gap: Tensor) -> tuple[Tensor, Tensor, float]:
    near = torch.relu(1 + gap)
    return near.log(), torch.where(near > 0, 1 / near, 0.0), math.log(LEAST)


def _log_sigma(gap: Tensor) -> tuple[Tensor, Tensor, float]:
    return logsigmoid(gap), torch.sigmoid(-gap), -math.inf


def _log_tanh(gap: Tensor) -> tuple[Tensor, Tensor, float]:
    """1 + tanh(d) = 2 sigma(2 d)."""
    return math.log(2) + logsigmoid(2 * gap), 2 * torch.sigmoid(-2 * gap), -math.inf


# d to log A(d), its slope, and the least log of a sum of A.
FORMS = {"tanh": _log_tanh, "relu": _log_relu, "sigma": _log_sigma}
A_OF = {"tanh": r"1+\tanh d_j", "relu": r"\max(0,1+d_j)", "sigma": r"\sigma(d_j)"}


def psl(target: Target, negatives: Negatives, *, form: str, tau: float) -> Target:
    """log of the mean of A(d_j)^(1 / tau). [PSL]; its code has a sum, log N more."""
    log_a, _, least = FORMS[form](negatives - target[:, None])
    total = (log_a / tau).logsumexp(dim=1)
    return total.clamp(min=least / tau) - math.log(negatives.shape[1])


def psl_grad(target: Target, negatives: Negatives, *, form: str, tau: float) -> Gradient:
    """dL/dr_j = w_j (log A)'(d_j) / tau with w_j ~ A(d_j)^(1 / tau); dL/dr_i is minus their sum."""
    log_a, slope, least = FORMS[form](negatives - target[:, None])
    total = (log_a / tau).logsumexp(dim=1, keepdim=True)
    share = (log_a / tau - total.clamp(min=least / tau)).exp()
    by_negative = torch.where(total > least / tau, share * slope / tau, 0.0)
    return -by_negative.sum(dim=1), by_negative


def add_psl(form: str = "tanh", tau: float = 1.0, *, name: str = "psl") -> Loss:
    """The pairwise softmax loss with A(d) = 1 + tanh d, max(0, 1 + d) or sigma(d). [PSL].

    "tanh" is "sigma" on doubled scores. With "sigma" and tau = 1 the pull is sum_j w_j p_j, where
    w_j = q_j / sum_k q_k: 1 minus that of BPR-max on the same scores. "relu" does not see negatives
    more than 1 below the target. With none nearer, the sum is 0; the authors' code then gives a
    loss of -inf and gradient 0 (their scores, cosines over at least 2, do not get there). Here a
    sum below .001^(1 / tau) counts as that, `LEAST`: the row is done, its gradient 0.

    Raises:
        ValueError: another form, or a `tau` that is not above 0.
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}; choose one of {', '.join(FORMS)}")
    if not 0 < tau < math.inf:
        raise ValueError(f"tau must be a number above 0, got {tau}; the authors' default is 1")
    equation = rf"\log\frac1N\sum_j\left({A_OF[form]}\right)^{{1/{tau:g}}},\; d_j=r_j-r_i"
    settings = {"form": form, "tau": tau}
    return LOSSES.add(
        name, partial(psl, **settings), partial(psl_grad, **settings), equation=equation
    )


def bpr_top(target: Target, negatives: Negatives, *, m: int) -> Target:
    """Mean of -log sigma(r_i - r_j) over the `m` highest negatives, all if there are fewer."""
    highest = negatives.topk(min(m, negatives.shape[1]), dim=1).values
    return -logsigmoid(target[:, None] - highest).mean(dim=1)


def bpr_top_grad(target: Target, negatives: Negatives, *, m: int) -> Gradient:
    """dL/dr_j = q_j / m for the `m` highest, 0 for the others; dL/dr_i = -sum_j dL/dr_j."""
    highest, places = negatives.topk(min(m, negatives.shape[1]), dim=1)
    slope = torch.sigmoid(highest - target[:, None]) / highest.shape[1]
    return -slope.sum(dim=1), torch.zeros_like(negatives).scatter(1, places, slope)


def add_bpr_top(m: int, *, name: str = "bpr-top") -> Loss:
    """BPR on the `m` highest of the negatives: a one-way partial AUC. [OPAUC].

    The authors' code takes a sum over the m. Its soft form weighs each term of BPR by
    softmax(r_j / tau), the weights held fixed; BPR-max has the log outside of the sum.

    Raises:
        ValueError: `m` is below 1.
    """
    if m < 1:
        raise ValueError(f"m must be 1 or more, got {m}; N gives BPR")
    equation = rf"-\frac1{{{m}}}\sum_{{j\in\mathrm{{top}}\,{m}}}\log\sigma(r_i-r_j)"
    functions = (partial(each, m=m) for each in (bpr_top, bpr_top_grad))
    return LOSSES.add(name, *functions, equation=equation)


def weights(negatives: Negatives, tau: float) -> Negatives:
    """softmax(r_j / tau); for tau = 0 the highest negative has it all, the first of several."""
    if tau == 0:
        return one_hot(negatives.argmax(dim=1), negatives.shape[1]).to(negatives.dtype)
    return (negatives / tau).softmax(dim=1)


def _log_weighted_chances(target: Target, negatives: Negatives, tau: float) -> Negatives:
    """log s_j p_j."""
    gap = negatives - target[:, None]
    log_weight = (negatives / tau).log_softmax(dim=1) if tau else weights(negatives, 0).log()
    return log_weight + logsigmoid(-gap)


def bpr_max_at(target: Target, negatives: Negatives, *, tau: float) -> Target:
    """-log sum_j s_j p_j with s = softmax(r / tau)."""
    return -_log_weighted_chances(target, negatives, tau).logsumexp(dim=1)


def bpr_max_at_grad(target: Target, negatives: Negatives, *, tau: float) -> Gradient:
    """With w_j ~ s_j p_j, which sum to 1: dL/dr_j = (s_j - w_j) / tau + w_j q_j."""
    share = _log_weighted_chances(target, negatives, tau).softmax(dim=1)
    pull = share * torch.sigmoid(negatives - target[:, None])
    # At tau = 0 the weights do not move, and s_j = w_j.
    return -pull.sum(dim=1), (weights(negatives, tau) - share) / (tau or 1) + pull


def top1_max_at(target: Target, negatives: Negatives, *, tau: float) -> Target:
    """sum_j s_j [sigma(d_j) + sigma(r_j^2)] with s = softmax(r / tau)."""
    return (weights(negatives, tau) * Parts(target, negatives, complete=True).top1_term).sum(dim=1)


def top1_max_at_grad(target: Target, negatives: Negatives, *, tau: float) -> Gradient:
    """With l_j the term of j and L the loss: dL/dr_j = s_j [dl_j/dr_j + (l_j - L) / tau]."""
    weight, parts = weights(negatives, tau), Parts(target, negatives, complete=True)
    above = parts.top1_term - (weight * parts.top1_term).sum(dim=1, keepdim=True)
    # At tau = 0 the weights do not move, and the only l_j that has one is L.
    by_negative = weight * (parts.top1_slope + above / (tau or 1))
    return -(weight * parts.slope).sum(dim=1), by_negative


def add_bpr_max_at(tau: float, *, name: str = "bpr-max-at") -> Loss:
    """BPR-max whose weights have a temperature, softmax(r / tau); BPR-max at 1. [H18].

    At 0 it is BPR against the highest negative alone; at infinity -log of the mean p_j, which is
    not BPR, the mean of -log p_j. As with BPR-max, ELU and `bpreg` apply to it.

    Raises:
        ValueError: a `tau` below 0.
    """
    functions = (partial(each, tau=_checked(tau)) for each in (bpr_max_at, bpr_max_at_grad))
    equation = rf"-\log\sum_j s_j\,\sigma(r_i-r_j),\; {_weights_of(tau)}"
    return LOSSES.add(name, *functions, equation=equation, shapes_scores=True)


def add_top1_max_at(tau: float, *, name: str = "top1-max-at") -> Loss:
    """TOP1-max whose weights have a temperature, softmax(r / tau); TOP1-max at 1. [H18].

    At 0 it is TOP1 against the highest negative alone, at infinity TOP1.

    Raises:
        ValueError: a `tau` below 0.
    """
    functions = (partial(each, tau=_checked(tau)) for each in (top1_max_at, top1_max_at_grad))
    equation = rf"\sum_j s_j\left[\sigma(r_j-r_i)+\sigma(r_j^2)\right],\; {_weights_of(tau)}"
    return LOSSES.add(name, *functions, equation=equation)


def _checked(tau: float) -> float:
    if not tau >= 0:
        raise ValueError(f"tau must be 0 or more, got {tau}; 0 is the hardest negative alone")
    return tau


def _weights_of(tau: float) -> str:
    at = r"\infty" if tau == math.inf else f"{tau:g}"
    return rf"s=\mathrm{{softmax}}(r/\tau),\; \tau={at}"


def gbce(target: Target, negatives: Negatives, *, beta: float) -> Target:
    """-beta log sigma(r_i) - sum_j log sigma(-r_j). [gBCE]; its code has 1 / (N + 1) of it."""
    return -beta * logsigmoid(target) - logsigmoid(-negatives).sum(dim=1)


def gbce_grad(target: Target, negatives: Negatives, *, beta: float) -> Gradient:
    """dL/dr_i = -beta sigma(-r_i) and dL/dr_j = sigma(r_j)."""
    return -beta * torch.sigmoid(-target), torch.sigmoid(negatives)


def add_gbce(n_sample: int, n_items: int, t: float = 0.75, *, name: str = "gbce") -> Loss:
    """Binary cross-entropy whose target counts beta times: 1 at t = 0, a at t = 1. [gBCE].

    a = `n_sample` / (`n_items` - 1) is the share of the other items that are negatives of a target,
    all of them counted, and drawn uniformly: sampling has made the target too frequent by 1 / a.
    beta = a (t (1 - 1 / a) + 1 / a) = 1 - t (1 - a); the public code in torch divides by
    `n_items` - 2. Where the authors train with Adam, to which a constant factor is nothing, Adagrad
    here has an eps: with their mean over N + 1 it would hardly move.

    Raises:
        ValueError: not 1 <= n_sample < n_items, or `t` outside of 0 to 1.
    """
    if not 1 <= n_sample < n_items:
        raise ValueError(f"n_sample must be from 1 to n_items - 1 = {n_items - 1}, got {n_sample}")
    if not 0 <= t <= 1:
        raise ValueError(f"t must be from 0, plain binary cross-entropy, to 1, got {t}")
    beta = 1 - t * (1 - n_sample / (n_items - 1))
    equation = rf"-{beta:.3g}\log\sigma(r_i)-\sum_j\log\sigma(-r_j)"
    return LOSSES.add(
        name, partial(gbce, beta=beta), partial(gbce_grad, beta=beta), equation=equation
    )
