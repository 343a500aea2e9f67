"""Finding the drawn items: from points in [0, 1) to where they fall in a cumulated distribution."""

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
