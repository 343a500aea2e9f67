"""The numbers behind every plot: gradients against rank, and where the softmax weights go.

All of it works on the scores of P targets and of the N negatives of each, whether they come from
a Gaussian or from a model. [H18] explains its losses by two quantities: the gradient that a
target still gets when few negatives score above it, and the softmax weights s_j that decide which
negatives give it.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .batches import Batch, session_parallel
from .device import generator
from .losses import LOSSES
from .sampling import PopularitySampler, logq_correction
from .sessions import Sessions

if TYPE_CHECKING:
    from .recommend import Recommender

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
    losses: Iterable[str] = tuple(LOSSES),
    edges: tuple[int, ...] = EDGES,
) -> GradientByRank:
    """Median -dL/dr_i of each loss in bins of the target's rank; bin k is [edges[k], edges[k+1]).

    Raises:
        ValueError: an unknown loss.
    """
    rank = ranks(target, negatives).cpu().numpy()
    bins = np.searchsorted(edges, rank, side="right") - 1
    badly = rank >= negatives.shape[1] / 4
    curves, badly_ranked = {}, {}
    for name in losses:
        pull = _pull(name, target, negatives)
        curves[name] = _medians(pull, bins, len(edges) - 1)
        badly_ranked[name] = float(np.median(pull[badly])) if badly.any() else np.nan
    count = np.bincount(bins, minlength=len(edges) - 1)[: len(edges) - 1]
    return GradientByRank(_medians(rank, bins, len(edges) - 1), count, curves, badly_ranked)


def target_gradients(
    target: Target, negatives: Negatives, losses: Iterable[str] = tuple(LOSSES)
) -> dict[str, float]:
    """Median -dL/dr_i over all targets, loss by loss."""
    return {name: float(np.median(_pull(name, target, negatives))) for name in losses}


@dataclass(frozen=True, eq=False)
class SoftmaxWeights:
    """The weights s_j that the -max losses give to the negatives, the largest first.

    Attributes:
        weight: [N] mean over the rows of each row's sorted weights; sums to 1.
        cumulated: [N] share of the weight on this negative and those before it.
    """

    weight: np.ndarray
    cumulated: np.ndarray


def softmax_weights(negatives: Negatives) -> SoftmaxWeights:
    """Mean sorted softmax weights of the negatives, with their cumulated mass."""
    weight = negatives.softmax(dim=1).sort(dim=1, descending=True).values.mean(dim=0)
    weight = weight.double().cpu().numpy()
    return SoftmaxWeights(weight, weight.cumsum())


def effective_negatives(negatives: Negatives) -> float:
    """exp of the entropy of the softmax weights, median over rows: how many negatives count.

    N equal scores give N; one score far above the others gives 1.
    """
    log_weight = negatives.log_softmax(dim=1)
    entropy = -(log_weight.exp() * log_weight.clamp(min=-1e4)).sum(dim=1)
    return float(np.median(entropy.exp().cpu().numpy()))


def top_share(negatives: Negatives, k: int = 5) -> float:
    """Share of the softmax weight on the `k` best-scoring negatives, median over rows."""
    weight = negatives.softmax(dim=1)
    top = weight.topk(min(k, negatives.shape[1]), dim=1).values.sum(dim=1)
    return float(np.median(top.cpu().numpy()))


@dataclass(frozen=True, eq=False)
class GaussianScores:
    """Made-up scores: negatives from N(0, spread^2) and a target at chosen ranks.

    Attributes:
        rows: [rows, N] the draws, each sorted from the highest score down.
        target: [P] targets, each chosen rank once a row.
        negatives: [P, N] their negatives: `rows`, each repeated for every rank.
    """

    rows: Negatives
    target: Target
    negatives: Negatives


def gaussian_scores(
    n_negatives: int, spread: float, *, max_rows: int = 60, n_scores: int = 100_000, seed: int = 0
) -> GaussianScores:
    """Rows of Gaussian scores with targets midway between two negatives at ranks 0, 1, 3, 10, ...

    A target of rank 0 is .3 spreads above the best negative. There are at most `max_rows` rows,
    fewer when more than about `n_scores` scores would be made. `spread` only stretches the draws.

    Raises:
        ValueError: no negatives, or a spread that is not above 0.
    """
    if n_negatives < 1 or not spread > 0:
        raise ValueError(
            f"there must be a negative and a spread above 0, got {n_negatives} and {spread}"
        )
    chosen = torch.tensor([rank for rank in _PLACES if rank < n_negatives])
    n_rows = max(1, min(max_rows, n_scores // (n_negatives * len(chosen))))
    rows = spread * _sorted_normals(n_rows, n_negatives, seed)
    above = rows[:, (chosen - 1).clamp(min=0)]
    target = (above + rows[:, chosen]) / 2 + (chosen == 0) * 0.3 * spread
    return GaussianScores(rows, target.flatten(), rows.repeat_interleave(len(chosen), dim=0))


_PLACES = (0, 1, 2, 5, 10, 20, 50, 100, 300, 1000, 3000, 10_000, 30_000)


@torch.no_grad()
def probe_scores(
    model: "Recommender",
    sessions: Sessions,
    *,
    n_sample: int,
    sample_alpha: float,
    support: Int[Tensor, "items"] | None = None,
    logq: float = 0.0,
    batch_size: int = 64,
    seed: int = 0,
    max_targets: int = 10_000,
) -> tuple[Target, Negatives]:
    """Scores of the targets in `sessions` and of each one's negatives, as training would see them.

    A target has the other targets of its batch and extra draws as negatives, batch_size - 1 +
    n_sample in all: where fewer sessions are left, more are drawn. Scores are linear (no ELU).

    Args:
        support: [items] clicks the sampler goes by; those of `sessions`, if None.
        logq: strength of the popularity correction, taken off the scores as in training.
        max_targets: about where to stop.
    """
    network = model.network
    device = network.items.device
    support = torch.as_tensor(sessions.support) if support is None else support
    source = generator(seed, "probe", "cuda" if device.type == "cuda" else "cpu")
    sampler = PopularitySampler(support, sample_alpha, generator=source, device=device)
    log_support = support.clamp(min=1).log().to(device)
    hidden, targets, negatives = network.start(batch_size), [], []
    for batch in session_parallel(sessions, batch_size, device):
        hidden = network.advance(batch.inputs, hidden, batch.carry)
        extra = sampler.draw(n_sample + batch_size - len(batch.targets))
        scores = network.scores(hidden, torch.cat([batch.targets, extra]))
        if logq:
            scores = scores - logq_correction(
                log_support, batch.targets, extra, logq=logq, sample_alpha=sample_alpha
            )
        target, others = _split_scores(scores, batch)
        targets.append(target)
        negatives.append(others)
        if sum(map(len, targets)) >= max_targets:
            break
    return torch.cat(targets), torch.cat(negatives)


def _split_scores(scores: Float[Tensor, "batch columns"], batch: Batch) -> tuple[Tensor, Tensor]:
    """Each row's own column, and all others in their order."""
    size = len(batch.targets)
    own = torch.zeros_like(scores, dtype=torch.bool)
    own[:, :size].fill_diagonal_(True)
    return scores[own], scores[~own].reshape(size, -1)


def _pull(name: str, target: Target, negatives: Negatives) -> np.ndarray:
    return -LOSSES[name].gradient(target, negatives)[0].cpu().numpy()


def _medians(values: np.ndarray, bins: np.ndarray, n_bins: int) -> np.ndarray:
    """[n_bins] median of the values in each bin; NaN for an empty one."""
    return np.array(
        [np.median(values[bins == k]) if (bins == k).any() else np.nan for k in range(n_bins)]
    )


@lru_cache(maxsize=8)
def _sorted_normals(n_rows: int, n_negatives: int, seed: int) -> Negatives:
    draws = torch.randn(n_rows, n_negatives, generator=torch.Generator().manual_seed(seed))
    return draws.sort(dim=1, descending=True).values
