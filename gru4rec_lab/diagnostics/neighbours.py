"""Which items a model takes for alike: those whose vectors point the same way."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from ..data.sessions import Sessions
from ..recommender import Recommender

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("output", "input")
N_COSINES = 2**22  # computed at once, 16 MB


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
    vectors: Float[Tensor, "items width"], k: int, items: Int[Tensor, " asked"] | None = None
) -> tuple[Float[Tensor, "asked k"], Int[Tensor, "asked k"]]:
    """Cosine and index of the `k` other items nearest to each of `items`, the nearest first.

    None stands for all items. Each item asked for costs one product of the table with a vector.

    Raises:
        ValueError: fewer than 1 neighbour, or as many as there are items.
    """
    n_items = len(vectors)
    if not 1 <= k < n_items:
        raise ValueError(f"k must be from 1 to {n_items - 1}, got {k}")
    unit = normalize(vectors, dim=1)
    asked = (torch.arange(n_items) if items is None else items).to(vectors.device)
    # In blocks: the cosines of all pairs are 5.5 GB at 37,000 items.
    blocks = [_nearest(unit, k, block) for block in asked.split(max(1, N_COSINES // n_items))]
    cosine, index = zip(*blocks, strict=True)
    return torch.cat(cosine), torch.cat(index)


def _nearest(unit: Tensor, k: int, asked: Tensor) -> tuple[Tensor, Tensor]:
    cosine = unit[asked] @ unit.T
    cosine.scatter_(1, asked[:, None], -torch.inf)
    return tuple(cosine.topk(k, dim=1))


def neighbours(model: Recommender, item: Any, k: int = 5, table: str = "output") -> "pd.DataFrame":
    """The `k` items nearest to `item`, the nearest first: item (the index) and cosine.

    Raises:
        ValueError: the model does not know the item, or there are no `k` others.
    """
    import pandas as pd

    index = model.index(item)
    if index is None:
        raise ValueError(f"the model does not know the item {item!r}; see model.item_ids")
    vectors = item_vectors(model, table)
    cosine, number = nearest(vectors, k, torch.tensor([index], device=vectors.device))
    names = pd.Index(model.item_ids[number[0].cpu().numpy()], name="item")
    return pd.DataFrame({"cosine": cosine[0].cpu().numpy()}, index=names)


def agreement(
    model: Recommender, labels: Mapping[Any, Hashable], k: int = 5, table: str = "output"
) -> tuple[float, float]:
    """How often an item and its neighbour have the same label, and how often two items do at all.

    Args:
        labels: item to its label; every item of the model needs one.

    Raises:
        KeyError: an item without a label.
    """
    numbers: dict[Hashable, int] = {}
    items = model.item_ids.tolist()
    label = np.array([numbers.setdefault(labels[item], len(numbers)) for item in items])
    near = nearest(item_vectors(model, table), k)[1].cpu().numpy()
    count = np.bincount(label)
    by_chance = (count * (count - 1)).sum() / (len(label) * (len(label) - 1))
    return float((label[near] == label[:, None]).mean()), float(by_chance)


def alike_in_use(
    model: Recommender, sessions: Sessions, k: int = 5, table: str = "output"
) -> tuple[float, float]:
    """How alike what follows an item and its neighbours is, and what comes before them.

    Both are cosines of the counts of these items in the sessions, from 0 to 1, averaged over all
    items of the model and the `k` neighbours of each.
    """
    known = sessions.with_items(model.item_ids)
    goes_on = known.session_of_click[1:] == known.session_of_click[:-1]
    steps = torch.from_numpy(np.stack([known.items[:-1][goes_on], known.items[1:][goes_on]]))
    near = nearest(item_vectors(model, table), k)[1].cpu()
    return _alike(steps, near), _alike(steps.flip(0), near)


def _alike(steps: Int[Tensor, "two steps"], near: Int[Tensor, "items k"]) -> float:
    """Mean cosine between the counts of steps from an item and from each of its neighbours."""
    shape = (len(near), len(near))
    ones = torch.ones(steps.shape[1])
    counts = torch.sparse_coo_tensor(steps, ones, shape, check_invariants=True).coalesce()
    length = (counts * counts).sum(dim=1).to_dense().sqrt().clamp_min(1)
    dots = [(counts * counts.index_select(0, one)).sum(dim=1).to_dense() for one in near.T]
    cosine = torch.stack(dots) / (length * length[near.T])
    return cosine.mean().item()
