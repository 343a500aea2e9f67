"""Which click of a session moved a recommendation: the session is read again without it."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..recommender import Recommender


@torch.no_grad()
def click_effects(
    model: Recommender, clicks: Sequence[Any], items: Sequence[Any]
) -> Float[Tensor, "clicks items"]:
    """By how much the score of each item falls if one click is left out of the session.

    The other clicks stay in their order. Effects do not add up to the score: clicks act together.

    Raises:
        ValueError: the model does not know an item.
    """
    numbers = {item: model.index(item) for item in (*clicks, *items)}
    if unknown := [item for item, number in numbers.items() if number is None]:
        raise ValueError(f"the model does not know the item {unknown[0]!r}; see model.item_ids")
    rows, last = torch.arange(len(clicks) + 1, device=model.device), len(clicks)
    state = model.start(len(rows))
    for row, item in enumerate(clicks):
        after = model.advance(torch.full_like(rows, numbers[item]), state, rows)
        for layer, before in zip(after, state, strict=True):
            layer[row] = before[row]  # the row that leaves this click out; the last leaves out none
        state = after
    columns = torch.tensor([numbers[item] for item in items], device=model.device)
    scores = model.network.scores(state, columns)
    return scores[last] - scores[:last]
