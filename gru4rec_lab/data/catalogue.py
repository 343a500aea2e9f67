"""The names that `load_sessions` knows, and what is behind each."""

import os
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from typing import NamedTuple

from .files import is_file_name, load_file
from .flights import load_flights
from .recipes import RECIPES, load_recipe
from .sessions import Sessions
from .synthetic import WORLDS, load_world

_OWN_FILE = 'load_sessions("clicks.csv", session="...", item="...", time="...")'


class DataSet(NamedTuple):
    """One line of `list_datasets()`.

    Attributes:
        name: what `load_sessions` knows it by.
        kind: `real` or `synthetic`.
        what: what it holds.
        command: what fetches it, if it is not on this machine yet; else empty.
    """

    name: str
    kind: str
    what: str
    command: str = ""


class DataSets(tuple[DataSet, ...]):
    """Data sets in a tuple that shows itself as a table, one line each."""

    __slots__ = ()

    def __repr__(self) -> str:
        """A table for a notebook: name, kind, what it is, and what fetches it."""
        lines = [
            f"{name:<14}{kind:<11}{what}" + (f"; get it: {command}" if command else "")
            for name, kind, what, command in self
        ]
        return "\n".join([*lines, f"{'your own file':<25}{_OWN_FILE}"])


_FLIGHTS = DataSet("flights", "real", "routes of aircraft from New York in 2013, week by week")
_LOADERS: dict[DataSet, Callable[..., Sessions]] = (
    {_FLIGHTS: load_flights}
    | {
        DataSet(name, "real", recipe.what): partial(load_recipe, recipe)
        for name, recipe in RECIPES.items()
    }
    | {
        DataSet(name, "synthetic", world.what): partial(load_world, name)
        for name, world in WORLDS.items()
    }
)


def list_datasets() -> DataSets:
    """The data sets that `load_sessions` knows by name, and the commands for those not here yet."""
    away = {name: each.command for name, each in RECIPES.items() if not each.is_here}
    return DataSets(each._replace(command=away.get(each.name, "")) for each in _LOADERS)


def load_sessions(name: str | os.PathLike, **options) -> Sessions:
    """The sessions of a data set of `list_datasets()`, or of a learner's own file.

    A world takes `n_sessions`, `n_items` and `seed`; a file takes `session`, `item` and `time`,
    the names of its columns; e-shop takes `repeats`, True to keep clicks on the item clicked just
    before; flights take nothing.

    Raises:
        ValueError: an unknown name, an unknown or impossible option, or a file that cannot be read
            as clicks.
        FileNotFoundError: no such file, a set that was not fetched yet (the message says the
            command), or the package that holds the flights is not installed.
    """
    loaders = {known.name: load for known, load in _LOADERS.items()}
    load = loaders.get(name)
    if load is None and not is_file_name(name):
        raise ValueError(
            f"unknown data set {name!r}; choose one of {', '.join(loaders)}, "
            f"or give your own file: {_OWN_FILE}"
        )
    load = load or _file_loader(Path(name).expanduser())
    _check_options(name, options, load)
    return load(**options)


def _file_loader(path: Path) -> Callable[..., Sessions]:
    if not path.is_file():
        names = ", ".join(known.name for known in _LOADERS)
        raise FileNotFoundError(
            f"no file {str(path)!r}; check its path, or choose a built-in data set: {names}"
        )
    return partial(load_file, path)


def _check_options(name: str | os.PathLike, options: dict, load: Callable[..., Sessions]) -> None:
    known = list(signature(load).parameters)
    unknown = [option for option in options if option not in known]
    if unknown:
        way_out = f"choose from {', '.join(known)}" if known else "it takes none"
        raise ValueError(f"{str(name)!r} has no option {unknown[0]!r}; {way_out}")
