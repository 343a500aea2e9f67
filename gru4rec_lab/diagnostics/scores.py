"""Scores to look at: made up from a Gaussian, or of a model on some sessions."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..batches import session_parallel
from ..data.sessions import Sessions
from ..device import generator
from ..recommend import Recommender
from ..sampling import Frequencies, Sampler, official_logq, popularity_weight
from ..score_matrix import split_columns

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "targets negatives"]
Rows = Float[Tensor, "rows negatives"]


@dataclass(frozen=True, eq=False)
class GaussianScores:
    """Made-up scores: negatives from N(0, spread^2) and a target at chosen ranks.

    Attributes:
        rows: [rows, N] the draws, each sorted from the highest score down.
        target: [P] targets, each chosen rank once a row.
        negatives: [P, N] their negatives: `rows`, each repeated for every rank.
    """

    rows: Rows
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
    n_rows = max(1, min(max_rows, n_scores // (n_negatives * len(_places(n_negatives)))))
    rows = spread * _sorted_normals(n_rows, n_negatives, seed)
    return GaussianScores(rows, *targets_at_ranks(rows, above=0.3 * spread))


def targets_at_ranks(
    rows: Rows, *, above: float, places: Int[Tensor, "ranks"] | None = None
) -> tuple[Target, Negatives]:
    """Targets midway between two negatives at ranks 0, 1, 3, 10, ... of each row, and their rows.

    Args:
        rows: scores, each row sorted from the highest down.
        above: how far a target of rank 0 is above the best negative (score units).
        places: the ranks, each below the number of negatives, if others than those.
    """
    chosen = _places(rows.shape[1]) if places is None else places
    better = rows[:, (chosen - 1).clamp(min=0)]
    target = (better + rows[:, chosen]) / 2 + (chosen == 0) * above
    return target.flatten(), rows.repeat_interleave(len(chosen), dim=0)


def _places(n_negatives: int) -> Int[Tensor, "ranks"]:
    return torch.tensor([rank for rank in _PLACES if rank < n_negatives])


_PLACES = (0, 1, 2, 5, 10, 20, 50, 100, 300, 1000, 3000, 10_000, 30_000)


@torch.no_grad()
def probe_scores(
    model: Recommender,
    sessions: Sessions,
    *,
    n_sample: int,
    sample_alpha: float,
    support: Int[Tensor, "items"] | None = None,
    logq: float = 0,
    batch_size: int = 64,
    seed: int = 0,
    max_targets: int = 10_000,
) -> tuple[Target, Negatives]:
    """Scores of the targets in `sessions` and of each one's negatives, as training would see them.

    A target has the other targets of its batch and extra draws as negatives, batch_size - 1 +
    n_sample in all: where fewer sessions are left, more are drawn. Scores are linear (no ELU).
    Sessions may have other items; what the model does not know is left out.

    Args:
        support: [items] clicks the sampler goes by; those of `sessions`, if None.
        logq: strength of the popularity correction, taken off the scores as in training.
        max_targets: about where to stop.
    """
    network = model.network
    device = network.items.device
    sessions = sessions.with_targets(model.item_ids)
    support = torch.as_tensor(sessions.support) if support is None else support
    source = generator(seed, "probe", "cuda" if device.type == "cuda" else "cpu")
    weight = popularity_weight(support, sample_alpha)
    sampler = Sampler(weight, generator=source, device=device)
    clicked = support.clamp(min=1).to(network.items)
    often = Frequencies.of(clicked, weight.to(clicked))
    hidden, targets, negatives = network.start(batch_size), [], []
    for batch in session_parallel(sessions, batch_size, device):
        hidden = network.advance(batch.inputs, hidden, batch.carry)
        extra = sampler.draw(n_sample + batch_size - len(batch.targets))
        scores = network.scores(hidden, torch.cat([batch.targets, extra]))
        if logq:
            scores = scores - official_logq(often, batch.targets, extra, logq=logq)
        target, others = split_columns(scores)
        targets.append(target)
        negatives.append(others)
        if sum(map(len, targets)) >= max_targets:
            break
    return torch.cat(targets), torch.cat(negatives)


@lru_cache(maxsize=8)
def _sorted_normals(n_rows: int, n_negatives: int, seed: int) -> Rows:
    draws = torch.randn(n_rows, n_negatives, generator=torch.Generator().manual_seed(seed))
    return draws.sort(dim=1, descending=True).values
