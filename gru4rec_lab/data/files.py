"""Files with one click a row, each as a DataFrame: text, JSON lines or Parquet, packed or not.

Nothing is guessed that could lose a click: rows with too many cells are refused, and a file whose
lines do not become as many rows says so.
"""

import bz2
import codecs
import csv
import gzip
import io
import json
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Stream = Any  # bytes to read, of a file, of gzip or of pyarrow
TEXT = (".csv", ".tsv", ".txt", ".dat")
PACKED = (".gz", ".bz2", ".zip", ".zst")
_SEPARATORS = ",;|"
_MISSING = ["", "NA", "NaN", "null"]  # cells of a time or an order; an item may be called so
_NOT_READABLE = (UnicodeError, EOFError, zlib.error, zipfile.BadZipFile)
_BLOCK = 2**18


class Layout(NamedTuple):
    """How text files are written; what is not given is seen from the first line.

    Attributes:
        names: the columns, of a file without a header.
        sep: what separates cells, one character.
        quotes: whether a quote at the start of a cell holds separators and line ends together;
            usual, but not where tabs separate.
        encoding: how letters are written, UTF-8 unless said.
    """

    names: Sequence[str] | None = None
    sep: str | None = None
    quotes: bool | None = None
    encoding: str | None = None


class Columns(NamedTuple):
    """The columns to read: those of ids, as written; those of times; those to choose rows by."""

    ids: Sequence[str | int]
    times: Sequence[str | int]
    choices: Sequence[str | int] = ()

    @property
    def all(self) -> list[str | int]:
        """All of them, each once."""
        return list(dict.fromkeys([*self.ids, *self.times, *self.choices]))


def is_file_name(name: object) -> bool:
    """Whether `name` means files: it is a path, ends like a file we read, or is there."""
    if not isinstance(name, str):
        return isinstance(name, os.PathLike)
    known = _kind(name) in _READERS or name.lower().endswith(".zip")
    return known or os.sep in name or "/" in name or os.path.exists(name)


def find_parts(path: Path) -> list[Path]:
    """The file, or all files below the folder, by name; not what begins with a dot or `_`.

    Raises:
        FileNotFoundError: nothing there.
        ValueError: files of several kinds in the folder.
    """
    if path.is_file():
        return [path]
    inside = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else []
    shown = [[name[0] not in "._" for name in part.relative_to(path).parts] for part in inside]
    parts = [part for part, names in zip(inside, shown, strict=True) if all(names)]
    if len({_kind(part.name) for part in parts}) > 1:
        some = ", ".join(part.name for part in parts)[:200]
        raise ValueError(f"{path.name!r} holds several kinds ({some}); list the files you mean")
    if not parts:
        what = "the folder is empty" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"{what}: {str(path)!r}; check its path")
    return parts


def is_text(path: Path) -> bool:
    """Whether a file is text, whose ids may be numbers."""
    with _opened(path) as (name, _):
        return _kind(name) in TEXT


def read_files(
    paths: Sequence[Path], columns: Columns, layout: Layout
) -> Iterator[tuple[Path, "pd.DataFrame"]]:
    """These columns of one file after the other; files without rows are left out.

    Ids of text files stay text: `plain_integers` of all of them makes numbers.

    Raises:
        ValueError: another kind of file, a damaged one, a missing column, or no rows.
    """
    if len(set(paths)) < len(paths):
        twice = max(paths, key=paths.count).name
        raise ValueError(f"{twice!r} is named twice; name each part once")
    found = False
    for path in paths:
        table = _read(path, columns, layout)
        if len(table):
            found = True
            yield path, table
    if not found:
        raise ValueError(f"{paths[0].name!r} has a header but no rows; give it one click a row")


def plain_integers(ids: np.ndarray) -> np.ndarray:
    """The ids as integers if each is written as one, without leading zeros; else unchanged."""
    import pandas as pd

    names = pd.Series(ids)
    if not names.str.fullmatch(r"-?[1-9]\d{0,19}|0").all():
        return ids
    for kind in ("int64", "uint64"):
        with suppress(OverflowError, ValueError):
            return names.astype(kind).to_numpy()
    return ids


def _kind(name: str) -> str:
    """The ending that says how a file is written: `.csv` of `a.csv.gz`."""
    path = Path(name.lower())
    return Path(path.stem).suffix if path.suffix in PACKED else path.suffix


