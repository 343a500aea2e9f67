"""Public sets of clicks that a command fetches: where each comes from, and how it becomes sessions.

A further set is one entry of `RECIPES` and the function that reads its file. No publisher says a
checksum, so the clicks themselves are counted and compared with those that a recipe was made for:
line ends, or columns that are not used, may differ.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import cache_folder, cached
from .sessions import Dropped, Sessions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Recipe:
    """How to get one set of clicks.

    Attributes:
        name: what `load_sessions` knows it by.
        what: what it holds, in one line.
        note: what a reader must know about the sessions, in one phrase.
        page: the publisher's page.
        licence: the licence, and what it asks for.
        address: the archive (zip) that the command downloads.
        file: the name of the file in that archive, and of the one that is kept.
        n_clicks: the clicks in it.
        n_sessions: the sessions in it.
        n_items: the items in it.
        sha256: of the clicks as csv text, as `read` gives them.
        read: all clicks of a file: SessionId, ItemId and Time, session by session, in order.
    """

    name: str
    what: str
    note: str
    page: str
    licence: str
    address: str
    file: str
    n_clicks: int
    n_sessions: int
    n_items: int
    sha256: str
    read: Callable[[Path], "pd.DataFrame"]

    @property
    def command(self) -> str:
        """What fetches the file."""
        return f"python -m gru4rec_lab.data {self.name}"

    @property
    def path(self) -> Path:
        """Where the file lies once it is fetched.

        Raises:
            RuntimeError: as of `cache_folder`.
        """
        return cache_folder() / "downloads" / self.file

    @property
    def is_here(self) -> bool:
        """Whether the file lies there."""
        try:
            return self.path.is_file()
        except RuntimeError:  # no home folder
            return False

    @property
    def by_hand(self) -> str:
        """What to do where the address cannot be reached."""
        return (
            f"download it in a browser ({self.address} or {self.page}), then: "
            f'{self.command} "path/to/what you downloaded"'
        )


def load_recipe(recipe: Recipe, repeats: bool = False) -> Sessions:
    """The sessions of a set that was fetched before; nothing is downloaded.

    Clicks on the item that was clicked just before are left out and counted in `dropped`, unless
    `repeats` keeps them.

    Raises:
        FileNotFoundError: it was not fetched yet; the message says the command.
        ValueError: its file holds other clicks than those that the recipe was made for.
    """
    if not recipe.is_here:
        raise FileNotFoundError(
            f"{recipe.name!r} is not on this machine; get it with: {recipe.command} "
            f"({recipe.licence}); without a network: {recipe.by_hand}; "
            f"or put {recipe.file!r} into {recipe.path.parent}"
        )
    # Other clicks than these are refused, so that they stand for the file.
    key = f"{recipe.name}-{recipe.sha256[:16]}{'-repeats' if repeats else ''}"
    return cached(key, lambda: _prepare(recipe, repeats))


def read_checked(recipe: Recipe, path: Path) -> "pd.DataFrame":
    """The clicks of a file, as `Recipe.read` gives them.

    Raises:
        ValueError: they are not those that the recipe was made for.
    """
    way_out = f"get it again with: {recipe.command}"
    try:
        clicks = recipe.read(path)
    except ValueError as why:
        message = f"{path.name!r} cannot be read as {recipe.name}: {str(why).strip()}; {way_out}"
        raise ValueError(message) from None
    found = (len(clicks), clicks["SessionId"].nunique(), clicks["ItemId"].nunique())
    known = (recipe.n_clicks, recipe.n_sessions, recipe.n_items)
    for count, wanted, what in zip(found, known, ("clicks", "sessions", "items"), strict=True):
        if count != wanted:
            message = f"{path.name!r} has {count:,} {what}, not the {wanted:,} of {recipe.name}"
            raise ValueError(f"{message}; {way_out}")
    text = clicks.to_csv(index=False, lineterminator="\n")
    if hashlib.sha256(text.encode()).hexdigest() != recipe.sha256:
        raise ValueError(
            f"{path.name!r} has as many clicks as {recipe.name}, but other ones; {way_out}, or "
            "load it as a file of your own: load_sessions(path, session=..., item=..., time=...)"
        )
    return clicks


def _prepare(recipe: Recipe, repeats: bool) -> Sessions:
    clicks, dropped = read_checked(recipe, recipe.path), ()
    if not repeats:
        ids = clicks[["SessionId", "ItemId"]]
        again = (ids == ids.shift()).all(axis=1)
        dropped = (Dropped("clicks on the item clicked just before", clicks=int(again.sum())),)
        clicks = clicks[~again]
    return Sessions.from_frame(clicks, name=recipe.name, note=recipe.note, dropped=dropped)


def _read_e_shop(path: Path) -> "pd.DataFrame":
    """Clicks in the order of the day and of `order`; their time is that of their day."""
    import pandas as pd

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
    clicks = clicks.rename(columns={session: "SessionId", item: "ItemId"})
    return clicks[["SessionId", "ItemId", "Time"]]


_ALL = (
    Recipe(
        name="e-shop",
        what="clicks in a clothing shop, 2008",
        note="clicks in a shop, times known to the day",
        page="https://archive.ics.uci.edu/dataset/553/clickstream+data+for+online+shopping",
        licence="CC BY 4.0: name the authors, see datasets/e_shop.md",
        address="https://archive.ics.uci.edu/static/public/553/"
        "clickstream+data+for+online+shopping.zip",
        file="e-shop clothing 2008.csv",
        n_clicks=165_474,
        n_sessions=24_026,
        n_items=217,
        sha256="8e2ea22b50aff1143ad827509333584c3207c04900463d72d553566e2e9cc50b",
        read=_read_e_shop,
    ),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}
