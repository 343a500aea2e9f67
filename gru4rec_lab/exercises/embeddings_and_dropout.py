"""The exercises of notebook 08: the size of the tables, nearest neighbours, dropout."""

import torch
from torch.nn.functional import normalize

from .check import Cases, Check

_TABLES = {"constrained": 1, "separate": 2, "one-hot": 4}  # in units of items x units


def _numbers(n_items, units, mode):
    return _TABLES[mode] * n_items * units + n_items


def _without_bias(n_items, units, mode):
    return _TABLES[mode] * n_items * units


def _one_gate(n_items, units, mode):
    return (2 if mode == "one-hot" else _TABLES[mode]) * n_items * units + n_items


def _no_output_table(n_items, units, mode):
    return (3 if mode == "one-hot" else _TABLES[mode]) * n_items * units + n_items


def _two_biases(n_items, units, mode):
    return (_TABLES[mode] * units + 2) * n_items


def _shared_counted_twice(n_items, units, mode):
    return (2 if mode == "constrained" else _TABLES[mode]) * n_items * units + n_items


check_item_numbers = Check(
    "item_numbers",
    _numbers,
    lambda: {mode: (1000, 64, mode) for mode in _TABLES},
    mistakes={
        "the output bias, one number an item, is missing": _without_bias,
        "one-hot has a row for each of the three blocks of the GRU": _one_gate,
        "constrained has one table for input and output": _shared_counted_twice,
        "one-hot needs the output table beside its three blocks": _no_output_table,
        "only the output has a bias for each item": _two_biases,
    },
)


def _nearest(vectors, item, k):
    cosine = normalize(vectors, dim=1) @ normalize(vectors[item], dim=0)
    cosine[item] = -torch.inf
    return cosine.topk(k).indices


def _by_product(vectors, item, k):
    product = vectors @ vectors[item]
    product[item] = -torch.inf
    return product.topk(k).indices


def _with_itself(vectors, item, k):
    return (normalize(vectors, dim=1) @ normalize(vectors[item], dim=0)).topk(k).indices


def _farthest(vectors, item, k):
    cosine = normalize(vectors, dim=1) @ normalize(vectors[item], dim=0)
    cosine[item] = torch.inf
    return (-cosine).topk(k).indices


def _nearest_last(vectors, item, k):
    return _nearest(vectors, item, k).flip(0)


def _by_distance(vectors, item, k):
    distance = (vectors - vectors[item]).norm(dim=1)
    distance[item] = torch.inf
    return (-distance).topk(k).indices


def _item_at_zero(vectors, item, k):
    cosine = normalize(vectors, dim=1) @ normalize(vectors[item], dim=0)
    cosine[item] = 0
    return cosine.topk(k).indices


def _cosines(vectors, item, k):
    cosine = normalize(vectors, dim=1) @ normalize(vectors[item], dim=0)
    return cosine[_nearest(vectors, item, k)]


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
        "the item itself is none of its neighbours": _with_itself,
        "these are the farthest": _farthest,
        "the nearest comes first": _nearest_last,
        "that goes by distance; take the cosine": _by_distance,
        "a cosine may lie below 0: set the item's own to minus infinity": _item_at_zero,
        "those are the cosines; give the places, .indices": _cosines,
    },
)


def _dropped(values, kept, share):
    return values * kept / (1 - share)


def _unscaled(values, kept, share):
    return values * kept


def _scaled_down(values, kept, share):
    return values * kept * (1 - share)


def _by_the_share(values, kept, share):
    return values * kept / share


def _masked() -> Cases:
    kept = torch.tensor([[True, False, True, True], [False, True, True, False]])
    values = torch.tensor([[1.0, 2.0, -3.0, 4.0], [0.5, -1.0, 2.0, 8.0]])
    return {"a quarter": (values, kept, 0.25), "a half": (values, kept, 0.5)}


check_dropout = Check(
    "dropout",
    _dropped,
    _masked,
    mistakes={
        "what is kept must grow, so that the sum stays the same on average": _unscaled,
        "divide by the share that is kept instead of multiplying": _scaled_down,
        "divide by the share that is kept, not by the one that is dropped": _by_the_share,
        "where kept is True the value stays": lambda values, kept, share: _dropped(
            values, ~kept, share
        ),
        "what is not kept becomes 0": lambda values, kept, share: values / (1 - share),
        "divide by 1 - share, whatever these draws happened to keep": lambda values, kept, share: (
            values * kept / kept.double().mean()
        ),
    },
)
