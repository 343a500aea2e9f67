"""`Check`: an attempt at an exercise goes in, one printed line comes out, nothing is ever raised.

A check holds the right function, named cases to try it on, and known mistakes: functions that go
wrong in a way that can be named. An attempt that fails a case as a known mistake does is told so.
"""

import copy
import inspect
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch

from .compare import difference

Cases = Mapping[str, tuple]
LONGEST = 160


class Check:
    """Compares a learner's function with the right one; call it with the function.

    Attributes:
        name: what the printed line begins with.
        answer: the right function.
        cases: gives case name to arguments, as in `my_bpr(*check_bpr.cases()["one negative"])`.
        mistakes: what was done wrong to a function that does it; ends the line when it fits.
        parts: names of the results where the function returns several.
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

    def _wrong(self, attempt: Any) -> str:
        if not callable(attempt):
            return f"give the function itself, without calling it; this is a {_kind(attempt)}"
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


def _kind(value: Any) -> str:
    return "tensor" if isinstance(value, torch.Tensor) else type(value).__name__


def _error(error: Exception, attempt: Any) -> str:
    """Type and message of the exception, and the last line of the learner's code it came from."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    file = getattr(getattr(attempt, "__code__", None), "co_filename", None)
    frames = [at for at in traceback.extract_tb(error.__traceback__) if at.filename == file]
    where = f" at `{frames[-1].line}`" if frames and frames[-1].line else ""
    return message[:LONGEST] + where