def _read(path: Path, columns: Columns, layout: Layout) -> "pd.DataFrame":
    with _opened(path) as (name, stream):
        kind = _kind(name)
        if kind not in _READERS:
            raise ValueError(
                f"cannot read {name!r}; save it as one of {', '.join(_READERS)}, "
                f"each also with {', '.join(PACKED)}"
            )
        if kind not in TEXT and any(option is not None for option in layout):
            raise ValueError(f"names=, sep=, quotes= and encoding= are for text, not for {name!r}")
        return _READERS[kind](stream, path, columns, layout)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[str, Stream]]:
    """The name of what is in the file, and its bytes, unpacked."""
    suffix, name = path.suffix.lower(), path.name
    try:
        with path.open("rb") as file:
            if suffix == ".zip":
                with zipfile.ZipFile(file) as archive:
                    inside = [each for each in archive.namelist() if not each.endswith("/")]
                    inside = [each for each in inside if not each.startswith("__MACOSX")]
                    if len(inside) != 1:
                        some = ", ".join(inside)[:200] or "nothing"
                        raise ValueError(f"{name!r} holds {some}; unpack it and name the parts")
                    with archive.open(inside[0]) as stream:
                        yield inside[0], stream
            else:
                yield name, _UNPACK.get(suffix, lambda file: file)(file)
    except _NOT_READABLE as why:
        raise _not_readable(path, why) from why
    except (OSError, RuntimeError) as why:  # of a damaged archive, or of one with a password
        if getattr(why, "errno", None) is not None:
            raise
        raise _not_readable(path, why) from why


_UNPACK: dict[str, Callable[[Stream], Stream]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".zst": lambda file: _pyarrow(".zst").CompressedInputStream(file, "zstd"),
}


def _pyarrow(kind: str):
    try:
        import pyarrow
    except ImportError:
        raise ValueError(f"{kind} files need a package; get it with: pip install pyarrow") from None
    return pyarrow


def _read_parquet(stream: Stream, path: Path, columns: Columns, _layout: Layout) -> "pd.DataFrame":
    pyarrow = _pyarrow(".parquet")
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        _check_columns(path, file.schema_arrow.names, columns)
        table = file.read(columns=columns.all)
        # Categories as what they stand for, since every part has others.
        plain = [
            field.with_type(field.type.value_type)
            if pyarrow.types.is_dictionary(field.type)
            else field
            for field in table.schema
        ]
        # Without the notes of pandas, which would make a row name of a column that was one.
        return table.cast(pyarrow.schema(plain)).to_pandas(
            ignore_metadata=True, types_mapper=_whole_numbers(pyarrow).get
        )
    except (pyarrow.ArrowException, OSError) as why:
        raise ValueError(f"{path.name!r} is not a parquet file: {why}") from why


def _whole_numbers(pyarrow: Any) -> dict:
    """Types of pandas that hold whole numbers beside missing ones, where floats would round ids."""
    import pandas as pd

    names = (f"{sign}nt{bits}" for sign in ("I", "UI") for bits in (8, 16, 32, 64))
    return {pyarrow.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name) for name in names}


def _read_json(stream: Stream, path: Path, columns: Columns, _layout: Layout) -> "pd.DataFrame":
    """A record a line; one with a list of records in it is as many clicks."""
    import pandas as pd

    rows: dict[str | int, list] = {name: [] for name in columns.all}
    found: dict[str, None] = {}
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            records = _flat(json.loads(line), columns)
        except (ValueError, AttributeError) as why:
            raise _not_readable(path, f"line {number} is no JSON record: {why}") from why
        for record in records:
            if not record.keys() <= found.keys():
                found |= dict.fromkeys(record)
            for name, cells in rows.items():
                cells.append(record.get(name))
    if found:
        _check_columns(path, list(found), columns)
    # As they are written: whole numbers beside a missing one would become floats.
    return pd.DataFrame(rows, dtype=object)


def _flat(record: Any, columns: Columns) -> list[dict]:
    """The clicks of a record: those of a list with columns that it lacks itself, else itself."""
    lists = [value for value in record.values() if isinstance(value, list)]
    lacks = set(columns.all) - record.keys() if lists else set()
    for each in lists:
        if all(isinstance(entry, dict) for entry in each) and any(lacks & e.keys() for e in each):
            return [record | entry for entry in each]
    # A session without clicks says nothing but its name.
    return [] if [] in lists and lacks >= {*columns.all[1:]} else [record]


class _Lines:
    """UTF-8 text for pandas to read: behind a header of our own, and its lines are counted."""

    def __init__(self, stream: Stream):
        self._stream = stream
        block = stream.read(_BLOCK).removeprefix(codecs.BOM_UTF8)
        block = re.sub(rb"\A([ \t]*(\r\n?|\n))+", b"", block)
        self._ready, self._last, self.count = block, b"\n", 0
        end = re.search(rb"\r\n?|\n", block)
        self._end = end.end() if end else len(block)
        self.first = block[: end.start() if end else None].decode()

    def replace_first(self, header: bytes) -> None:
        self._ready = header + self._ready[self._end :]

    def put_before(self, header: bytes) -> None:
        self._ready = header + self._ready

    def read(self, size: int = -1) -> bytes:
        block, self._ready = self._ready or self._stream.read(size), b""
        self.count += block.count(b"\n")
        self._last = block[-1:] or self._last
        return block

    @property
    def n_lines(self) -> int:
        """Lines that were read, an unfinished last one too."""
        return self.count + (self._last != b"\n")

    def __iter__(self) -> Iterator[bytes]:  # or pandas takes it for no file
        return iter(self.read, b"")


