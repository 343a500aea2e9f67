"""The exercises of notebook 08: the size of the tables, nearest neighbours, dropout."""

from functools import partial

import torch
from torch.nn.functional import normalize

from .check import Cases, Check

TABLES = {"constrained": 1, "separate": 2, "one-hot": 4}  # in units of items x units


def _numbers(n_items, units, mode, tables=TABLES, biases=1):
    return (tables[mode] * units + biases) * n_items


check_item_numbers = Check(
    "item_numbers",
    _numbers,
    lambda: {mode: (1000, 64, mode) for mode in TABLES},
    mistakes={
        "the output bias, one number an item, is missing": partial(_numbers, biases=0),
        "one-hot has a row for each of the three blocks of the GRU": partial(
            _numbers, tables=TABLES | {"one-hot": 2}
        ),
        "constrained has one table for input and output": partial(
            _numbers, tables=TABLES | {"constrained": 2}
        ),
        "one-hot needs the output table beside its three blocks": partial(
            _numbers, tables=TABLES | {"one-hot": 3}
        ),
        "only the output has a bias for each item": partial(_numbers, biases=2),
    },
)


def _cosine(vectors, item, own=-torch.inf):
    """The cosine of each vector with the item's; `own` for the item itself."""
    cosine = normalize(vectors, dim=1) @ normalize(vectors[item], dim=0)
    cosine[item] = own
    return cosine


def _nearest(vectors, item, k, own=-torch.inf):
    return _cosine(vectors, item, own).topk(k).indices


def _by_product(vectors, item, k):
    product = vectors @ vectors[item]
    product[item] = -torch.inf
    return product.topk(k).indices


def _by_distance(vectors, item, k):
    distance = (vectors - vectors[item]).norm(dim=1)
    distance[item] = torch.inf
    return (-distance).topk(k).indices


def _vectors() -> Cases:
    generator = torch.Generator().manual_seed(3)
    length = torch.tensor([0.3, 1.0, 4.0]).repeat(4)[:, None]
    flat = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [5.0, 5.0], [3.0, 1.5]])
    return {
        "five items in the plane": (flat, 0, 2),
        "twelve items, all the others": (length * torch.randn(12, 5, generator=generator), 4, 11),
    }


check_nearest = Check(
    "nearest",
    _nearest,
    _vectors,
    mistakes={
        "that is the inner product; divide by the lengths": _by_product,
        "the item itself is none of its neighbours": partial(_nearest, own=1),
        "these are the farthest": lambda vectors, item, k: (
            (-_cosine(vectors, item, torch.inf)).topk(k).indices
        ),
        "the nearest comes first": lambda vectors, item, k: _nearest(vectors, item, k).flip(0),
        "that goes by distance; take the cosine": _by_distance,
        "a cosine may lie below 0: set the item's own to minus infinity": partial(_nearest, own=0),
        "those are the cosines; give the places, .indices": lambda vectors, item, k: (
            _cosine(vectors, item).topk(k).values
        ),
    },
)


def _dropped(values, kept, share):
    return values * kept / (1 - share)


def _masked() -> Cases:
    kept = torch.tensor([[True, False, True, True], [False, True, True, False]])
    values = torch.tensor([[1.0, 2.0, -3.0, 4.0], [0.5, -1.0, 2.0, 8.0]])
    return {"a quarter": (values, kept, 0.25), "a half": (values, kept, 0.5)}


check_dropout = Check(
    "dropout",
    _dropped,
    _masked,
    mistakes={
        "what is kept must grow, so that the sum stays the same on average": (
            lambda values, kept, share: values * kept
        ),
        "divide by the share that is kept instead of multiplying": lambda values, kept, share: (
            values * kept * (1 - share)
        ),
        "divide by the share that is kept, not by the one that is dropped": (
            lambda values, kept, share: values * kept / share
        ),
        "where kept is True the value stays": lambda values, kept, share: _dropped(
            values, ~kept, share
        ),
        "what is not kept becomes 0": lambda values, kept, share: values / (1 - share),
        "divide by 1 - share, whatever these draws happened to keep": lambda values, kept, share: (
            values * kept / kept.double().mean()
        ),
    },
)
