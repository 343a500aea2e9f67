"""Softmax weights and scores: which negatives give a -max loss its gradient, how many really count.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from dataclasses import dataclass
from math import exp

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "rows negatives"]


@dataclass(frozen=True, eq=False)
class SoftmaxWeights:
    """The weights s_j that the -max losses give to the negatives, the largest first.

    Attributes:
        weight: [N] mean over the rows of each row's sorted weights; sums to 1.
        cumulated: [N] share of the weight on this negative and those before it.
    """

    weight: np.ndarray
    cumulated: np.ndarray


def best_first(negatives: Negatives) -> Negatives:
    """The scores, each row sorted from the highest down; the tensor itself if it is already."""
    if bool((negatives[:, 1:] <= negatives[:, :-1]).all()):
        return negatives
    if negatives.device.type != "cpu":
        return negatives.sort(dim=1, descending=True).values
    # torch sorts places too, and takes eight times as long.
    return torch.from_numpy(np.ascontiguousarray(np.sort(negatives.numpy(), axis=1)[:, ::-1]))


def softmax_weights(negatives: Negatives) -> SoftmaxWeights:
    """Mean sorted softmax weights of the negatives, with their cumulated mass."""
    weight = best_first(negatives).softmax(dim=1).mean(dim=0).cpu().double().numpy()
    return SoftmaxWeights(weight, weight.cumsum())


def effective_negatives(negatives: Negatives) -> float:
    """exp of the entropy of the softmax weights, median over rows: how many negatives count.

    N equal scores give N; one score far above the others gives 1.
    """
    log_weight = negatives.log_softmax(dim=1)
    entropy = -(log_weight.exp() * log_weight.clamp(min=-1e4)).sum(dim=1)
    return float(np.median(entropy.exp().cpu().numpy()))


def gaussian_effective(n_negatives: int, spread: float) -> float:
    """N e^(-v/2), what `effective_negatives` comes to for N Gaussian scores of variance v.

    The entropy of the weights is log N - v/2 as long as no few of them dominate: with 2000
    negatives it holds within a tenth up to a spread of 1.5, beyond that it promises too few.
    """
    return n_negatives * exp(-(spread**2) / 2)


def top_share(negatives: Negatives, k: int = 5) -> float:
    """Share of the softmax weight on the `k` best-scoring negatives, median over rows."""
    weight = negatives.softmax(dim=1)
    top = weight.topk(min(k, negatives.shape[1]), dim=1).values.sum(dim=1)
    return float(np.median(top.cpu().numpy()))


@dataclass(frozen=True, eq=False)
class ScoreHistogram:
    """Shares of the negatives, of their softmax weight and of the targets, by score.

    The first and the last bin hold what lies beyond them too, so each share sums to 1.

    Attributes:
        edges: [bins + 1] edges of the bins (score units), evenly spaced.
        negatives: [bins] share of the negatives.
        weight: [bins] share of the softmax weight, mean over the rows.
        targets: [bins] share of the targets.
    """

    edges: np.ndarray
    negatives: np.ndarray
    weight: np.ndarray
    targets: np.ndarray


def score_histogram(
    target: Target, negatives: Negatives, *, low: float, high: float, n_bins: int = 100
) -> ScoreHistogram:
    """Histogram of these scores in `n_bins` bins from `low` to `high`.

    A negative whose score is -inf is absent and not counted.

    Raises:
        ValueError: no bin, or `low` not below `high`.
    """
    if n_bins < 1 or not low < high:
        raise ValueError(f"there must be a bin from low to high, got {n_bins}, {low} and {high}")

    def places(scores: Tensor) -> np.ndarray:
        # int64, which bincount would make of any other kind in a copy of its own.
        place = ((scores - low) * (n_bins / (high - low))).clamp(0, n_bins - 1).long()
        return place.flatten().cpu().numpy()

    def shares(place: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        count = np.bincount(place, weight, minlength=n_bins)
        return count / (count.sum() or 1)

    place, weight = places(negatives), negatives.softmax(dim=1).flatten().cpu().numpy()
    present = (negatives > -np.inf).flatten().cpu().numpy()
    edges = np.linspace(low, high, n_bins + 1)
    counted = place if present.all() else place[present]
    return ScoreHistogram(edges, shares(counted), shares(place, weight), shares(places(target)))
