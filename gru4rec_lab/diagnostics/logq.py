"""How far a sampled softmax is from the one over the whole catalogue, with and without logq."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..device import generator
from ..losses import LOSSES
from ..sampling import Frequencies, Sampler, copies, exact_logq, official_logq, popularity_weight
from ..score_matrix import loss_and_gradient


@dataclass(frozen=True)
class SoftmaxEstimate:
    """Cross-entropy of a batch: mean loss of a row, and mean -dL/dr_i."""

    loss: float
    pull: float


def softmax_estimates(
    scores: Float[Tensor, "batch items"],
    targets: Int[Tensor, "batch"],
    support: Int[Tensor, "items"],
    *,
    n_sample: int = 2048,
    sample_alpha: float = 0.5,
    n_draws: int = 20,
    seed: int = 0,
) -> dict[str, SoftmaxEstimate]:
    """The full softmax, and what samples make of it: "full", "sampled", "official", "exact".

    "sampled" has no correction, the others logq = 1. Each is a mean over `n_draws` draws of the
    extra samples; the other targets of the batch are negatives too, as in training.
    """
    scores, targets, support = scores.cpu(), targets.cpu(), support.cpu()
    draws = Sampler(popularity_weight(support, sample_alpha), generator=generator(seed, "logq"))
    clicked = support.clamp(min=1).to(scores)
    frequencies = Frequencies.of(clicked, popularity_weight(support, sample_alpha).to(scores))
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {"sampled": [], "official": [], "exact": []}
    for _ in range(n_draws):
        extra = draws.draw(n_sample)
        drawn = scores[:, torch.cat([targets, extra])]
        seen["sampled"].append(_cross_entropy(drawn))
        official = drawn - official_logq(frequencies, targets, extra, logq=1.0)
        seen["official"].append(_cross_entropy(official))
        exact = drawn - exact_logq(frequencies, targets, extra, logq=1.0)
        seen["exact"].append(_cross_entropy(exact, absent=copies(targets, extra)))
    log_share = scores.double().log_softmax(dim=1).gather(1, targets[:, None])
    full = SoftmaxEstimate(-log_share.mean().item(), 1 - log_share.exp().mean().item())
    return {"full": full} | {name: _mean(pairs) for name, pairs in seen.items()}


def _cross_entropy(scores: Tensor, absent: Tensor | None = None) -> tuple[Tensor, Tensor]:
    loss, gradient = loss_and_gradient(scores, LOSSES["cross-entropy"], absent=absent)
    return loss.mean(), -gradient.diagonal().mean()


def _mean(pairs: list[tuple[Tensor, Tensor]]) -> SoftmaxEstimate:
    losses, pulls = (torch.stack(values) for values in zip(*pairs, strict=True))
    return SoftmaxEstimate(losses.mean().item(), pulls.mean().item())
