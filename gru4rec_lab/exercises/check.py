"""`Check`: an attempt at an exercise goes in, one printed line comes out, nothing is ever raised.

A check holds the right function, named cases to try it on, and known mistakes: functions that go
wrong in a way that can be named. An attempt that fails a case as a known mistake does is told so.
"""

import copy
import inspect
import traceback
from collections.abc import Callable, Mapping
from numbers import Number
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

Cases = Mapping[str, tuple]
LONGEST = 160
RTOL, ATOL = 1e-4, 1e-6


class Check:
    """Compares a learner's function with the right one; call it with the function.

    Attributes:
        name: what the printed line begins with.
        answer: the right function.
        cases: gives case name to arguments, as in `my_bpr(*check_bpr.cases()["one negative"])`.
        mistakes: what was done wrong to a function that does it; ends the line when it fits.
        parts: names of the results where the function returns several, or a list of several.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[..., Any],
        cases: Callable[[], Cases],
        *,
        mistakes: Mapping[str, Callable[..., Any]] = MappingProxyType({}),
        parts: tuple[str, ...] = (),
    ):
        self.name, self.answer, self.cases = name, answer, cases
        self.mistakes, self.parts = mistakes, parts

    def __call__(self, attempt: Any) -> None:
        """Print the verdict on `attempt`."""
        print(self.verdict(attempt))

    def verdict(self, attempt: Any) -> str:
        """One line: "not attempted yet", what is wrong and in which case, or "correct"."""
        return f"{self.name}: {self._wrong(attempt) or 'correct'}"

    def or_answer(self, attempt: Callable[..., Any]) -> Callable[..., Any]:
        """`attempt` if it is correct, else the right function, so that a lesson can go on."""
        return self.answer if self._wrong(attempt) else attempt

    def _wrong(self, attempt: Any) -> str:
        if not callable(attempt):
            return f"give the function itself, without calling it; got {_kind_and_shape(attempt)}"
        for case, arguments in self.cases().items():
            try:
                wrong = self._wrong_in(case, attempt, arguments)
            except NotImplementedError:
                return "not attempted yet"
            except Exception as error:
                wrong = f"your function raised {_error(error, attempt)}"
            if wrong:
                return f"{wrong} (case: {case})"
        return ""

    def _wrong_in(self, case: str, attempt: Any, arguments: tuple) -> str:
        given = copy.deepcopy(arguments)
        got = attempt(*given)
        names = inspect.signature(self.answer).parameters
        for name, before, after in zip(names, arguments, given, strict=False):
            if isinstance(before, torch.Tensor | list) and difference(after, before):
                return f"your function changes its argument {name} in place; work on a copy"
        right = self._right(arguments)
        wrong = difference(got, right, self.parts)
        return wrong and wrong + self._mistake(got, right, arguments)

    def _right(self, arguments: tuple) -> Any:
        return self.answer(*copy.deepcopy(arguments))

    def _mistake(self, got: Any, right: Any, arguments: tuple) -> str:
        part = _first_wrong_part(got, right)
        for words, mistaken in self.mistakes.items():
            known = mistaken(*copy.deepcopy(arguments))
            if not (difference(got, known) if part is None else difference(got[part], known[part])):
                return f"; {words}"
        return ""


def _first_wrong_part(got: Any, right: Any) -> int | None:
    """Place of the part that the line is about, where a function returns several."""
    if not isinstance(right, tuple) or not isinstance(got, tuple | list) or len(got) != len(right):
        return None
    return next(place for place, want in enumerate(right) if difference(got[place], want))


def _error(error: Exception, attempt: Any) -> str:
    """Type and message of the exception, and the last line of the learner's code it came from."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    file = getattr(getattr(attempt, "__code__", None), "co_filename", None)
    frames = [at for at in traceback.extract_tb(error.__traceback__) if at.filename == file]
    where = f" at `{frames[-1].line}`" if frames and frames[-1].line else ""
    return message[:LONGEST] + where


def difference(got: Any, want: Any, parts: tuple[str, ...] = ()) -> str:
    """What is wrong with `got`, in a few words; empty if it equals `want` up to rounding.

    Numbers may come as tensors without dimensions, tensors of any number type. Rows and columns
    count from 0. Results of several parts are called by the names in `parts`; in a
    list, those of each entry.
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
        return f"wrong type: want {len(want)} results, got {_kind_and_shape(got)}"
    if len(got) != len(want):
        return f"wrong number of results: want {len(want)}, got {len(got)}"
    several = isinstance(want, list)  # entries alike, each of the parts
    names = parts if parts and not several else [f"result {place}" for place in range(len(want))]
    for name, one, wanted in zip(names, got, want, strict=True):
        if wrong := difference(one, wanted, parts if several else ()):
            return f"{name}: {wrong}"
    return ""


def _of_numbers(got: Any, want: Any) -> str:
    shape = list(np.shape(want))
    if not isinstance(got, Tensor | np.ndarray if shape else Tensor | np.ndarray | Number):
        wanted = f"a tensor of shape {shape}" if shape else "a number"
        return f"wrong type: want {wanted}, got {_kind_and_shape(got)}"
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


def _kind_and_shape(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"a tensor of shape {list(value.shape)}"
    return type(value).__name__
