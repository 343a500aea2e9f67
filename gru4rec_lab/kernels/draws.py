"""Finding the drawn items: from points in [0, 1) to where they fall in a cumulated distribution."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .jit import compiled


@compiled
def make_guide(cumulated, guide):
    """`guide[b]` is the first item whose sum is above b / len(guide)."""
    item = 0
    for bucket in range(len(guide)):
        while item < len(cumulated) - 1 and cumulated[item] * len(guide) <= bucket:
            item += 1
        guide[bucket] = item


@compiled
def find(cumulated, guide, points, found):
    """`found[k]` is the first item whose sum is above `points[k]`, else the last one.

    A point looks up its bucket and goes on from there: two looks on average for any weights, where
    a binary search among 30,000 items takes fifteen, each a wait for memory. The guide's length
    must be a power of 2: then the bucket is not rounded.
    """
    for k in range(len(points)):
        item = guide[int(points[k] * len(guide))]
        while item < len(cumulated) - 1 and cumulated[item] <= points[k]:
            item += 1
        found[k] = item


class GuidedSearch:
    """Finds the items of random points in a cumulated distribution on a CPU."""

    def __init__(self, cumulated: Float[Tensor, "items"]):
        self._cumulated = cumulated.numpy()
        self._guide = np.zeros(1 << (len(cumulated) - 1).bit_length(), np.int64)
        make_guide(self._cumulated, self._guide)

    def __call__(self, points: Float[Tensor, "draws"]) -> Int[Tensor, "draws"]:
        """The item of each point."""
        found = torch.empty(len(points), dtype=torch.int64)
        find(self._cumulated, self._guide, points.numpy(), found.numpy())
        return found
