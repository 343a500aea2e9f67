"""A learner's own clicks, from files or a DataFrame, step by step to sessions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .files import Columns, Layout, find_parts, is_text, plain_integers, read_files
from .frames import Column, read_clicks
from .gather import Part
from .sessions import Moment, Number, Sessions

if TYPE_CHECKING:
    import pandas as pd


def load_clicks(
    source: "Sequence[Path] | pd.DataFrame",
    *,
    session: Column | None = None,
    item: Column = "ItemId",
    time: Column | Sequence[Column] = "Time",
    unit: str | None = None,
    user: Column | None = None,
    gap: Number | None = None,
    only: Any = None,
    since: Moment | None = None,
    until: Moment | None = None,
    repeats: bool = True,
    longest: Number | None = None,
    names: Sequence[str] | None = None,
    sep: str | None = None,
    quotes: bool | None = None,
    encoding: str | None = None,
) -> Sessions:
    """The sessions of these files, or of a DataFrame; `load_sessions` says what the options mean.

    Raises:
        FileNotFoundError: no such file.
        ValueError: what `read_files` or `read_clicks` refuses, or options that exclude
            each other.
    """
    if user is not None and (session is not None or gap is None):
        raise ValueError(
            "user= names whose clicks they are, and gap= the minutes without a click that end a "
            "session: give both, without session="
        )
    if only is not None and not isinstance(only, Mapping):
        raise ValueError(
            f'only= takes a column and its values, {{"event": ["view"]}}, got {only!r}'
        )
    if sep is not None and len(sep) != 1:
        raise ValueError(f"sep must be one character, got {sep!r}; replace it in the file first")
    owner = session if user is None else user
    session, only = "SessionId" if owner is None else owner, dict(only or {})
    layout = Layout(names, sep, quotes, encoding)
    times = time if isinstance(time, list | tuple) else (time,)
    if isinstance(source, list):
        paths = [part for path in source for part in find_parts(path)]
        tables = read_files(paths, Columns((session, item), times, tuple(only)), layout)
        more = f" and {len(source) - 1} more" * (len(source) > 1)
        name = source[0].name + more
    else:
        paths, tables, name = [], [(None, source)], "frame"
        if any(option is not None for option in layout):
            raise ValueError("names=, sep=, quotes= and encoding= are for files, not for a frame")
    check = partial(read_clicks, session=session, item=item, time=time, unit=unit)
    clicks = Sessions.from_parts(_parts(tables, only, check), name=name)
    if any(map(is_text, paths)):
        ids = {name: plain_integers(getattr(clicks, name)) for name in ("item_ids", "session_ids")}
        clicks = replace(clicks, **ids)
    if since is not None or until is not None:
        clicks = clicks.between(since, until)
    if gap is not None:
        clicks = clicks.cut(gap)
    if not repeats:
        clicks = clicks.without_repeats()
    return clicks if longest is None else clicks.capped(longest)


def _parts(
    tables: "Iterable[tuple[Path | None, pd.DataFrame]]",
    only: dict[str, Any],
    check: "Callable[[pd.DataFrame], Part]",
) -> Iterator[Part]:
    """The clicks of one table after the other; their path is None for a frame."""
    nothing, first = np.empty(0), {}
    for path, table in tables:
        rows, dropped, why_none = _chosen_rows(table, only)
        if why_none:
            yield Part(nothing, nothing, nothing, dropped=dropped)
            continue
        try:
            # The rows that are left may have no missing ids: those of a file are as they were.
            part = check(rows.infer_objects() if path else rows)
        except ValueError as why:
            raise ValueError(f"{path.name!r}: {why}" if path else str(why)) from None
        for ids in (part.session, part.item):
            kind = getattr(ids.dtype, "numpy_dtype", ids.dtype)
            before, other = first.setdefault(ids.name, (kind, path))
            if kind != before:
                raise ValueError(
                    f"{ids.name} is {before} in {other.name!r} but {kind} in {path.name!r}; write "
                    "both in one way"
                )
        yield replace(part, dropped=dropped)
    if not first:
        raise ValueError(why_none)


def _chosen_rows(
    rows: "pd.DataFrame", only: dict[str, Any]
) -> tuple["pd.DataFrame", dict[str, int], str]:
    """The rows with one of the values in each column, what that left out, and why if no row is."""
    from pandas.api.types import is_list_like

    dropped, why_none = {}, ""
    for column, wanted in only.items():
        if column not in rows.columns:
            there = ", ".join(map(str, rows.columns))
            raise ValueError(f"only= names {column!r}, which is no column; the frame has {there}")
        values = list(wanted) if is_list_like(wanted) else [wanted]
        cells = rows[column]
        kept = cells.isin(values)
        if not kept.any():  # text in the file, a number in the option, or the other way round
            kept = cells.astype(str).isin([str(value) for value in values])
        if not kept.any() and not why_none:
            there = ", ".join(map(repr, cells.value_counts().index[:10].tolist()))
            why_none = f"no row has {wanted!r} in column {column!r}; it has {there}"
        reason = f"rows with another {column} than {', '.join(map(str, values))}"
        dropped[reason] = int((~kept).sum())
        rows = rows[kept]
    return rows, dropped, why_none
