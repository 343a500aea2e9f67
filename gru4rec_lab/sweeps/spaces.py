"""Search spaces as plain data: which values of which settings `search` tries.

A space is a dictionary of settings. A tuple is a range, `(low, high)`, with `"log"` as third entry
to draw evenly on a logarithmic scale, or with a step: `(64, 512, 32)` is 64, 96, ... 512. A list
holds the values themselves, and anything else is one value. A whole number for `layers` is one
layer of so many units.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..config import Config, check_setting

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Space = Mapping[str, Any]

# The ranges of the official code's standard parameter spaces (GRU4Rec_PyTorch_Official,
# paramspaces/), and the loss that each is for.
_BOTH: dict[str, Any] = {
    "layers": (64, 512, 32),
    "batch_size": (32, 256, 16),
    "learning_rate": (0.01, 0.25, 0.005),
    "dropout_p_embed": (0.0, 0.5, 0.05),
    "dropout_p_hidden": (0.0, 0.7, 0.05),
    "momentum": (0.0, 0.9, 0.05),
    "sample_alpha": (0.0, 1.0, 0.1),
}
SPACES: dict[str, Space] = {
    "cross-entropy": {"loss": ["cross-entropy"]} | _BOTH,
    "bpr-max": {"loss": ["bpr-max"]} | _BOTH | {
        "bpreg": (0.0, 2.0, 0.05), "elu_param": [0.0, 0.5, 1.0]
    },
}  # fmt: skip


def space_of(given: str | Space) -> Space:
    """The space of that name in `SPACES`, or the given one.

    Raises:
        ValueError: no such name, or a space without settings.
    """
    if isinstance(given, str):
        if given not in SPACES:
            raise ValueError(f"unknown space {given!r}; choose one of {', '.join(SPACES)}")
        return SPACES[given]
    if not isinstance(given, Mapping) or not given:
        raise ValueError(
            f"a space is a dictionary with at least one setting, got {given!r}; for example "
            "{'loss': ['bpr', 'bpr-max'], 'learning_rate': (0.01, 0.2, 'log')}"
        )
    return given


def choices_of(name: str, given: Any) -> dict[Any, Any]:
    """Label to value of a setting that has values and no range; optuna keeps the labels.

    Raises:
        ValueError: no values, or one that `Config` refuses.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str)
    values = [check_setting(name, value) for value in (given if several else [given])]
    if not values:
        usual = getattr(Config, name)
        raise ValueError(f"{name} has no values; give at least one, for example [{usual!r}]")
    return {str(value) if isinstance(value, tuple) else value: value for value in values}


def distribution(name: str, given: Any) -> "BaseDistribution":
    """What optuna draws this setting from.

    Raises:
        ValueError: an unknown setting, one without values, a range that is none, or a value that
            `Config` refuses.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    usual = check_setting(name, getattr(Config, name, None))  # raises for an unknown setting
    if not isinstance(given, tuple):
        return CategoricalDistribution(list(choices_of(name, given)))
    usual = usual[0] if name == "layers" else usual
    if isinstance(usual, bool | str):
        raise ValueError(f"{name} has no range; give its values in a list, not {given!r}")
    if len(given) not in (2, 3):
        raise ValueError(
            f"{name}: a range is (low, high), (low, high, 'log') or (low, high, step), got "
            f"{given!r}; values stand in a list"
        )
    low, high = (_number(name, end) for end in given[:2])
    log, step = given[2:] == ("log",), None if given[2:] in ((), ("log",)) else given[2]
    if not low < high:
        raise ValueError(f"{name}: the range {given!r} does not rise; give the lower end first")
    if log and low <= 0:
        raise ValueError(f"{name}: a logarithmic range begins above 0, got {given!r}")
    if step is not None:
        _check_step(name, given, whole=isinstance(usual, int))
    if isinstance(usual, int):
        return IntDistribution(low, high, log=log, step=int(step or 1))
    return FloatDistribution(low, high, log=log, step=step)


def _number(name: str, end: Any) -> Any:
    """An end of a range as `Config` has it; of one layer its units."""
    value = check_setting(name, end)
    value = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    if not isinstance(value, int | float):
        raise ValueError(f"{name}: a range has numbers at its ends, got {end!r}")
    return value


def _check_step(name: str, given: tuple[Any, ...], *, whole: bool) -> None:
    low, high, step = given
    number = isinstance(step, int | float) and not isinstance(step, bool)
    if not number or not 0 < step < float("inf") or (whole and step != int(step)):
        raise ValueError(
            f"{name}: the third entry of a range is 'log' or a step above 0"
            f"{', a whole one' if whole else ''}, got {step!r}"
        )
    # In decimals: 0.7 is 14 steps of 0.05.
    beyond = (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step))
    if beyond:
        raise ValueError(
            f"{name}: steps of {step} from {low} do not end at {high}; the last one is at "
            f"{Decimal(str(high)) - beyond}"
        )


def value_of(name: str, given: Any, drawn: Any) -> Any:
    """The value of a setting behind what optuna has drawn."""
    if not isinstance(given, tuple):
        return choices_of(name, given)[drawn]
    # 0.015 and not 0.015000000000000001: a point that a grid names too is the same point.
    return float(f"{drawn:.12g}") if isinstance(drawn, float) else drawn
