"""Items that a model does not know, and ids that mean the same: 101, "101", " 101" and "101.0"."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np

from .sessions import Sessions


def unknown_items(sessions: Sessions, item_ids: np.ndarray) -> list[Any]:
    """The clicked items that are not among `item_ids`."""
    known = set(item_ids.tolist())
    clicked = sessions.item_ids[sessions.support > 0].tolist()
    return [item for item in clicked if item not in known]


def check_spelling(unknown: Any, index: Callable[[Any], int | None]) -> None:
    """Accept an unknown item, unless `index` finds it as another type or without blanks around it.

    Raises:
        ValueError: it does; the text "101" is not the number 101.
    """
    for other in _spellings(unknown):
        if index(other) is not None:
            raise ValueError(
                f"the model does not know the item {unknown!r}, but it knows {other!r}; give items "
                "as they are in model.item_ids"
            )


def shortlist(items: Sequence[Any], most: int = 5) -> str:
    """The items as text, the first `most` of them."""
    return ", ".join(map(repr, items[:most])) + (", ..." if len(items) > most else "")


def _spellings(item: Any) -> Iterator[Any]:
    inner = getattr(item, "item", item)  # of numpy and torch a function, of Recommendation the item
    with suppress(ValueError, RuntimeError):  # an array of several numbers
        item = inner() if callable(inner) else inner
    text = item.decode(errors="replace") if isinstance(item, bytes) else str(item).strip()
    yield text
    # Not float, which holds no more than 15 digits.
    with suppress(ArithmeticError, ValueError):  # no number; nan, infinity
        number = Decimal(text)
        yield from (int(number), str(int(number))) if number == int(number) else (float(number),)