def _read_text(stream: Stream, path: Path, columns: Columns, layout: Layout) -> "pd.DataFrame":
    import pandas as pd

    if layout.encoding:
        try:
            stream = codecs.EncodedFile(stream, "utf-8", layout.encoding)
        except LookupError:
            raise ValueError(
                f"unknown encoding {layout.encoding!r}; usual ones are utf-8, latin-1 and utf-16"
            ) from None
    lines = _Lines(stream)
    if not lines.first:
        raise ValueError(f"{path.name!r} is empty; give it a header and one click a row")
    if "\0" in lines.first:
        raise _not_readable(path, "it is no text in UTF-8")
    sep = layout.sep or ("\t" if "\t" in lines.first else max(_SEPARATORS, key=lines.first.count))
    quotes = sep != "\t" if layout.quotes is None else layout.quotes
    quoting = {"quoting": csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE}
    # "a, b" is a way to write; "a" and " a" are two ids where the header is not written so.
    skip = {"skipinitialspace": layout.names is None and f"{sep} " in lines.first}
    (found,) = csv.reader([lines.first], delimiter=sep, **quoting, **skip)
    _check_columns(path, list(layout.names or found), columns)
    if layout.names is None and any(re.match(r"\d{4}-\d\d-\d\d", name) for name in columns.times):
        raise ValueError(
            f"the first line of {path.name!r} is a click, no header; name all columns: names=[...]"
        )
    names = list(layout.names or found)
    # Names of our own, one more than there are: what is found in it would be lost.
    header = [f"c{place}" for place in range(len(names) + 1)]
    own = {name: header[names.index(name)] for name in columns.all}
    (lines.put_before if layout.names else lines.replace_first)(f"{sep.join(header)}\n".encode())
    times = [own[name] for name in columns.times]
    try:
        with warnings.catch_warnings():
            # Parts of a column of times may look different; `frames` compares them.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            frame = pd.read_csv(
                lines,
                sep=sep,
                index_col=False,
                usecols=[*own.values(), header[-1]],
                dtype={own[name]: str for name in (*columns.ids, *columns.choices)},
                keep_default_na=False,
                na_values={name: _MISSING if name in times else [""] for name in header},
                **quoting,
                **skip,
            )
    except pd.errors.ParserError as why:
        hint = "; if its quotes are part of the text, give quotes=False" if quotes else ""
        raise _not_readable(path, f"{str(why).strip()}{hint}") from why
    more = frame.pop(header[-1]).notna().to_numpy()
    if more.any():
        hint = "" if quotes else " (if quotes hold cells together, give quotes=True)"
        where = f"{more.sum()} of {len(frame)} rows, first row {more.argmax()},"
        raise _not_readable(path, f"{where} have more cells than the header{hint}")
    if lines.n_lines - 1 > len(frame):
        _say_lost_lines(path, len(frame), sep, layout)
    return frame.rename(columns={place: name for name, place in own.items()})


def _say_lost_lines(path: Path, n_rows: int, sep: str, layout: Layout) -> None:
    """Warn if it is not blank lines that make more lines than rows."""
    with _opened(path) as (_, stream):
        text = io.TextIOWrapper(stream, layout.encoding or "utf-8", errors="replace")
        filled = (line.strip(" \t\r\n".replace(sep, "")) for line in text)
        n_lines = sum(bool(line) for line in filled) - (layout.names is None)
    if n_lines != n_rows:
        warnings.warn(
            f"{path.name!r} has {n_lines:,} lines below its header but gave {n_rows:,} clicks: "
            "quotes hold several lines together; if they are part of the text, give quotes=False",
            stacklevel=2,
        )


_READERS: dict[str, Callable[..., "pd.DataFrame"]] = {
    **dict.fromkeys(TEXT, _read_text),
    ".jsonl": _read_json,
    ".parquet": _read_parquet,
}


def _not_readable(path: Path, why: Exception | str) -> ValueError:
    way_out = "save it as UTF-8 text, one click a row"
    if isinstance(why, UnicodeError):
        way_out = 'save it as UTF-8 text, or say how it is written, such as encoding="latin-1"'
    return ValueError(f"{path.name!r} cannot be read: {str(why).strip()}; {way_out}")


def _check_columns(path: Path, found: list, columns: Columns) -> None:
    for column in columns.all:
        if found.count(column) > 1:
            raise ValueError(f"{path.name!r} has several columns {column!r}; rename them")
        if column not in found:
            raise ValueError(
                f"{path.name!r} has no column {column!r}; it has {', '.join(map(str, found))}; "
                f'name yours: load_sessions({path.name!r}, session="...", item="...", time="..."), '
                "or, if the first line is a click, all columns: names=[...]"
            )
