"""Extra negatives, shared by all rows of a step, beside the other targets of the batch. [H18]."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

BLOCK = 1 << 16


class PopularitySampler:
    """Draws items with probability ~ support^alpha: 0 uniform over the catalogue, 1 popularity.

    Draws are with replacement and made in blocks of some 65,000 (the sample store of [H18]), since
    one search for many draws costs far less than many searches.
    """

    def __init__(
        self,
        support: Int[Tensor, "items"],
        alpha: float,
        *,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ):
        self.alpha = alpha
        self._generator = generator
        self._store = torch.empty(0, dtype=torch.int64, device=device)
        self._next = 0
        # Float64: with a million items float32 sums lose the rarest ones. MPS has none.
        weight = support.cpu().double() ** alpha if alpha else torch.ones(len(support)).double()
        weight[support.cpu() == 0] = 0
        cumulated = weight.cumsum(0)
        self.probability = (weight / cumulated[-1]).to(device, torch.float32)
        self._cumulated = cumulated / cumulated[-1]
        if torch.device(device).type == "cuda":
            self._cumulated = self._cumulated.to(device)

    def draw(self, n_sample: int) -> Int[Tensor, "n_sample"]:
        """The next `n_sample` items."""
        if self._next + n_sample > len(self._store):
            self._refill(max(BLOCK, n_sample))
        first, self._next = self._next, self._next + n_sample
        return self._store[first : self._next]

    def _refill(self, size: int) -> None:
        where = self._cumulated.device
        points = torch.rand(size, generator=self._generator, device=where, dtype=torch.float64)
        drawn = torch.searchsorted(self._cumulated, points, right=True)
        # The last sum can round to just below 1 and the draw fall behind it.
        self._store = drawn.clamp_(max=len(self._cumulated) - 1).to(self._store.device)
        self._next = 0


def logq_correction(
    log_support: Float[Tensor, "items"],
    targets: Int[Tensor, "batch"],
    negatives: Int[Tensor, "n_sample"],
    *,
    logq: float,
    sample_alpha: float,
) -> Float[Tensor, "columns"]:
    """What to subtract from each score column: logq times the log of how often it is a sample.

    As in the official code, from raw counts: log support for the batch's own targets,
    `sample_alpha` times it for the extra samples; the target of the row is corrected too.
    """
    return logq * torch.cat([log_support[targets], sample_alpha * log_support[negatives]])
