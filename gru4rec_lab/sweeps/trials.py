"""`grid`: the trials of a sweep. A trial is a `Config`."""

from collections.abc import Iterable
from dataclasses import fields
from itertools import product
from typing import Any

from ..arguments import check_kind
from ..config import Config, check_setting

FIELDS = tuple(field.name for field in fields(Config))


class Trials(tuple[Config, ...]):
    """Configs, each to be trained and evaluated; shown by what differs between them."""

    def __repr__(self) -> str:
        """How many there are, and the values of each field that varies."""
        by_field = {name: list(dict.fromkeys(getattr(each, name) for each in self))
                    for name in FIELDS}  # fmt: skip
        varying = [
            f"{name} {', '.join(map(str, values))}"
            for name, values in by_field.items()
            if len(values) > 1
        ]
        count = f"{len(self)} trial{'' if len(self) == 1 else 's'}"
        return "; ".join([count, *varying])


def grid(config: Config = Config(), **settings: Any) -> Trials:  # noqa: B008, it is frozen
    """A trial for each combination of the values given, the last setting varying fastest.

    `config` holds all other settings. A list, or anything else to iterate over, gives several
    values; a single value, text, and a tuple of `layers` give one.

    Raises:
        ValueError: an unknown setting, one without values, or a value that `Config` refuses; the
            message names the trial.
    """
    check_kind(Config, "values of settings are named: grid(loss=['bpr', 'bpr-max'])", config=config)
    values = {name: _values(name, given) for name, given in settings.items()}
    combinations = [dict(zip(values, each, strict=True)) for each in product(*values.values())]
    trials = []
    for number, changes in enumerate(combinations, 1):
        try:
            trials.append(config.with_changes(**changes))
        except ValueError as error:
            trial = ", ".join(f"{name}={value!r}" for name, value in changes.items())
            raise ValueError(f"trial {number} of {len(combinations)} ({trial}): {error}") from None
    return Trials(dict.fromkeys(trials))


def _values(name: str, given: Any) -> list[Any]:
    if name not in FIELDS:
        check_setting(name, given)  # raises, and lists the settings
    one = isinstance(given, str) or not isinstance(given, Iterable)
    if one or (name == "layers" and isinstance(given, tuple)):
        return [given]
    values = list(given)
    if not values:
        default = getattr(Config, name)
        raise ValueError(f"{name} has no values; give at least one, for example [{default!r}]")
    return values
