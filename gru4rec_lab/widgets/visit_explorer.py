"""`VisitExplorer`: click items, and see what a trained model recommends next, and why."""

import html
import threading
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import ipywidgets as widgets

from ..arguments import check_kind
from ..diagnostics.clicks import click_effects
from ..recommender import Recommendation, Recommender, Visit
from .controls import Field, Updating, labelled, marked
from .panel import Panel

N_TOP = 10
HEAD = (
    "<b>recommended</b> (a press clicks on it): score, and the click that moved it most; in "
    "brackets, how far the score would fall without that click"
)


class VisitExplorer(Panel):
    """A session that grows by a click at a time, with ten recommendations after each.

    An item is clicked by its id or its name in the box, or by its button in the list.

    Args:
        models: name to trained model, or one model.
        names: item to the name that is shown; None for the ids alone.
        clicks: the session to begin with.

    Attributes:
        model, item, exclude_seen: the controls; `item` takes an id or a name as text.
        buttons: "undo", "clear" to the button.
        clicks: the session.
        found: the recommendations shown, best first.
        movers: for each of them the click that moved its score most, and by how much its score
            would fall without that click; None before the first click.

    Raises:
        ValueError: no model, something that is none, or a click on an item that the first one does
            not know.
    """

    def __init__(
        self,
        models: Mapping[str, Recommender] | Recommender,
        names: Mapping[Any, str] | None = None,
        clicks: Sequence[Any] = (),
        *,
        key: str = "VisitExplorer",
    ):
        super().__init__(key)
        if not isinstance(models, Mapping):
            models = {"model": models}
        if not models:
            raise ValueError("no model to ask; give one, or {'a name': model}")
        for name, model in models.items():
            check_kind(Recommender, "train one with fit, or load_model(path)", **{str(name): model})
        self._models, self._names = dict(models), dict(names or {})
        self._updating, self._lock = Updating(), threading.RLock()
        self.clicks: list[Any] = []
        self.found: list[Recommendation] = []
        self.movers: list[tuple[Any, float] | None] = []
        self._make_controls()
        self._take_model()
        self._connect()
        for item in clicks:
            self.click(item)
        above = [self.model, self.field, widgets.HBox([*self.buttons.values(), self.exclude_seen])]
        self.reveal([*above, self.error_box, self.session, widgets.HTML(HEAD), *self._rows])

    def _make_controls(self) -> None:
        self.model = labelled(
            widgets.Dropdown, "model", options=list(self._models), css="g4r-model",
            tooltip="whose recommendations are shown",
        )  # fmt: skip
        self.item = labelled(
            widgets.Combobox, "click on", continuous_update=False, css="g4r-item",
            placeholder="type an item, press Enter", tooltip="an id or a name, then Enter",
        )  # fmt: skip
        self.field = Field(self.item, "430px")
        tips = {"undo": "take the last click back", "clear": "begin a new session"}
        look = widgets.Layout(width="80px")
        self.buttons = {
            name: marked(
                widgets.Button(description=name.capitalize(), tooltip=tip, layout=look),
                f"g4r-{name}",
            )
            for name, tip in tips.items()
        }
        self.exclude_seen = marked(
            widgets.Checkbox(
                value=False, description="leave out items seen", indent=False,
                tooltip="do not recommend what was clicked in this session",
            ), "g4r-exclude-seen",
        )  # fmt: skip
        self.session = marked(widgets.HTML(), "g4r-words")
        self.best = [
            marked(widgets.Button(layout=widgets.Layout(width="280px")), "g4r-best")
            for _ in range(N_TOP)
        ]
        self._why = [marked(widgets.HTML(), "g4r-why") for _ in range(N_TOP)]
        pairs = zip(self.best, self._why, strict=True)
        level = widgets.Layout(align_items="center")
        self._rows = [widgets.HBox(list(pair), layout=level) for pair in pairs]

    def _connect(self) -> None:
        self.model.observe(self.guarded(lambda _change: self._take_model()), "value")
        self.item.observe(self.guarded(lambda _change: self._typed()), "value")
        self.exclude_seen.observe(self.guarded(lambda _change: self.update()), "value")
        for name, button in self.buttons.items():
            act = getattr(self, name)
            button.on_click(self.guarded(lambda _button, act=act: act()))
        for place, button in enumerate(self.best):
            press = self.guarded(lambda _button, place=place: self.click(self.found[place].item))
            button.on_click(press)

    def click(self, item: Any) -> None:
        """Go on with a click on this item.

        Raises:
            ValueError: the model does not know the item.
        """
        with self._lock:
            visit = self._visit()
            if not visit.click(item):
                close = get_close_matches(str(item), self._by_text, n=3)
                hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
                raise ValueError(f"the model does not know the item {item!r}{hint}")
            self.clicks.append(item)
            self.update()

    def undo(self) -> None:
        """Take the last click back; nothing if there is none."""
        with self._lock:
            del self.clicks[-1:]
            self.update()

    def clear(self) -> None:
        """Begin a new session."""
        with self._lock:
            self.clicks.clear()
            self.update()

    def update(self) -> None:
        """Ask the model about the session, and show its answer."""
        with self._lock:
            self.field.refuse("")
            model, visit = self._models[self.model.value], self._visit()
            self.found = visit.top(N_TOP, exclude_seen=self.exclude_seen.value)
            self.movers = self._find_movers(model, visit)
            self.session.value = self._session_words(visit)
            for place, (button, why) in enumerate(zip(self.best, self._why, strict=True)):
                shown = place < len(self.found)
                for element in (button, why):
                    element.layout.display = None if shown else "none"
                if shown:
                    label = self._label(self.found[place].item)
                    button.description = f"{place + 1}. {label}"
                    button.tooltip = f"click on {label}"
                    why.value = self._why_words(place)

    def _visit(self) -> Visit:
        visit = self._models[self.model.value].session()
        for item in self.clicks:
            visit.click(item)
        return visit

    def _find_movers(self, model: Recommender, visit: Visit) -> list[tuple[Any, float] | None]:
        if not visit.clicks:
            return [None] * len(self.found)
        effects = click_effects(model, visit.clicks, [each.item for each in self.found])
        most = effects.abs().argmax(dim=0)
        fall = effects.gather(0, most[None])[0].tolist()
        return [(visit.clicks[row], by) for row, by in zip(most.tolist(), fall, strict=True)]

    def _take_model(self) -> None:
        """Offer the items of the chosen model, and ask it."""
        known = self._models[self.model.value].item_ids.tolist()
        self._by_text = {self._label(item): item for item in known}
        options = list(self._by_text)
        self._by_text |= {str(item): item for item in known}
        with self._updating:
            self.item.options = options
        self.update()

    def _typed(self) -> None:
        text = self.item.value.strip()
        if self._updating or not text:
            return
        try:
            self.click(self._by_text.get(text, text))
        except ValueError as error:
            self.field.refuse(str(error))
        else:
            with self._updating:
                self.item.value = ""

    def _label(self, item: Any) -> str:
        return str(self._names.get(item, item))

    def _session_words(self, visit: Visit) -> str:
        way = " &gt; ".join(html.escape(self._label(item), quote=False) for item in visit.clicks)
        words = f"session: {way}" if way else "No click yet: the item biases alone decide."
        if visit.unknown:
            unknown = ", ".join(html.escape(str(item), quote=False) for item in visit.unknown)
            words += f"; unknown to this model, and left out: {unknown}"
        return f'<div role="status">{words}</div>'

    def _why_words(self, place: int) -> str:
        words, mover = f"{self.found[place].score:.2f}", self.movers[place]
        if mover is not None:
            item, by = mover
            words += f" &middot; {html.escape(self._label(item), quote=False)} ({by:+.2f})"
        return words
