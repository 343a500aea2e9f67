"""The names that `load_sessions` knows, and what is behind each."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..arguments import check_kind
from .files import is_file_name
from .flights import load_flights
from .own import load_clicks
from .recipes import RECIPES, load_recipe
from .sessions import Sessions
from .synthetic import WORLDS, load_world

if TYPE_CHECKING:
    import pandas as pd

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


def load_sessions(
    source: "str | os.PathLike | Sequence[str | os.PathLike] | pd.DataFrame", **options
) -> Sessions:
    """The sessions of a data set of `list_datasets()`, or of a learner's own clicks.

    A world takes `n_sessions`, `n_items` and `seed`; a public set takes `repeats`, True to keep
    clicks on the item clicked just before; flights take nothing. Own clicks are a DataFrame, or a
    file, a folder or a list of files: csv, tsv, txt, dat, jsonl or parquet, each also with gz, bz2,
    zip or zst behind; one click a row. Files are read one at a time, so that all parts may hold
    more clicks than fit into memory as a table. Their options, none of which is needed where the
    columns are SessionId, ItemId and Time:

    session, item, time
        names of columns; `time=("day", "order")`: the second orders clicks of equal time.
    user, gap
        instead of a session column: whose clicks they are, and how many minutes without a click
        end a session. `gap` alone cuts the sessions that there are.
    unit
        what numbers in `time` count, "s", "ms", "us" or "ns" since 1970; or how dates are written,
        such as "%Y%m%d". Numbers that can hardly be seconds are refused where it is not told.
    only
        rows to keep, such as `{"event": ["view", "cart"]}`.
    since, until
        clicks to keep: from the one on, before the other; seconds, or text in ISO 8601.
    repeats
        False to drop clicks on the item clicked just before.
    longest
        how many clicks of a session to keep, the first ones.
    names
        the columns of a text file without a header.
    sep, quotes, encoding
        how a text file is written, where it is not seen: what separates cells; whether quotes hold
        a cell together, usual unless tabs separate; "latin-1" and the like.

    Steps come in this order: `only`, `since` and `until`, `gap`, `repeats`, `longest`; `summary()`
    counts what each left out.

    Raises:
        ValueError: an unknown name, an unknown or impossible option, or a source that cannot be
            read as clicks.
        FileNotFoundError: no such file, a set that was not fetched yet (the message says the
            command), or the package that holds the flights is not installed.
    """
    load = _loader_of(source)
    _check_options(source, options, load)
    return load(**options)


def _loader_of(source: object) -> Callable[..., Sessions]:
    loaders = {known.name: load for known, load in _LOADERS.items()}
    if hasattr(source, "to_pandas"):  # tables of pyarrow and polars
        source = source.to_pandas()
    if hasattr(source, "columns"):
        return partial(load_clicks, source)
    if isinstance(source, list | tuple):
        if not source:
            raise ValueError("the list of files is empty; name at least one")
        if odd := [part for part in source if not isinstance(part, str | os.PathLike)]:
            raise ValueError(
                f"a list names files, got one with {type(odd[0]).__name__}; give clicks as one "
                "DataFrame: pd.concat(frames), or pd.DataFrame(rows, columns=[...])"
            )
        return partial(load_clicks, [Path(part).expanduser() for part in source])
    if isinstance(source, str) and source in loaders:
        return loaders[source]
    if not is_file_name(source):
        raise ValueError(
            f"unknown data set {source!r}; choose one of {', '.join(loaders)}, "
            f"or give your own file: {_OWN_FILE}"
        )
    if "://" in str(source):
        raise ValueError(f"{source!r} is an address; download the file, then name its path")
    path = Path(source).expanduser()
    if not path.exists():
        names = ", ".join(loaders)
        raise FileNotFoundError(
            f"no file {str(path)!r}; check its path, or choose a built-in data set: {names}"
        )
    return partial(load_clicks, [path])


def _check_options(source: object, options: dict, load: Callable[..., Sessions]) -> None:
    known = list(signature(load).parameters)
    unknown = [option for option in options if option not in known]
    if unknown:
        way_out = f"choose from {', '.join(known)}" if known else "it takes none"
        named = repr(str(source)) if isinstance(source, str | os.PathLike) else "your clicks"
        raise ValueError(f"{named} has no option {unknown[0]!r}; {way_out}")
    check_kind(bool | None, "True keeps a repeated click", repeats=options.get("repeats"))
