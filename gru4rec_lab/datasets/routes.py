"""Where the flights of the data set `flights` go: to judge a model by, not to train it on."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from .flights import find_source

if TYPE_CHECKING:
    import pandas as pd

AUTUMN = (9, 10, 11)  # the months of the sessions that the lessons train on


def flight_routes(months: Collection[int] = AUTUMN) -> "pd.DataFrame":
    """One flight a row, named as the items are: its carrier, and the airports it mostly joins.

    Columns: carrier, origin (EWR, JFK or LGA), dest; airports by their IATA codes. A flight number
    may be given to another route in the course of a year; `months` (1 to 12) are those looked at.
    None of it is in the sessions.

    Raises:
        FileNotFoundError: the package that holds the data is not installed.
        ValueError: no departure in these months.
    """
    import pandas as pd

    columns = ["month", "carrier", "flight", "origin", "dest"]
    table = pd.read_csv(find_source(), usecols=columns, compression="zip")
    table = table[table["month"].isin(list(months))]
    if table.empty:
        raise ValueError(f"no departure in the months {sorted(months)}; they go from 1 to 12")
    return most_flown(table.assign(item=table["carrier"] + table["flight"].astype(str)))


def most_flown(departures: "pd.DataFrame") -> "pd.DataFrame":
    """The most frequent carrier, origin and dest of each item; of equals the first by name."""
    count = departures.value_counts(["item", "carrier", "origin", "dest"]).reset_index()
    order = count.sort_values(["count", "origin", "dest"], ascending=[False, True, True])
    first = order.drop_duplicates("item").set_index("item").sort_index()
    return first[["carrier", "origin", "dest"]]
