"""`NeighbourFinder`: which items a trained model takes for alike, with what is known about them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from ..diagnostics.neighbours import TABLES, neighbours
from ..plots.batches import shortened
from ..plots.picture import Axis, Line, Pane, Picture, Shown, points
from ..recommender import Recommender
from .controls import LABEL, labelled, marked, toggle_buttons
from .markup import bold, html_table
from .panel import PicturePanel

if TYPE_CHECKING:
    import pandas as pd


MOST = 20


class NeighbourFinder(PicturePanel):
    """The items nearest to one item, by the table that scores items or that clicks look into.

    Args:
        models: name to trained model.
        facts: a row an item, the index of the items' ids, as they are in the models; what
            neighbours share with the item is printed bold. None for none.
        item: the id of the item to begin with; None: the first of the first model.

    Attributes:
        model, table, k, item: the controls; `item` takes the id of any item of the model as text.
        found: the neighbours shown, the nearest first: item (the index), cosine and the facts.

    Raises:
        ValueError: an unknown item, several rows of facts for one item, or for none a row.
    """

    def __init__(
        self,
        models: Mapping[str, Recommender],
        facts: "pd.DataFrame | None" = None,
        *,
        item: Any = None,
        key: str = "NeighbourFinder",
    ):
        super().__init__(key)
        self._models, self._facts = dict(models), facts
        ids = {name: model.item_ids.tolist() for name, model in models.items()}
        first = next(iter(ids.values()))
        if facts is not None:
            _check(facts, first)
        self._id_of = {name: {str(each): each for each in known} for name, known in ids.items()}
        self.found: pd.DataFrame
        self._make_controls(first, first[0] if item is None else item)
        self.words = marked(widgets.HTML(), "g4r-words")
        self.update()
        for control in (self.model, self.item, self.table, self.k):
            control.observe(self.guarded(lambda change: self.update()), "value")
        # The error below the only control that can be set wrong.
        controls = [self.model, self.table, self.k, self.item]
        self.reveal([*controls, self.error_box, self.picture, self.words])

    def _make_controls(self, ids: list, item: Any) -> None:
        self.model = marked(
            widgets.Dropdown(
                options=list(self._models), description="model", style=LABEL,
                tooltip="whose vectors are compared",
            ), "g4r-model")  # fmt: skip
        self.item = marked(
            widgets.Combobox(
                value=str(item), options=list(map(str, ids)), style=LABEL,
                description="item", continuous_update=False, tooltip="type an id, press Enter",
            ), "g4r-item")  # fmt: skip
        self.table = toggle_buttons(
            "table", {name: name for name in TABLES},
            ["the table that scores items", "the table that clicks are looked up in"],
            css="g4r-table",
        )  # fmt: skip
        most = min(MOST, *(len(model.item_ids) - 1 for model in self._models.values()))
        self.k = labelled(
            widgets.IntSlider, "neighbours (items)", value=min(8, most), min=1, max=most,
            css="g4r-k", tooltip="how many are listed, the nearest first",
        )  # fmt: skip

    def update(self) -> None:
        """Find the neighbours for the controls as they are, and show them.

        Raises:
            ValueError: the model does not know the item.
        """
        with self.lock:
            name, text = self.model.value, self.item.value.strip()
            item = self._id_of[name].get(text, text)
            found = neighbours(self._models[name], item, self.k.value, self.table.value)
            facts = found[[]] if self._facts is None else self._facts
            # Facts may have a cosine of their own.
            where = {"how": "left", "left_index": True, "right_index": True}
            self.found = found.merge(facts, suffixes=("", " (fact)"), **where)
            title = f"nearest to {item} by the {self.table.value} table, {name}"
            self.picture.show(_picture(found.cosine), _shown(title, found.cosine))
            self.words.value = self._same_tables() + _table(item, found, facts)

    def _same_tables(self) -> str:
        """Why the choice of a table changes nothing, where it does not."""
        network = self._models[self.model.value].network
        same = network.input_table()[1] is network.items
        return "<p>In this model both tables are one: a constrained embedding.</p>" if same else ""


def _picture(cosine: "pd.Series") -> Picture:
    """A bar for each neighbour, as high as its cosine, its name on top."""
    low = min(0.0, float(np.floor(5 * cosine.min())) / 5)
    ticks = tuple((place, str(place)) for place in range(1, len(cosine) + 1))
    x = Axis((0.4, len(cosine) + 0.6), label="neighbour, the nearest first", ticks=ticks)
    pane = Pane(x, Axis((low, 1), label="cosine"), above=56 if cosine.max() > 0.6 else 0)
    looks = {
        "cosine": Line("all", "#009E73", width=16),
        "names": Line("all", kind="texts", width=11, turned=True),
    }
    return Picture(250, {"all": pane}, looks)


def _shown(title: str, cosine: "pd.Series") -> Shown:
    place, names = np.arange(1, len(cosine) + 1), [str(item) for item in cosine.index]
    told = ", ".join(f"{name} {one:.2f}" for name, one in zip(names, cosine, strict=True))
    # A bar is a wide line from the cosine to 0; a NaN parts it from the next.
    bars = points(np.repeat(place, 3), [y for one in cosine for y in (one, 0, np.nan)])
    lines = {"cosine": bars, "names": points(place, np.maximum(cosine, 0) + 0.03)}
    read = [text for name in names for text in (name, name, "")]
    texts = {"cosine": read, "names": list(map(shortened, names))}
    return Shown(
        lines, f"Cosines of the items {title}: {told}.", titles={"all": title}, texts=texts
    )  # fmt: skip


def _check(facts: "pd.DataFrame", ids: list) -> None:
    if not facts.index.is_unique:
        twice = facts.index[facts.index.duplicated()].tolist()[0]
        raise ValueError(f"facts has several rows for item {twice!r}; give one row an item")
    if not facts.index.isin(ids).any():
        raise ValueError(
            f"facts has no row for any item; its index must hold ids such as {ids[0]!r}"
        )


def _table(item: Any, found: "pd.DataFrame", facts: "pd.DataFrame") -> str:
    """The item and its neighbours with their facts, as HTML; missing facts are left empty."""
    known = facts.reindex([item, *found.index])
    texts = known.astype(object).where(known.notna(), "").astype(str)
    (_, *own), *others = texts.itertuples(name=None)
    rows = [[bold(item), "", *own]]
    for cosine, (name, *shown) in zip(found.cosine, others, strict=True):
        pairs = zip(shown, own, strict=True)
        rows.append(
            [name, f"{cosine:.2f}", *(bold(one) if one == mine else one for one, mine in pairs)]
        )
    return html_table(["item", "cosine", *facts.columns], rows)
