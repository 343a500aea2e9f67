"""What is wrong with a result, in words: its type, its shape, or the first value that is off."""

from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import Tensor

RTOL, ATOL = 1e-4, 1e-6


def difference(got: Any, want: Any, parts: tuple[str, ...] = ()) -> str:
    """What is wrong with `got`, in a few words; empty if it equals `want` up to rounding.

    Numbers may come as tensors without dimensions, tensors of any number type. Rows and columns
    count from 0. Results of several parts are called by the names in `parts`.
    """
    if got is None and want is not None:
        return "your function returned nothing; end it with return"
    if isinstance(want, tuple | list):
        return _of_parts(got, want, parts)
    if isinstance(want, Tensor | np.ndarray | Number):
        return _of_numbers(got, want)
    return "" if type(got) is type(want) and got == want else _should_be(want, got)


def _of_parts(got: Any, want: tuple | list, parts: tuple[str, ...]) -> str:
    if not isinstance(got, tuple | list):
        return f"wrong type: want {len(want)} results, got {_kind(got)}"
    if len(got) != len(want):
        return f"wrong number of results: want {len(want)}, got {len(got)}"
    names = parts or [f"result {place}" for place in range(len(want))]
    for name, one, wanted in zip(names, got, want, strict=True):
        if wrong := difference(one, wanted):
            return f"{name}: {wrong}"
    return ""


def _of_numbers(got: Any, want: Any) -> str:
    shape = list(np.shape(want))
    if not isinstance(got, Tensor | np.ndarray if shape else Tensor | np.ndarray | Number):
        wanted = f"a tensor of shape {shape}" if shape else "a number"
        return f"wrong type: want {wanted}, got {_kind(got)}"
    if list(np.shape(got)) != shape:
        return f"wrong shape: want {shape}, got {list(np.shape(got))}"
    number, wanted = _exact(got), _exact(want)
    close = torch.isclose(number, wanted, rtol=RTOL, atol=ATOL, equal_nan=True)
    if close.all():
        return ""
    place = tuple((~close).nonzero()[0].tolist())
    value = torch.as_tensor(got).detach()[place].item()
    wrong = _should_be(torch.as_tensor(want)[place].item(), value)
    return f"{_words(place)} {wrong}".lstrip()


def _exact(numbers: Any) -> Tensor:
    tensor = torch.as_tensor(numbers).detach().cpu()
    return tensor if tensor.is_complex() else tensor.double()


def _words(place: tuple[int, ...]) -> str:
    if len(place) > 2:
        return f"entry {list(place)}"
    return ", ".join(f"{name} {at}" for name, at in zip(("row", "column"), place, strict=False))


def _should_be(want: Any, got: Any) -> str:
    if isinstance(got, float) and got != got:
        return f"should be {want:.3g}, not NaN"
    if isinstance(want, float) or isinstance(got, float):
        return "should be {}, not {}".format(*_digits(want, got))
    return f"should be {want!r}, not {got!r}"


def _digits(want: float, got: float) -> tuple[str, str]:
    """Both numbers, with as many digits as it takes to tell them apart."""
    for digits in (3, 5, 8, 17):
        shown = f"{want:.{digits}g}", f"{got:.{digits}g}"
        if shown[0] != shown[1]:
            break
    return shown


def _kind(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"a tensor of shape {list(value.shape)}"
    return type(value).__name__
