"""Public sets of clicks: where each comes from, and how its raw file becomes sessions.

A further set is one entry of `RECIPES`, and a reader of `raw_logs` if its file has a shape of its
own. No publisher says a checksum, so what can be known is compared: columns, and the counts that
were published.

Sources
    [H16] Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks",
          arXiv 1511.06939.
    [H23] Hidasi, Czapp, "The Effect of Third Party Implementations on Reproducibility",
          arXiv 2307.14956.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from . import raw_logs
from .cache import cache_folder, cached
from .gather import Part
from .sessions import Sessions

SAMPLE = 1 << 16  # bytes at either end by which a file is known again
HOUR = 3600
RECIPE = 1  # part of what sessions are kept under: to be raised where they become other ones


@dataclass(frozen=True)
class Recipe:
    """How to get one set of clicks.

    Attributes:
        name: what `load_sessions` knows it by.
        what: what it holds, in one line.
        note: what a reader must know about the sessions, in one phrase.
        page: the publisher's page.
        licence: the licence, and what it asks for.
        file: the name of the file of clicks, or a pattern of the names of several.
        read: the clicks of such files, part by part.
        address: the archive that the command downloads; empty if it takes a browser.
        n_rows: the rows in it, those included that `read` leaves out; None if nobody says so.
        n_clicks: the clicks that are left; None if nobody says so.
        n_sessions: their sessions; None if nobody says so.
        n_items: their items; None if nobody says so.
        sha256: of the clicks as csv text, as `read` gives them; empty if it is not known.
        gap: seconds without a click that end a session, where the log knows users only.
        repeats: whether clicks on the item clicked just before are kept unless asked otherwise.
        split: the usual test sessions, as `Sessions.split_last` takes them.
        recent: the most recent part of the training sessions that lessons train on.
    """

    name: str
    what: str
    note: str
    page: str
    licence: str
    file: str
    read: Callable[[Sequence[Path]], Iterable[Part]]
    address: str = ""
    n_rows: int | None = None
    n_clicks: int | None = None
    n_sessions: int | None = None
    n_items: int | None = None
    sha256: str = ""
    gap: float | None = None
    repeats: bool = False
    split: Mapping[str, float | str] = field(default_factory=lambda: {"fraction": 0.1})
    recent: float = 1

    @property
    def command(self) -> str:
        """What fetches the file, or says how to."""
        return f"python -m gru4rec_lab.data {self.name}"

    @property
    def path(self) -> Path:
        """Where the file lies once it is fetched; of a pattern, the pattern there.

        Raises:
            RuntimeError: as of `cache_folder`.
        """
        return cache_folder() / "downloads" / self.file

    @property
    def paths(self) -> list[Path]:
        """The files that lie there, by name."""
        try:
            return sorted(self.path.parent.glob(self.file))
        except RuntimeError:  # no home folder
            return []

    @property
    def is_here(self) -> bool:
        """Whether a file lies there."""
        return bool(self.paths)

    @property
    def by_hand(self) -> str:
        """What to do in a browser."""
        where = f"{self.address} or {self.page}" if self.address else self.page
        what = "it" if self.address else repr(self.file)
        return (
            f"download {what} in a browser ({where}), then: "
            f'{self.command} "path/to/what you downloaded"'
        )


def load_recipe(recipe: Recipe, repeats: bool | None = None) -> Sessions:
    """The sessions of a set that was fetched before; nothing is downloaded.

    Clicks on the item that was clicked just before are kept if `repeats`, else left out and counted
    in `dropped`; None does as the recipe says.

    Raises:
        FileNotFoundError: it was not fetched yet; the message says the command.
        ValueError: its file holds other clicks than those that the recipe was made for.
    """
    if not recipe.is_here:
        way_out = f"get it with: {recipe.command} ({recipe.licence}); without a network: "
        raise FileNotFoundError(
            f"{recipe.name!r} is not on this machine; "
            f"{way_out if recipe.address else f'({recipe.licence}) '}{recipe.by_hand}; "
            f"or put {recipe.file!r} into {recipe.path.parent}"
        )
    return prepared(recipe, recipe.paths, repeats)


def prepared(
    recipe: Recipe, files: Sequence[Path], repeats: bool | None = None, *, fresh: bool = False
) -> Sessions:
    """The sessions of these files of a recipe; kept for the next time, read again if `fresh`.

    Raises:
        ValueError: as of `load_recipe`.
    """
    repeats = recipe.repeats if repeats is None else repeats
    key = cache_key(recipe, files) + ("-repeats" if repeats else "")
    return cached(key, lambda: _prepare(recipe, files, repeats), fresh=fresh)


def cache_key(recipe: Recipe, files: Sequence[Path]) -> str:
    """What the sessions of these files are kept under; it changes where a file does."""
    if recipe.sha256:  # other clicks than these are refused, so that they stand for the file
        return f"{recipe.name}-{RECIPE}-{recipe.sha256[:16]}"
    found = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        with path.open("rb") as file:
            found.update(f"{size} ".encode() + file.read(SAMPLE))
            file.seek(max(0, size - SAMPLE))
            found.update(file.read())
    return f"{recipe.name}-{RECIPE}-{found.hexdigest()[:16]}"


def _prepare(recipe: Recipe, files: Sequence[Path], repeats: bool) -> Sessions:
    way_out = f"get it again with: {recipe.command}"
    shown = ", ".join(repr(path.name) for path in files)
    text = hashlib.sha256()
    try:
        sessions = Sessions.from_parts(
            _read(recipe, files, text.update),
            numbered=True,
            gap=recipe.gap,
            name=recipe.name,
            note=recipe.note,
        )
    except ValueError as why:
        message = f"{shown} cannot be read as {recipe.name}: {str(why).strip()}; {way_out}"
        raise ValueError(message) from None
    n_rows = sessions.n_clicks + sum(step.clicks for step in sessions.dropped)
    for count, wanted, what in (
        (n_rows, recipe.n_rows, "rows"),
        (sessions.n_clicks, recipe.n_clicks, "clicks"),
        (sessions.n_sessions, recipe.n_sessions, "sessions"),
        (sessions.n_items, recipe.n_items, "items"),
    ):
        if wanted not in (None, count):
            message = f"{shown} has {count:,} {what}, not the {wanted:,} of {recipe.name}"
            raise ValueError(f"{message}; {way_out}")
    if recipe.sha256 and text.hexdigest() != recipe.sha256:
        raise ValueError(
            f"{shown} has as many clicks as {recipe.name}, but other ones; {way_out}, or "
            "load it as a file of your own: load_sessions(path, session=..., item=..., time=...)"
        )
    return sessions if repeats else sessions.without_repeats()


def _read(
    recipe: Recipe, files: Sequence[Path], hash_text: Callable[[bytes], None]
) -> Iterator[Part]:
    """The parts of the files; their clicks are hashed as text where the sha256 is known."""
    import pandas as pd

    for number, part in enumerate(recipe.read(files)):
        if recipe.sha256:
            columns = {"SessionId": part.session, "ItemId": part.item, "Time": part.time}
            text = pd.DataFrame(columns).to_csv(
                index=False, header=number == 0, lineterminator="\n"
            )
            hash_text(text.encode())
        yield part


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
        read=raw_logs.read_e_shop,
        n_clicks=165_474,
        n_sessions=24_026,
        n_items=217,
        sha256="8e2ea22b50aff1143ad827509333584c3207c04900463d72d553566e2e9cc50b",
    ),
    Recipe(
        name="yoochoose",
        what="clicks in a shop, 2014: RSC15",
        note="clicks in a shop",
        page="https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015",
        licence="CC BY-NC-ND 4.0: no commercial use, pass on nothing made of it",
        file="yoochoose-clicks.dat",
        read=partial(
            raw_logs.read_table,
            columns={"session": "int64", "timestamp": "S23", "item": "int64"},
            names=("session", "timestamp", "item", "category"),
            session="session",
            item="item",
            seconds=raw_logs.iso("timestamp", 23),
        ),
        n_rows=33_003_944,
        n_clicks=33_003_944,
        n_sessions=9_249_729,
        n_items=52_739,
        repeats=True,  # as in [H16]
        split={"days": 1, "by": "end"},
        recent=1 / 64,
    ),
    Recipe(
        name="diginetica",
        what="product pages seen, 2016",
        note="views of product pages",
        page="https://competitions.codalab.org/competitions/11161",
        licence="none stated: for your own research",
        file="train-item-views.csv",
        read=partial(
            raw_logs.read_table,
            sep=";",
            columns={
                "sessionId": "int64",
                "itemId": "int64",
                "timeframe": "int64",
                "eventdate": "S10",
            },
            session="sessionId",
            item="itemId",
            seconds=raw_logs.day_and_milliseconds("eventdate", "timeframe"),
        ),
        n_rows=1_235_380,
        n_clicks=1_235_380,
        n_sessions=310_324,
        n_items=122_993,
        split={"days": 7},
    ),
    Recipe(
        name="retailrocket",
        what="views in a shop, 2015",
        note="views in a shop; an hour without one ends a session",
        page="https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset",
        licence="CC BY-NC-SA 4.0: no commercial use, name the authors",
        file="events.csv",
        read=partial(
            raw_logs.read_table,
            columns={
                "timestamp": "int64",
                "visitorid": "int64",
                "event": "str",
                "itemid": "int64",
            },
            session="visitorid",
            item="itemid",
            seconds=raw_logs.milliseconds("timestamp"),
            only=("event", "view"),
        ),
        n_rows=2_756_101,
        n_clicks=2_664_312,
        gap=HOUR,
        split={"days": 7},
    ),
    Recipe(
        name="rees46",
        what="views in a large shop, 2019",
        note="views in a shop; sessions are numbered",
        page="https://www.kaggle.com/datasets/mkechinov/"
        "ecommerce-behavior-data-from-multi-category-store",
        licence="free to use, link to REES46 and its page; see datasets/rees46.md",
        file="20??-???.csv",
        read=partial(
            raw_logs.read_table,
            columns={
                "event_time": "S19",
                "event_type": "str",
                "product_id": "int64",
                "user_session": "str",
            },
            session="user_session",
            item="product_id",
            seconds=raw_logs.iso("event_time", 19),
            only=("event_type", "view"),
        ),
        split={"days": 1},
        recent=1 / 64,
    ),
    Recipe(
        name="coveo",
        what="product pages seen in a shop",
        note="views of product pages; sessions are numbered, times shifted",
        page="https://www.coveo.com/en/ailabs/sigir-ecom-data-challenge",
        licence="for research and teaching, by a form; pass on nothing",
        file="browsing_train.csv",
        read=partial(
            raw_logs.read_table,
            columns={
                "session_id_hash": "str",
                "product_action": "str",
                "product_sku_hash": "str",
                "server_timestamp_epoch_ms": "int64",
            },
            session="session_id_hash",
            item="product_sku_hash",
            seconds=raw_logs.milliseconds("server_timestamp_epoch_ms"),
            only=("product_action", "detail"),
        ),
        split={"days": 1},
        recent=1 / 16,
    ),
    Recipe(
        name="otto",
        what="clicks in a large shop, 2022",
        note="clicks in a shop; a session is all that a user did in four weeks",
        page="https://www.kaggle.com/datasets/otto/recsys-dataset",
        licence="CC BY 4.0: name the authors, see datasets/otto.md",
        file="otto-recsys-train.jsonl",
        read=partial(raw_logs.read_json_lines, kind="clicks"),
        n_rows=216_716_096,
        n_clicks=194_720_954,
        split={"days": 7},
        recent=1 / 64,
    ),
    Recipe(
        name="wikispeedia",
        what="ways through Wikipedia",
        note="ways of players from page to page, times known to the way",
        page="https://snap.stanford.edu/data/wikispeedia.html",
        licence="none stated: name the authors, see datasets/wikispeedia.md",
        address="https://snap.stanford.edu/data/wikispeedia/wikispeedia_paths-and-graph.tar.gz",
        file="paths_finished.tsv",
        read=raw_logs.read_paths,
        n_sessions=51_318,
    ),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}
