"""Gradient against rank: how much a loss still pulls up a target that is ranked well already.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..loss_parts import Parts
from ..losses import LOSSES

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "targets negatives"]

EDGES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


def ranks(target: Target, negatives: Negatives) -> Int[Tensor, "targets"]:
    """Number of negatives that score above each target; 0 is the best. Ties count for it."""
    return (negatives > target[:, None]).sum(dim=1)


@dataclass(frozen=True, eq=False)
class GradientByRank:
    """How much the losses still pull a target up, by how well it is ranked already.

    Attributes:
        rank: [bins] median rank of the targets in each bin; NaN where there is none.
        count: [bins] number of targets in each bin.
        curves: loss name to [bins] median -dL/dr_i; NaN where there is no target.
        badly_ranked: loss name to the median -dL/dr_i of the targets with at least a quarter of
            the negatives above them; NaN where there is none.
    """

    rank: np.ndarray
    count: np.ndarray
    curves: dict[str, np.ndarray]
    badly_ranked: dict[str, float]

    def relative(self) -> "GradientByRank":
        """The same as shares of the gradient of badly ranked targets.

        Adagrad removes any constant factor of a loss, so this is what differs between them.
        """
        curves = {
            name: curve / (self.badly_ranked[name] or np.nan) for name, curve in self.curves.items()
        }
        return GradientByRank(self.rank, self.count, curves, dict.fromkeys(self.badly_ranked, 1.0))


def gradient_by_rank(
    target: Target,
    negatives: Negatives,
    losses: Iterable[str] = LOSSES,
    edges: tuple[int, ...] = EDGES,
) -> GradientByRank:
    """Median -dL/dr_i of each loss in bins of the target's rank; bin k is [edges[k], edges[k+1]).

    Raises:
        ValueError: an unknown loss.
    """
    return pulls_by_rank(target, negatives, target_pulls(target, negatives, losses), edges)


def pulls_by_rank(
    target: Target,
    negatives: Negatives,
    pulls: Mapping[str, Target],
    edges: tuple[int, ...] = EDGES,
) -> GradientByRank:
    """Median of each of the pulls -dL/dr_i, by name, in bins of the target's rank."""
    rank = ranks(target, negatives).cpu().numpy()
    bins = np.searchsorted(edges, rank, side="right") - 1
    # Absent negatives, at -inf, do not count.
    badly = rank >= (negatives > -torch.inf).sum(dim=1).cpu().numpy() / 4
    n_bins, curves, badly_ranked = len(edges) - 1, {}, {}
    for name, of_targets in pulls.items():
        pull = of_targets.cpu().numpy()
        curves[name] = _medians(pull, bins, n_bins)
        badly_ranked[name] = float(np.median(pull[badly])) if badly.any() else np.nan
    count = np.bincount(bins, minlength=n_bins)[:n_bins]
    return GradientByRank(_medians(rank, bins, n_bins), count, curves, badly_ranked)


def target_gradients(
    target: Target, negatives: Negatives, losses: Iterable[str] = LOSSES
) -> dict[str, float]:
    """Median -dL/dr_i over all targets, loss by loss."""
    by_loss = target_pulls(target, negatives, losses)
    return {name: float(np.median(pull.cpu().numpy())) for name, pull in by_loss.items()}


def _medians(values: np.ndarray, bins: np.ndarray, n_bins: int) -> np.ndarray:
    """[n_bins] median of the values in each bin; NaN for an empty one."""
    # One sort for all bins: a call of np.median for each costs more than everything else here.
    ordered = values[np.lexsort((values, bins))]
    ends = np.searchsorted(np.sort(bins), np.arange(n_bins + 1))
    first, count = ends[:-1], np.diff(ends)
    last = max(len(values) - 1, 0)
    lower, upper = (np.clip(first + half, 0, last) for half in ((count - 1) // 2, count // 2))
    return np.where(count > 0, (ordered[lower] + ordered[upper]) / 2, np.nan)


def target_pulls(
    target: Target, negatives: Negatives, losses: Iterable[str] = LOSSES
) -> dict[str, Target]:
    """Loss name to -dL/dr_i of every target.

    Raises:
        ValueError: an unknown loss.
    """
    parts = Parts(target, negatives)
    return {name: LOSSES[name].pull(parts) for name in losses}
