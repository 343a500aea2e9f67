"""A learner's own clicks, from files or a DataFrame, step by step to sessions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import Columns, Layout, find_parts, read_files
from .sessions import Dropped, Moment, Number, Sessions

if TYPE_CHECKING:
    import pandas as pd


def load_clicks(
    source: "Sequence[Path] | pd.DataFrame",
    *,
    session: str | None = None,
    item: str = "ItemId",
    time: str | tuple[str, ...] = "Time",
    unit: str | None = None,
    user: str | None = None,
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
        ValueError: what `read_files` or `Sessions.from_frame` refuses, or options that exclude
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
    session, only = user or session or "SessionId", dict(only or {})
    layout = Layout(names, sep, quotes, encoding)
    if isinstance(source, list):
        parts = [part for path in source for part in find_parts(path)]
        times = (time,) if isinstance(time, str) else time
        frame = read_files(parts, Columns((session, item), times, tuple(only)), layout)
        more = f" and {len(source) - 1} more" * (len(source) > 1)
        name = source[0].name + more
    else:
        frame, name = source, "frame"
        if any(option is not None for option in layout):
            raise ValueError("names=, sep=, quotes= and encoding= are for files, not for a frame")
    frame, dropped = _chosen_rows(frame, only)
    clicks = Sessions.from_frame(
        frame, session=session, item=item, time=time, unit=unit, name=name, dropped=dropped
    )
    if since is not None or until is not None:
        clicks = clicks.between(since, until)
    if gap is not None:
        clicks = clicks.cut(gap)
    if not repeats:
        clicks = clicks.without_repeats()
    return clicks if longest is None else clicks.capped(longest)


def _chosen_rows(
    frame: "pd.DataFrame", only: dict[str, Any]
) -> tuple["pd.DataFrame", tuple[Dropped, ...]]:
    """The rows that have one of the values in each column, and what that left out."""
    dropped = ()
    for column, wanted in only.items():
        if column not in frame.columns:
            found = ", ".join(map(str, frame.columns))
            raise ValueError(f"only= names {column!r}, which is no column; the frame has {found}")
        values = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
        cells = frame[column]
        kept = cells.isin(values)
        if not kept.any():  # text in the file, a number in the option, or the other way round
            kept = cells.astype(str).isin([str(value) for value in values])
        if not kept.any():
            found = ", ".join(map(repr, cells.value_counts().index[:10].tolist()))
            raise ValueError(f"no row has {wanted!r} in column {column!r}; it has {found}")
        reason = f"rows with another {column} than {', '.join(map(str, values))}"
        dropped += (Dropped(reason, clicks=int((~kept).sum())),)
        frame = frame[kept]
    return frame, tuple(step for step in dropped if step.clicks)
