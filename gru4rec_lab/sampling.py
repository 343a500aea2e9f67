"""Extra negatives, shared by all rows of a step, beside the other targets of the batch. [H18].

`NegativeSampler` picks those of each step; `corrected` says what the loss sees of their scores.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, Real
from torch import Tensor

from .device import Strength, acts

BLOCK = 1 << 16
POOL = 4


class BinarySearch:
    """Finds the items of random points in a cumulated distribution, on any device."""

    def __init__(self, cumulated: Float[Tensor, "items"]):
        self._cumulated = cumulated

    def __call__(self, points: Float[Tensor, "draws"]) -> Int[Tensor, "draws"]:
        """The item of each point: the first whose sum is above it."""
        found = torch.searchsorted(self._cumulated, points, right=True)
        # The last sum can round to just below 1 and the point fall behind it.
        return found.clamp_(max=len(self._cumulated) - 1)


class Sampler:
    """Draws items with probability ~ `weight`, with replacement.

    Draws are made in blocks of some 65,000 (the sample store of [H18]), since one search for many
    draws costs far less than many searches; `search` is how they are searched.
    """

    def __init__(
        self,
        weight: Float[Tensor, "items"],
        *,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
        search: Callable[[Tensor], Callable[[Tensor], Tensor]] = BinarySearch,
    ):
        self.weight = weight.to(device, torch.float32)
        self._generator = generator
        self._store = torch.empty(0, dtype=torch.int64, device=device)
        self._next = self._size = 0
        self._before_block = generator.get_state()
        # Float64: with a million items float32 sums lose the rarest ones. MPS has none.
        cumulated = weight.cpu().double().cumsum(0)
        self._cumulated = cumulated / cumulated[-1]
        if torch.device(device).type == "cuda":
            self._cumulated = self._cumulated.to(device)
        self._search = search(self._cumulated)

    def draw(self, n_sample: int) -> Int[Tensor, "n_sample"]:
        """The next `n_sample` items."""
        if self._next + n_sample > self._size:
            self._refill(max(BLOCK, n_sample))
        first, self._next = self._next, self._next + n_sample
        return self._store[first : self._next]

    def state(self) -> dict[str, Tensor]:
        """What `restore` needs; the block of draws is not in it, as it can be drawn again."""
        place = torch.tensor([self._next, self._size])
        return {"generator": self._before_block, "place": place}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on to draw as the one of equal weights that had this state."""
        self._generator.set_state(state["generator"])
        first, size = state["place"].tolist()
        if size:
            self._refill(size)
        self._next = first

    def _refill(self, size: int) -> None:
        where, self._before_block = self._cumulated.device, self._generator.get_state()
        points = torch.rand(size, generator=self._generator, device=where, dtype=torch.float64)
        self._store = self._search(points).to(self._store.device)
        self._next, self._size = 0, size


def popularity_weight(support: Real[Tensor, "items"], alpha: float) -> Float[Tensor, "items"]:
    """support^alpha, on the CPU: 0 uniform over the clicked items, 1 popularity. [H18]."""
    counts = support.cpu().double()
    return (counts > 0) * counts**alpha


def log_uniform_weight(support: Real[Tensor, "items"], alpha: float) -> Float[Tensor, "items"]:
    """log((r + 2) / (r + 1)) for the item of popularity rank r, 0 = most popular; no `alpha`.

    It lies on the CPU.
    """
    rank = torch.empty(len(support), dtype=torch.float64)
    order = support.cpu().argsort(descending=True, stable=True)
    rank[order] = torch.arange(len(support), dtype=torch.float64)
    return (support.cpu() > 0) * ((rank + 2) / (rank + 1)).log()


# What each sampler of `Config` draws by; "hard" draws a pool by popularity and keeps the hardest.
WEIGHTS: Mapping[str, Callable[[Tensor, float], Tensor]] = MappingProxyType(
    {
        "popularity": popularity_weight,
        "uniform": lambda support, alpha: popularity_weight(support, 0.0),
        "log-uniform": log_uniform_weight,
        "hard": popularity_weight,
    }
)


def copies(
    targets: Int[Tensor, "batch"], negatives: Int[Tensor, "n_sample"]
) -> Bool[Tensor, "batch columns"]:
    """True where a column of the score matrix, the row's own aside, is the row's target."""
    same = targets[:, None] == torch.cat([targets, negatives])
    return same.fill_diagonal_(False)


def first_without(
    pool: Int[Tensor, "pool"], targets: Int[Tensor, "batch"], n_sample: int
) -> Int[Tensor, "n_sample"]:
    """The first `n_sample` of the pool that equal no target; targets fill up if the pool ends.

    Taking from a larger pool is drawing again, without asking the device how often.
    """
    clash = _equals_some(pool, targets)
    return pool[clash.to(torch.uint8).argsort(stable=True)[:n_sample]]


def hardest(
    pool: Int[Tensor, "pool"],
    scores: Float[Tensor, "batch pool"],
    targets: Int[Tensor, "batch"],
    n_sample: int,
) -> Int[Tensor, "n_sample"]:
    """The `n_sample` items of the pool that some row scores highest, the batch's targets last."""
    best = scores.max(dim=0).values.masked_fill(_equals_some(pool, targets), -torch.inf)
    return pool[best.argsort(descending=True, stable=True)[:n_sample]]


