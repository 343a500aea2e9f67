"""`NeighbourFinder`: which items a trained model takes for alike, with what is known about them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..diagnostics.neighbours import TABLES, neighbours
from ..recommend import Recommender
from .controls import LABEL, marked, steps_slider, toggle_buttons
from .markup import Html, bold, html_table
from .panel import Panel

if TYPE_CHECKING:
    import pandas as pd


class NeighbourFinder(Panel):
    """The items nearest to one item, by the table that scores items or that clicks look into.

    Args:
        models: name to trained model.
        facts: a row an item, the index of the items' ids, as they are in the models; what
            neighbours share with the item is printed bold. None for none.
        item: the id of the item to begin with; None: the first of the first model.

    Attributes:
        model, item, table, k: the controls; `item` takes the id of any item of the model as text.
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
        controls = [self.model, self.item, self.table, self.k]
        self.reveal([*controls, self.error_box, self.words])

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
        self.k = steps_slider(
            "neighbours", min(8, len(ids) - 1), [1, 3, 5, 8, 12, 20], css="g4r-k",
            tooltip="how many (items)",
        )  # fmt: skip

    def update(self) -> None:
        """Find the neighbours for the controls as they are, and show them.

        Raises:
            ValueError: the model does not know the item.
        """
        name, text = self.model.value, self.item.value.strip()
        item = self._id_of[name].get(text, text)
        found = neighbours(self._models[name], item, self.k.value, self.table.value)
        facts = found[[]] if self._facts is None else self._facts
        # Facts may have a cosine of their own.
        where = {"how": "left", "left_index": True, "right_index": True}
        self.found = found.merge(facts, suffixes=("", " (fact)"), **where)
        self.words.value = _table(item, found, facts)


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
            [name, _bar(cosine), *(bold(one) if one == mine else one for one, mine in pairs)]
        )
    return html_table(["item", "cosine", *facts.columns], rows)


def _bar(cosine: float) -> Html:
    width = max(0, round(60 * cosine))
    style = f"display:inline-block;height:9px;width:{width}px;background:#009E73"
    return Html(f'{cosine:.2f} <span style="{style}"></span>')
