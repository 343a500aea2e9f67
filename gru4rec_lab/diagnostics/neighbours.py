"""Which items a model takes for alike: those whose vectors point the same way."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from ..recommend import Recommender

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("output", "input")


def item_vectors(model: Recommender, table: str = "output") -> Float[Tensor, "items width"]:
    """The table that scores items ("output") or that clicks are looked up in ("input").

    They are the same table in a model with a constrained embedding.

    Raises:
        ValueError: neither of the two.
    """
    if table not in TABLES:
        raise ValueError(f"unknown table {table!r}; choose one of {', '.join(TABLES)}")
    network = model.network
    return (network.items if table == "output" else network.input_table()[1]).detach()


def nearest(
    vectors: Float[Tensor, "items width"], k: int
) -> tuple[Float[Tensor, "items k"], Int[Tensor, "items k"]]:
    """Cosine and index of the `k` nearest other items of each item, the nearest first.

    Raises:
        ValueError: fewer than 1 neighbour, or as many as there are items.
    """
    if not 1 <= k < len(vectors):
        raise ValueError(f"k must be from 1 to {len(vectors) - 1}, got {k}")
    unit = normalize(vectors, dim=1)
    cosine = unit @ unit.T
    cosine.fill_diagonal_(-torch.inf)
    best = cosine.topk(k, dim=1)
    return best.values, best.indices


def neighbours(model: Recommender, item: Any, k: int = 5, table: str = "output") -> "pd.DataFrame":
    """The `k` items nearest to `item`, the nearest first: item (the index) and cosine.

    Raises:
        ValueError: the model does not know the item, or there are no `k` others.
    """
    import pandas as pd

    index = model.index(item)
    if index is None:
        raise ValueError(f"the model does not know the item {item!r}; see model.item_ids")
    cosine, number = (rows[index] for rows in nearest(item_vectors(model, table), k))
    names = pd.Index(model.item_ids[number.cpu().numpy()], name="item")
    return pd.DataFrame({"cosine": cosine.cpu().numpy()}, index=names)


def agreement(
    model: Recommender, labels: Mapping[Any, Hashable], k: int = 5, table: str = "output"
) -> tuple[float, float]:
    """How often an item and its neighbour have the same label, and how often two items do at all.

    Args:
        labels: item to its label; every item of the model needs one.

    Raises:
        KeyError: an item without a label.
    """
    label = np.array([labels[item] for item in model.item_ids.tolist()])
    near = nearest(item_vectors(model, table), k)[1].cpu().numpy()
    count = np.unique(label, return_counts=True)[1]
    by_chance = (count * (count - 1)).sum() / (len(label) * (len(label) - 1))
    return float((label[near] == label[:, None]).mean()), float(by_chance)
