"""A learner's own clicks: one click a row in a csv, tsv or parquet file."""

import gzip
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from .sessions import Sessions

if TYPE_CHECKING:
    import pandas as pd

KINDS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
_SEPARATORS = ",\t;"
_NOT_READABLE = (UnicodeError, EOFError, zlib.error, gzip.BadGzipFile)


def is_file_name(name: object) -> bool:
    """Whether `name` means a file: it is a path, ends like a file we read, or names a folder."""
    return isinstance(name, os.PathLike) or (
        isinstance(name, str) and (name.lower().endswith(KINDS) or os.sep in name or "/" in name)
    )


def load_file(
    path: Path, session: str = "SessionId", item: str = "ItemId", time: str = "Time"
) -> Sessions:
    """The sessions of a file with one click a row and a header; other columns are ignored.

    Ids of a text file become integers if all of a column are plainly written ones, else they stay
    text as written ("007"). Times are numbers or ISO 8601.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another kind of file, no rows, a missing column, or clicks that
            `Sessions.from_frame` refuses.
    """
    columns = {"session": session, "item": item, "time": time}
    if not path.name.lower().endswith(KINDS):
        raise ValueError(f"cannot read {path.name!r}; save it as one of {', '.join(KINDS)}")
    if path.suffix.lower() == ".parquet":
        frame = _read_parquet(path, columns)
    else:
        frame = _read_text(path, columns)
    if frame.empty:
        raise ValueError(f"{path.name!r} has a header but no rows; give it one click a row")
    return Sessions.from_frame(frame, session=session, item=item, time=time, name=path.name)


def _read_parquet(path: Path, columns: dict[str, str]) -> "pd.DataFrame":
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as why:
        raise ValueError(f"{path.name!r} is not a parquet file: {why}") from why
    _check_columns(path, list(frame.columns), columns)
    return frame[list(columns.values())]


def _read_text(path: Path, columns: dict[str, str]) -> "pd.DataFrame":
    import pandas as pd

    ids = [columns["session"], columns["item"]]
    try:
        options = {"sep": _separator(path), "encoding": "utf-8-sig", "skipinitialspace": True}
        _check_columns(path, list(pd.read_csv(path, nrows=0, **options).columns), columns)
        # "NA" is a fine name for an item; only an empty cell is a missing id.
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(ids, str),
            keep_default_na=False,
            na_values={**dict.fromkeys(ids, [""]), columns["time"]: ["", "NA", "NaN", "null"]},
            low_memory=False,
            **options,
        )
    except (pd.errors.ParserError, *_NOT_READABLE) as why:
        raise _not_readable(path, why) from why
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took the first cells for row names
        raise _not_readable(path, "its rows have more cells than its header")
    return frame[list(columns.values())].assign(
        **{name: _plain_integers(frame[name]) for name in ids}
    )


def _separator(path: Path) -> str:
    """The separator of the header line: comma, tab or semicolon."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as file:
        header = next((line for line in file if line.strip()), "")
    if not header:
        raise ValueError(f"{path.name!r} is empty; give it a header and one click a row")
    return max(_SEPARATORS, key=header.count)


def _not_readable(path: Path, why: Exception | str) -> ValueError:
    return ValueError(
        f"{path.name!r} cannot be read: {str(why).strip()}; save it as UTF-8 text, one click a row"
    )


def _check_columns(path: Path, found: list, columns: dict[str, str]) -> None:
    missing = [column for column in columns.values() if column not in found]
    if missing:
        raise ValueError(
            f"{path.name!r} has no column {missing[0]!r}; it has {', '.join(map(str, found))}; "
            f'name yours: load_sessions({path.name!r}, session="...", item="...", time="...")'
        )


def _plain_integers(ids: "pd.Series") -> "pd.Series":
    """The ids as integers if each is written as one, without leading zeros; else unchanged."""
    import pandas as pd

    names = pd.Series(ids.unique())
    plain = names.notna().all() and names.str.fullmatch(r"-?[1-9]\d{0,17}|0").all()
    return ids.astype("int64") if plain else ids
