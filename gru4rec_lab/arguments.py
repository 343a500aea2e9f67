"""What many functions ask of an argument, refused in the same words by all of them."""

import operator
from numbers import Real
from types import UnionType
from typing import Any


def whole(name: str, value: Any, least: int = 1) -> int:
    """`value` as Python's own whole number; numpy's are taken, True and 3.0 are not.

    Raises:
        ValueError: not a whole number of at least `least`.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return number


def check_number(name: str, value: Any) -> None:
    """Accept a number, of numpy too; text and True are none.

    Raises:
        ValueError: no number.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"{name} must be a number, got {value!r}")


def check_kind(wanted: type | UnionType, way_out: str, /, **given: Any) -> None:
    """Accept each of the arguments `given` by name if it is `wanted`: a class, or a class | None.

    Raises:
        ValueError: one is something else.
    """
    for name, value in given.items():
        if not isinstance(value, wanted):
            kind = (
                f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
            )
            (needed, *_) = getattr(wanted, "__args__", (wanted,))
            raise ValueError(f"{name} must be {needed.__name__}, got {kind}; {way_out}")
