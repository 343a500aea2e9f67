"""Readers of the raw files that public sets come in: each gives the clicks part by part.

A log may hold more clicks than fit into memory as text, so a reader gives a `Part` at a time, in
the order of the file; `Sessions.from_parts` takes them. A table of one click a row has one reader
with parameters, whatever its columns are called.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from .gather import Part

if TYPE_CHECKING:
    import pandas as pd

ROWS, BLOCK = 1_000_000, 1 << 24  # of a table in one part, and bytes of other files
WORTH_A_BAR = 50_000_000  # bytes that take longer than a moment
BACK = "<"


def iso(column: str, width: int) -> Callable[["pd.DataFrame"], np.ndarray]:
    """Seconds of moments in ISO 8601, all in UTC, of which the first `width` characters count."""
    # numpy reads fixed-width bytes five times as fast as pandas reads text.
    return lambda table: _seconds(np.asarray(table[column]).astype(f"S{width}"))


def milliseconds(column: str) -> Callable[["pd.DataFrame"], np.ndarray]:
    """Seconds of whole milliseconds since 1970."""
    return lambda table: table[column].to_numpy() / 1000


def day_and_milliseconds(day: str, column: str) -> Callable[["pd.DataFrame"], np.ndarray]:
    """Seconds of a date such as 2016-05-09 and of milliseconds after it."""
    return lambda table: (
        _seconds(np.asarray(table[day]).astype("S10")) + table[column].to_numpy() / 1000
    )


def _seconds(moments: np.ndarray) -> np.ndarray:
    return moments.astype("datetime64[ms]").astype(np.int64) / 1000


def read_table(
    files: Sequence[Path],
    *,
    columns: Mapping[str, str],
    session: str,
    item: str,
    seconds: Callable[["pd.DataFrame"], np.ndarray],
    sep: str = ",",
    names: Sequence[str] = (),
    only: tuple[str, str] | None = None,
) -> Iterator[Part]:
    """The clicks of tables with one click a row.

    Args:
        files: the tables, one after the other.
        columns: those that are read, to their types.
        session: the column of sessions; rows without one are left out.
        item: the column of items; rows without one are left out.
        seconds: the time of each row of a table, in seconds since 1970.
        sep: what separates cells.
        names: all columns, of a table without a header.
        only: a column, and the value of the rows that are kept.

    Raises:
        ValueError: other columns, or a cell that is not of its type.
    """
    import pandas as pd

    for path in files:
        _check_header(path, sep, names, columns)
        header = {"header": None, "names": list(names)} if names else {}
        with _opened(path) as file:
            tables = pd.read_csv(
                file, sep=sep, usecols=list(columns), dtype=dict(columns), chunksize=ROWS,
                encoding="utf-8-sig", keep_default_na=False, na_values=[""], **header,
            )  # fmt: skip
            for table in tables:
                dropped = {}
                if only:
                    kept = table[only[0]] == only[1]
                    dropped[f"rows that are no {only[1]}"] = int((~kept).sum())
                    table = table[kept]
                for column, what in ((session, "a session"), (item, "an item")):
                    kept = table[column].notna()
                    dropped[f"rows without {what}"] = int((~kept).sum())
                    table = table if kept.all() else table[kept]
                yield Part(table[session], table[item], seconds(table), dropped=dropped)


def _check_header(path: Path, sep: str, names: Sequence[str], columns: Mapping[str, str]) -> None:
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline().rstrip("\r\n").split(sep)
    if names and len(first) != len(names):
        raise ValueError(f"{len(first)} columns, not the {len(names)} {', '.join(names)}")
    missing = [] if names else [name for name in columns if name not in first]
    if missing:
        raise ValueError(f"no column {missing[0]!r}; it has {', '.join(first)[:200]}")


def read_json_lines(files: Sequence[Path], *, kind: str) -> Iterator[Part]:
    """The events of `kind` of files with one session a line: {session, events: [{aid, ts, type}]}.

    Raises:
        ValueError: a line that is no such session.
    """
    for path in files:
        for lines in _lines(path):
            session, item, time, n_others = [], [], [], 0
            for line in lines:
                try:
                    visit = json.loads(line)
                    events = [event for event in visit["events"] if event["type"] == kind]
                    session += [visit["session"]] * len(events)
                    item += [event["aid"] for event in events]
                    time += [event["ts"] for event in events]
                except (KeyError, TypeError, ValueError) as why:
                    raise ValueError(f"{line[:60]!r} is no session: {why!r}") from None
                n_others += len(visit["events"]) - len(events)
            session, item, time = (np.array(each, np.int64) for each in (session, item, time))
            yield Part(session, item, time / 1000, dropped={f"events other than {kind}": n_others})


def read_paths(files: Sequence[Path]) -> Iterator[Part]:
    """The pages of paths, one path a line: address, time, duration, pages with ; between, rating.

    A session is a path, numbered from 1. A step back, written <, is a look at the page that it
    leads to. Only the start of a path has a time, and all its pages have that one.

    Raises:
        ValueError: a line that is no path.
    """
    session, item, time, number = [], [], [], 0
    for path in files:
        for lines in _lines(path):
            for line in lines:
                if not line or line.startswith("#"):
                    continue
                cells = line.split("\t")
                if len(cells) != 5 or not cells[1].isdigit():
                    raise ValueError(f"{line[:60]!r} is no path of five cells")
                pages, number = _pages(cells[3].split(";")), number + 1
                session += [number] * len(pages)
                item += pages
                time += [int(cells[1])] * len(pages)
    yield Part(np.array(session), np.array(item, object), np.array(time, np.float64))


def _pages(steps: list[str]) -> list[str]:
    """The page seen after each step; going back leaves a page for the one it was opened from."""
    way, seen = [], []
    for step in steps:
        if step != BACK:
            way.append(step)
        elif len(way) > 1:
            way.pop()
        else:
            raise ValueError(f"a step back from the first page of {';'.join(steps)[:60]!r}")
        seen.append(way[-1])
    return seen


def read_e_shop(files: Sequence[Path]) -> Iterator[Part]:
    """Clicks in the order of the day and of `order`; their time is that of their day."""
    import pandas as pd

    (path,) = files
    # Some copies say order(sells).
    table = pd.read_csv(path, sep=";", encoding="utf-8-sig", low_memory=False)
    table = table.rename(columns={"order(sells)": "order"})
    date, session, item = ["year", "month", "day"], "session ID", "page 2 (clothing model)"
    missing = [name for name in (*date, "order", session, item) if name not in table]
    if missing:
        raise ValueError(f"no column {missing[0]!r}; it has {', '.join(table)[:200]}")
    days = pd.to_datetime(table[date]) - pd.Timestamp(0)
    clicks = table.assign(Time=days // pd.Timedelta(seconds=1))
    clicks = clicks.sort_values([session, "Time", "order"], ignore_index=True)
    yield Part(clicks[session], clicks[item], clicks["Time"].to_numpy())


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, with a bar of how much of it is read."""
    from tqdm.auto import tqdm

    size = path.stat().st_size
    look = {"desc": path.name, "unit": "B", "unit_scale": True, "leave": False}
    bar = {"total": size, "disable": size < WORTH_A_BAR, **look}
    with path.open("rb") as file, tqdm.wrapattr(file, "read", **bar) as counted:
        yield counted


def _lines(path: Path) -> Iterator[list[str]]:
    """The lines of a file, some at a time."""
    with _opened(path) as file:
        rest = b""
        while block := file.read(BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            yield [line.decode("utf-8-sig").rstrip("\r") for line in lines]
        if rest.strip():
            yield [rest.decode("utf-8-sig").rstrip("\r")]
