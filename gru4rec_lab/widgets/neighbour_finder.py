"""`NeighbourFinder`: which items a trained model takes for alike, with what is known about them."""

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..diagnostics.neighbours import neighbours
from ..recommend import Recommender
from .controls import LABEL, marked, steps_slider
from .panel import Panel

if TYPE_CHECKING:
    import pandas as pd


class NeighbourFinder(Panel):
    """The items nearest to one item, by the table that scores items or that clicks look into.

    Args:
        models: name to trained model.
        facts: a row an item; what neighbours share with the item is printed bold. None for none.

    Attributes:
        model, item, table, k: the controls; `item` takes any item that the model knows.
        found: the neighbours shown, the nearest first: item (the index), cosine and the facts.
    """

    def __init__(
        self,
        models: Mapping[str, Recommender],
        facts: "pd.DataFrame | None" = None,
        *,
        item: str = "",
        key: str = "NeighbourFinder",
    ):
        super().__init__(key)
        self._models, self._facts = dict(models), facts
        first = next(iter(self._models.values()))
        self.found: pd.DataFrame
        self._make_controls(first, item or first.item_ids[0])
        self.words = marked(widgets.HTML(), "g4r-words")
        self.update()
        for control in (self.model, self.item, self.table, self.k):
            control.observe(self.guarded(lambda change: self.update()), "value")
        controls = [self.model, self.item, self.table, self.k]
        self.reveal([*controls, self.error_box, self.words])

    def _make_controls(self, first: Recommender, item: str) -> None:
        self.model = marked(
            widgets.Dropdown(
                options=list(self._models), description="model", style=LABEL,
                tooltip="whose vectors are compared",
            ), "g4r-model")  # fmt: skip
        self.item = marked(
            widgets.Combobox(
                value=str(item), options=[str(name) for name in first.item_ids], style=LABEL,
                description="item", continuous_update=False, tooltip="type a name, press Enter",
            ), "g4r-item")  # fmt: skip
        self.table = marked(
            widgets.ToggleButtons(
                options=["output", "input"], description="table",
                style={"button_width": "110px"} | LABEL,
                tooltips=["the table that scores items", "the table that clicks are looked up in"],
            ), "g4r-table")  # fmt: skip
        self.k = steps_slider(
            "neighbours",
            min(8, len(first.item_ids) - 1),
            [1, 3, 5, 8, 12, 20],
            css="g4r-k",
            tooltip="how many (items)",
        )

    def update(self) -> None:
        """Find the neighbours for the controls as they are, and show them.

        Raises:
            ValueError: the model does not know the item.
        """
        model, item = self._models[self.model.value], self.item.value
        found = neighbours(model, item, self.k.value, self.table.value)
        self.found = found if self._facts is None else found.join(self._facts)
        self.words.value = self._table(item)

    def _table(self, item: str) -> str:
        own = {} if self._facts is None else self._facts.loc[item].to_dict()
        head = "".join(f'<th align="left">{html.escape(str(name))}</th>' for name in own)
        facts = "".join(f"<td>{html.escape(str(fact))}</td>" for fact in own.values())
        rows = "".join(
            f"<tr><td>{html.escape(str(name))}</td><td>{row.cosine:.2f} {_bar(row.cosine)}</td>"
            + "".join(_cell(getattr(row, fact), own[fact]) for fact in own)
            + "</tr>"
            for name, row in zip(self.found.index, self.found.itertuples(), strict=True)
        )
        first = f"<tr><td><b>{html.escape(item)}</b></td><td></td>{facts}</tr>"
        return (
            '<table style="border-spacing:14px 2px"><tr><th align="left">item</th>'
            f'<th align="left">cosine</th>{head}</tr>{first}{rows}</table>'
        )


def _cell(value: object, own: object) -> str:
    text = html.escape(str(value))
    return f"<td><b>{text}</b></td>" if value == own else f"<td>{text}</td>"


def _bar(cosine: float) -> str:
    width = max(0, round(60 * cosine))
    style = f"display:inline-block;height:9px;width:{width}px;background:#009E73"
    return f'<span style="{style}"></span>'
