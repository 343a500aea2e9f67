"""Popularity: where the samples fall, whether one of them matters, and what is recommended.

A sample is drawn with probability ~ support^alpha. It matters to a target if it scores above it:
such a negative is *relevant*. If one sample is relevant with probability q, then one or more of N
are with probability 1 - (1 - q)^N. [H18].

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

import numpy as np
import torch
from jaxtyping import Float, Int, Real
from torch import Tensor

from ..batches import session_parallel
from ..data.sessions import Sessions
from ..device import generator
from ..evaluation import Scorer
from ..sampling import Sampler, popularity_weight
from .stored import TrainedScores, trained_support

Counts = Real[np.ndarray, "items"] | Real[Tensor, "items"]


def sample_shares(support: Counts, sample_alpha: float) -> Float[np.ndarray, "items"]:
    """The probability that a sample is this item: support^alpha over the sum. [H18]."""
    weight = popularity_weight(torch.as_tensor(support), sample_alpha).numpy()
    return weight / weight.sum()


def share_by_popularity(counts: Counts, support: Counts) -> Float[np.ndarray, "items"]:
    """Share of the counts on the most popular item, on the two most popular, and so on.

    `support` are the clicks that popularity is measured by; equal items keep their order.
    """
    counts, support = (
        torch.as_tensor(values).cpu().double().numpy() for values in (counts, support)
    )
    cumulated = counts[np.argsort(-support, kind="stable")].cumsum()
    return cumulated / cumulated[-1]


def popular_share(counts: Counts, support: Counts, k: int = 100) -> float:
    """Share of the counts on the `k` most popular items."""
    return float(share_by_popularity(counts, support)[:k][-1])


def relevant_shares(trained: TrainedScores, sample_alpha: float) -> Float[np.ndarray, "targets"]:
    """The probability q of each target that one sample scores above it."""
    above = (trained.catalogue > trained.target[:, None]).double().numpy()
    return above @ sample_shares(trained_support(trained.model), sample_alpha)


def relevant_drawn(
    trained: TrainedScores, n_sample: int, sample_alpha: float, *, n_draws: int = 200, seed: int = 0
) -> Float[np.ndarray, "targets"]:
    """1 - (1 - q)^N by trying: the share of `n_draws` draws of N samples with a relevant one."""
    weight = popularity_weight(trained_support(trained.model), sample_alpha)
    draws = Sampler(weight, generator=generator(seed, "relevant")).draw(n_draws * n_sample)
    relevant = trained.catalogue[:, draws] > trained.target[:, None]
    return relevant.view(-1, n_draws, n_sample).any(dim=2).double().mean(dim=1).numpy()


@torch.no_grad()
def recommended(
    model: Scorer, sessions: Sessions, k: int = 20, *, batch_size: int = 512
) -> Int[np.ndarray, "items"]:
    """How often each item is among the `k` best, at all clicks that `evaluate` ranks the next of.

    Raises:
        ValueError: `k` below 1, or no session with two items that the model knows.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    known, device = sessions.with_targets(model.item_ids), getattr(model, "device", "cpu")
    state, counts = model.start(batch_size), np.zeros(len(model.item_ids), dtype=np.int64)
    for batch in session_parallel(known, batch_size, torch.device(device)):
        state = model.advance(batch.inputs, state, batch.carry)
        scores = model.scores(state)
        best = scores.topk(min(k, scores.shape[1]), dim=1).indices
        counts += np.bincount(best.flatten().cpu().numpy(), minlength=len(counts))
    return counts
