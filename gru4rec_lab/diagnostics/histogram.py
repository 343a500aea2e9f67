"""How scores are spread: the negatives, the targets, and where the softmax weight lies."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "rows negatives"]


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

    def shares(scores: Tensor, weight: Tensor | None = None) -> np.ndarray:
        place = ((scores - low) * (n_bins / (high - low))).clamp(0, n_bins - 1).int()
        counted = None if weight is None else weight.flatten().cpu().numpy()
        count = np.bincount(place.flatten().cpu().numpy(), counted, minlength=n_bins)
        return count / (count.sum() or 1)

    weight, present = negatives.softmax(dim=1), negatives[negatives > -np.inf]
    edges = np.linspace(low, high, n_bins + 1)
    return ScoreHistogram(edges, shares(present), shares(negatives, weight), shares(target))
