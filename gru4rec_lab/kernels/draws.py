"""Which items are drawn: from random points in [0, 1) to where they fall in cumulated weights."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .jit import compiled


class GuidedSearch:
    """Finds the items of random points on a CPU; as `sampling.BinarySearch`, five times as fast."""

    def __init__(self, cumulated: Float[Tensor, "items"]):
        self._cumulated = cumulated.numpy()
        self._guide = np.zeros(1 << (len(cumulated) - 1).bit_length(), np.int64)
        make_guide(self._cumulated, self._guide)

    def __call__(self, points: Float[Tensor, "draws"]) -> Int[Tensor, "draws"]:
        """The item of each point: the first whose sum is above it."""
        found = torch.empty(len(points), dtype=torch.int64)
        find(self._cumulated, self._guide, points.numpy(), found.numpy())
        return found


@compiled
def make_guide(cumulated, guide):
    """`guide[b]`, [buckets], becomes the first item whose sum is above b / len(guide).

    `cumulated`, [items], are the sums of the weights up to each item, the last one about 1.
    """
    item = 0
    for bucket in range(len(guide)):
        while item < len(cumulated) - 1 and cumulated[item] * len(guide) <= bucket:
            item += 1
        guide[bucket] = item


@compiled
def find(cumulated, guide, points, found):
    """`found[k]` becomes the first item whose sum is above `points[k]`, else the last; [draws].

    A point starts at the item of its bucket and goes on from there: it reads two sums on average,
    whatever the weights, where a binary search among 30,000 items reads fifteen, each a wait for
    memory. The guide's length must be a power of 2, so that no rounding picks a wrong bucket.
    """
    for k in range(len(points)):
        item = guide[int(points[k] * len(guide))]
        while item < len(cumulated) - 1 and cumulated[item] <= points[k]:
            item += 1
        found[k] = item
