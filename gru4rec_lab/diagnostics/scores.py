"""Scores to look at: made up from a Gaussian, or of a model on some sessions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..batches import Schedule, session_parallel
from ..data.sessions import Sessions
from ..device import generator
from ..recommender import Recommender
from ..sampling import BinarySearch, Frequencies, NegativeSampler, corrected
from ..score_matrix import split_columns
from ..training.controls import Settings

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
    chosen = (_places(rows.shape[1]) if places is None else places).to(rows.device)
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
    settings: Settings | None = None,
    support: Int[Tensor, "items"] | None = None,
    n_sample: int | Literal["all"] | None = None,
    sample_alpha: float | None = None,
    logq: float | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    max_targets: int = 10_000,
) -> tuple[Target, Negatives]:
    """Scores of the targets in `sessions` and of each one's negatives, as the loss sees them.

    A target has the other targets of its batch and extra samples as negatives, batch_size - 1 +
    n_sample in all: where fewer sessions are left, more are drawn. They are picked, masked (a score
    of -inf) and corrected as by the model's config, with the `settings` in force. With n_sample
    "all" they are all other items. Scores are linear (`seen_by_loss` bends them). What the model
    does not know and targets all of whose negatives are masked are left out.

    Args:
        settings: those in force; of `model.config`, if None.
        support: [items] clicks the sampler goes by; those of `sessions`, if None.
        n_sample, sample_alpha, logq, batch_size: in place of those of the settings and the config.
        max_targets: about where to stop.
    """
    config, given = model.config, {"n_sample": n_sample, "sample_alpha": sample_alpha, "logq": logq}
    given = {name: value for name, value in given.items() if value is not None}
    settings = replace(settings or Settings.of(config), **given)
    sessions = sessions.with_targets(model.item_ids)
    support = torch.as_tensor(sessions.support) if support is None else support
    batch_size = batch_size or config.batch_size
    batches = session_parallel(sessions, batch_size, model.device)
    targets, negatives = [], []
    for target, others in _seen(model, batches, support, settings, batch_size, seed):
        targets.append(target)
        negatives.append(others)
        if sum(map(len, targets)) >= max_targets:
            break
    return torch.cat(targets), torch.cat(negatives)


def _seen(
    model: Recommender,
    batches: Schedule,
    support: Int[Tensor, "items"],
    settings: Settings,
    batch_size: int,
    seed: int,
) -> Iterator[tuple[Target, Negatives]]:
    """The scores of each batch, all of them with the same number of negatives."""
    from ..kernels.draws import GuidedSearch

    network, config, device = model.network, model.config, model.device
    draws_on = "cuda" if device.type == "cuda" else "cpu"
    sampler = NegativeSampler(
        support,
        sampler=config.sampler,
        collisions=config.collisions,
        generator=generator(seed, "probe", draws_on),
        device=device,
        # Few of a block of draws are used here, which makes a binary search the largest cost.
        search=BinarySearch if draws_on == "cuda" else GuidedSearch,
    )
    weight = sampler.set_sample_alpha(settings.sample_alpha)
    clicked = support.clamp(min=1).to(network.items)
    frequencies = Frequencies.of(clicked, weight.to(clicked))
    logq, exact = settings.acting_logq, config.logq_mode == "exact"
    how = {"logq": logq, "exact": exact, "mask": config.collisions == "mask"}
    hidden = network.start(batch_size)
    for batch in batches:
        hidden = network.advance(batch.inputs, hidden, batch.carry)
        scores_of = partial(network.scores, hidden)
        if settings.n_sample == "all":
            yield split_columns(scores_of(), own=batch.targets)
            continue
        n_extra = settings.n_sample + batch_size - len(batch)
        extra = sampler.pick(batch, n_extra, lambda _, items, score=scores_of: score(items))
        scores = scores_of(torch.cat([batch.targets, extra]))
        scores, absent = corrected(scores, batch.targets, extra, frequencies, **how)
        target, others = split_columns(scores)
        if absent is not None:
            others.masked_fill_(split_columns(absent)[1], -torch.inf)
            left = (others > -torch.inf).any(dim=1)
            target, others = target[left], others[left]
        yield target, others


@lru_cache(maxsize=8)
def _sorted_normals(n_rows: int, n_negatives: int, seed: int) -> Rows:
    draws = torch.randn(n_rows, n_negatives, generator=torch.Generator().manual_seed(seed))
    return draws.sort(dim=1, descending=True).values
