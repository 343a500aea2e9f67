"""The explorer's controls: an element for every setting, its presets, its settings as text."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...losses import LOSSES
from .. import settings_box
from ..controls import (
    Field,
    Fold,
    Updating,
    float_slider,
    labelled,
    marked,
    set_value,
    steps_slider,
    toggle_buttons,
)
from .settings import CONTROLS, PRESETS, USED_BY
from .text import silent_controls

WIDTHS = (150, 78, 400)  # of a label, a button, a row of buttons
IN_VIEW = [
    "source", "pane", "n_sample", "spread", "target_score", "model", "epoch", "number",
    "sample_alpha", "pasted",
]  # fmt: skip


class ExplorerControls(widgets.VBox):
    """Every control of the explorer, labelled; those that a source does not use are hidden.

    What is not always in view lies in a fold; `simple` leaves the extra negatives alone in view.

    Attributes:
        elements: setting name to its element.
        losses: loss name to the checkbox that shows it.
        preset: menu of `PRESETS`; the one in force, empty if none is.
        reset: button that sets all controls as they were when the panel was made.
        fields: setting name to its element with what is wrong with it, or why it changes nothing.
        fold: the rest of the controls, which the panel places.
    """

    def __init__(self, refresh: Callable[[dict], None], *, simple: bool = False):
        self._refresh, self._updating = refresh, Updating()
        self.elements = _elements()
        self.losses = {name: _checkbox(name) for name in LOSSES}
        self.preset = labelled(
            widgets.Dropdown, "preset", options=["", *PRESETS], css="g4r-preset", width=None,
            tooltip="settings to start from",
        )  # fmt: skip
        self.reset = marked(
            widgets.Button(
                description="Reset controls", tooltip="all controls as they were at first"
            ),
            "g4r-reset-controls",
        )
        self.fields = {name: Field(element) for name, element in self.elements.items()}
        for control in (*self.elements.values(), *self.losses.values()):
            control.observe(self._changed, "value")
        self.preset.observe(self._chosen, "value")
        self.reset.on_click(lambda _button: self.apply(self.usual))
        in_view = ["n_sample"] if simple else IN_VIEW
        boxes = widgets.HBox(
            list(self.losses.values()), layout=widgets.Layout(flex_flow="row wrap")
        )
        start = widgets.HBox([self.preset, self.reset], layout=widgets.Layout(flex_flow="row wrap"))
        rest = [field for name, field in self.fields.items() if name not in in_view]
        self.fold = Fold("More controls", [start, boxes, _grid(rest)], css="g4r-more")
        self.usual = self.settings()
        super().__init__([_grid([self.fields[name] for name in in_view])])
        self._follow()

    def _changed(self, change: dict) -> None:
        if self._updating:
            return
        self._follow()
        self._refresh(change)

    def _chosen(self, change: dict) -> None:
        if self._updating or not change["new"]:
            return
        with self._updating:
            self._set(PRESETS[change["new"]])
        self._follow()
        self._refresh(change)

    def _follow(self) -> None:
        """Show what the settings are: the preset in force, what they use, what changes nothing."""
        settings = self.settings()
        used = USED_BY[settings["source"]]
        silent = silent_controls(settings)
        with self._updating:
            self.preset.value = next(
                (name for name, preset in PRESETS.items() if preset.items() <= settings.items()), ""
            )
        for name, field in self.fields.items():
            if name in set().union(*USED_BY.values()):
                display = None if name in used else "none"
                field.layout.display = self.elements[name].layout.display = display
            field.refuse("")
            field.tell(silent.get(name, ""))

    def point(self, name: str) -> None:
        """Mark the control of setting `name` and bring it into view; "" marks none."""
        for each, field in self.fields.items():
            field.point(here=each == name)
        if name and self.fields[name] not in self.children[0].children:
            self.fold.header.value = True

    def settings(self) -> dict[str, Any]:
        """Setting name to value, `losses` (those ticked) among them."""
        shown = [name for name, box in self.losses.items() if box.value]
        return {name: each.value for name, each in self.elements.items()} | {"losses": shown}

    def apply(self, settings: dict[str, Any]) -> None:
        """Set these settings and leave the others as they are; the picture follows once.

        Raises:
            ValueError: an unknown setting or loss, or a value that it cannot take.
        """
        self.load(settings)
        self._refresh({"owner": self, "new": settings})

    def load(self, settings: dict[str, Any]) -> None:
        """`apply` without a picture.

        Raises:
            ValueError: an unknown setting or loss, or a value that it cannot take.
        """
        known = [*self.elements, "losses"]
        for name in settings:
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; choose one of {', '.join(known)}")
        for loss in settings.get("losses", ()):
            if LOSSES[loss].name not in self.losses:
                raise ValueError(f"{loss!r} was added after this panel was made; make it again")
        with self._updating:
            self._set(settings)
        self._follow()

    def _set(self, settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            if name == "losses":
                for loss, box in self.losses.items():
                    box.value = loss in value
            else:
                set_value(self.elements[name], name, value)


def from_text(text: str) -> dict[str, Any]:
    """The settings in a line of `settings_box.to_text`.

    Raises:
        ValueError: a part that is no `name=value`.
    """
    words = ("source", "model", "pasted", "scale", "pane")
    return settings_box.from_text(text, words=words, lists=("losses",))


def _elements() -> dict[str, widgets.ValueWidget]:
    return {name: _element(name, **control) for name, control in CONTROLS.items()}


def _element(
    name: str, *, label: str, value: Any, tooltip: str = "", **takes: Any
) -> widgets.ValueWidget:
    """The element of a control of `settings.CONTROLS`."""
    look = {"css": f"g4r-{name.replace('_', '-')}", "tooltip": tooltip}
    match takes:
        case {"stops": stops, "max": most}:
            return steps_slider(label, value, stops, most=most, **look)
        case {"min": int(low), "max": high}:
            ends = {"min": low, "max": high, "value": value}
            return labelled(widgets.IntSlider, label, **ends, **look)
        case {"min": low, "max": high, "step": step}:
            return float_slider(label, value, low, high, step, **look)
        case {"choices": choices, "tooltips": tooltips}:
            return toggle_buttons(label, choices, tooltips, css=look["css"], widths=WIDTHS)
        case {"choices": choices, "menu": True}:
            options = list(choices.items())
            return labelled(widgets.Dropdown, label, options=options, value=value, **look)
        case {"choices": choices}:
            options = list(choices.values())
            return labelled(widgets.SelectionSlider, label, options=options, value=value, **look)
    return labelled(widgets.Textarea, label, value=value, continuous_update=False, **takes, **look)


def _grid(cells: list[widgets.Widget]) -> widgets.GridBox:
    """As many columns as fit."""
    columns = "repeat(auto-fit, minmax(min(100%, 400px), 1fr))"
    layout = widgets.Layout(grid_template_columns=columns, grid_gap="0 12px")
    return widgets.GridBox(cells, layout=layout)


def _checkbox(name: str) -> widgets.Checkbox:
    box = widgets.Checkbox(
        value=True, description=name, indent=False, tooltip=f"show the {name} loss",
        layout=widgets.Layout(width="auto", margin="0 14px 0 0"),
    )  # fmt: skip
    return marked(box, "g4r-loss", f"g4r-loss-{name}")