def _equals_some(pool: Tensor, targets: Tensor) -> Tensor:
    """Not torch.isin: from some 36 targets on it sorts, and the CPU waits for how many differ."""
    return (pool[:, None] == targets).any(dim=1)


@runtime_checkable
class HasTargets(Protocol):
    """A batch, whose targets are made when asked for: most samplers do not."""

    @property
    def targets(self) -> Int[Tensor, "batch"]:
        """The item that each row's negatives are for."""


class NegativeSampler:
    """The policy that picks the extra negatives of each step.

    Attributes:
        sample_alpha: the exponent that it draws by; None before `set_sample_alpha`.
    """

    def __init__(
        self,
        support: Real[Tensor, "items"],
        *,
        sampler: str = "popularity",
        collisions: str = "keep",
        generator: torch.Generator,
        device: torch.device | str = "cpu",
        search: Callable[[Tensor], Callable[[Tensor], Tensor]] = BinarySearch,
    ):
        self._support, self._weight_of = support, WEIGHTS[sampler]
        self._hard, self._resample = sampler == "hard", collisions == "resample"
        self._new_sampler = partial(Sampler, generator=generator, device=device, search=search)
        self.sample_alpha: float | None = None

    def set_sample_alpha(self, sample_alpha: float) -> Float[Tensor, "items"]:
        """Draw by this exponent from now on; the weight of each item."""
        weight = self._weight_of(self._support, sample_alpha)
        self._sampler, self.sample_alpha = self._new_sampler(weight), sample_alpha
        return weight

    def state(self) -> dict[str, Tensor]:
        """What `restore` needs, beside the same `sample_alpha`."""
        return self._sampler.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on to draw as the one that had this state."""
        self._sampler.restore(state)

    def pick(
        self,
        batch: HasTargets,
        n_sample: int | Literal["all"],
        scores_of: Callable[[HasTargets, Int[Tensor, "pool"]], Float[Tensor, "batch pool"]],
    ) -> Int[Tensor, "n_sample"] | None:
        """The extra negatives of a step; "hard" asks for the `scores_of` items in this batch.

        None for "all": each item but a row's target is its negative, and nothing is drawn.
        """
        if n_sample == "all":
            return None
        if not n_sample or not (self._hard or self._resample):
            return self._sampler.draw(n_sample)
        pool = self._sampler.draw(POOL * n_sample)
        if self._hard:
            return hardest(pool, scores_of(batch, pool), batch.targets, n_sample)
        return first_without(pool, batch.targets, n_sample)


@dataclass(frozen=True)
class Frequencies:
    """How often items are negatives: `support` in the batch, `extra` among the samples; [items].

    Counts and weights as they are; `*_total` are their sums.
    """

    support: Float[Tensor, "items"]
    extra: Float[Tensor, "items"]
    support_total: Float[Tensor, ""]
    extra_total: Float[Tensor, ""]

    @classmethod
    def of(cls, support: Float[Tensor, "items"], extra: Float[Tensor, "items"]) -> "Frequencies":
        """Frequencies with their sums."""
        return cls(support, extra, support.sum(), extra.sum())


def official_logq(
    frequencies: Frequencies,
    targets: Int[Tensor, "batch"],
    negatives: Int[Tensor, "n_sample"],
    *,
    logq: Strength,
) -> Float[Tensor, "columns"]:
    """What to subtract from each score column, as the official code does, from raw counts.

    logq times log support for the batch's own targets and the log weight of the sampler (alpha log
    support) for the extra samples. The row's target is corrected too.
    """
    return logq * torch.cat([frequencies.support[targets], frequencies.extra[negatives]]).log()


def exact_logq(
    frequencies: Frequencies,
    targets: Int[Tensor, "batch"],
    negatives: Int[Tensor, "n_sample"],
    *,
    logq: Strength,
) -> Float[Tensor, "batch columns"]:
    """What to subtract from each score: logq times the log of the item's expected count.

    An item is expected (B - 1) support / sum + N weight / sum times among a row's negatives. With
    logq = 1 and copies of the target left out, the sum of the corrected exponentials is an unbiased
    estimate of that over the whole catalogue. The row's target, there with certainty, stays as is.
    """
    columns = torch.cat([targets, negatives])
    in_batch = (len(targets) - 1) * frequencies.support[columns] / frequencies.support_total
    extra = len(negatives) * frequencies.extra[columns] / frequencies.extra_total
    correction = (logq * (in_batch + extra).log()).repeat(len(targets), 1)
    correction.diagonal().zero_()
    return correction


def corrected(
    scores: Float[Tensor, "batch columns"],
    targets: Int[Tensor, "batch"],
    negatives: Int[Tensor, "n_sample"],
    frequencies: Frequencies | None,
    *,
    logq: Strength,
    exact: bool,
    mask: bool,
) -> tuple[Float[Tensor, "batch columns"], Bool[Tensor, "batch columns"] | None]:
    """The scores as the loss sees them, before ELU, and which are absent; None if none is.

    `frequencies` are needed where `logq` is above 0. With `mask`, the copies of a row's own target
    are absent; with the `exact` correction as well, which counts negatives, and a copy is none.
    """
    if acts(logq):
        correction = exact_logq if exact else official_logq
        scores = scores - correction(frequencies, targets, negatives, logq=logq)
    absent = copies(targets, negatives) if mask or (exact and acts(logq)) else None
    return scores, absent
