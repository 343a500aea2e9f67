"""The explorer's controls: an element for every setting, its presets, its settings as text."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...losses import LOSSES
from .. import settings_box
from ..controls import (
    Updating,
    float_slider,
    labelled,
    marked,
    set_value,
    steps_slider,
    toggle_buttons,
)
from .settings import CONTROLS, PRESETS, USED_BY

WIDTHS = (90, 104, 450)  # of a label, a button, a row of buttons


class ExplorerControls(widgets.HBox):
    """Every control of the explorer, labelled; those that a source does not use are hidden.

    Attributes:
        elements: setting name to its element.
        losses: loss name to the checkbox that shows it.
        preset: menu of `PRESETS`; empty once a control differs from it.
    """

    def __init__(self, refresh: Callable[[dict], None]):
        self._refresh, self._updating = refresh, Updating()
        self.elements = _elements()
        self.losses = {name: _checkbox(name) for name in LOSSES}
        self.preset = labelled(
            widgets.Dropdown, "preset", options=["", *PRESETS], css="g4r-preset", width=None,
            tooltip="settings to start from",
        )  # fmt: skip
        for control in (*self.elements.values(), *self.losses.values()):
            control.observe(self._changed, "value")
        self.preset.observe(self._chosen, "value")
        wrapped = widgets.Layout(flex_flow="row wrap", max_width="640px")
        last = [self.elements[name] for name in ("scale", "pane", "temperature", "bpreg")]
        left = [self.preset, *(each for each in self.elements.values() if each not in last)]
        boxes = widgets.HBox(list(self.losses.values()), layout=wrapped)
        columns = [widgets.VBox(left), widgets.VBox([boxes, *last])]
        super().__init__(columns, layout=widgets.Layout(flex_flow="row wrap"))
        self.show_used()

    def _changed(self, change: dict) -> None:
        if self._updating:
            return
        with self._updating:
            self.preset.value = ""
        self._refresh(change)

    def _chosen(self, change: dict) -> None:
        if self._updating or not change["new"]:
            return
        with self._updating:
            self._set(PRESETS[change["new"]], preset=change["new"])
        self._refresh(change)

    def show_used(self) -> None:
        """Hide the controls that the chosen source does not use."""
        used = USED_BY[self.elements["source"].value]
        for name in self.elements.keys() & set().union(*USED_BY.values()):
            self.elements[name].layout.display = None if name in used else "none"

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
        self.show_used()

    def _set(self, settings: dict[str, Any], *, preset: str = "") -> None:
        self.preset.value = preset
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
    words = ("source", "pasted", "scale", "pane")
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
            options = range(low, high + 1)
            return labelled(widgets.SelectionSlider, label, options=options, value=value, **look)
        case {"min": low, "max": high, "step": step}:
            return float_slider(label, value, low, high, step, **look)
        case {"choices": choices, "tooltips": tooltips}:
            return toggle_buttons(label, choices, tooltips, css=look["css"], widths=WIDTHS)
        case {"choices": choices}:
            options = list(choices.values())
            return labelled(widgets.SelectionSlider, label, options=options, value=value, **look)
    return labelled(widgets.Textarea, label, value=value, continuous_update=False, **takes, **look)


def _checkbox(name: str) -> widgets.Checkbox:
    box = widgets.Checkbox(
        value=True, description=name, indent=False, tooltip=f"show the {name} loss",
        layout=widgets.Layout(width="auto", margin="0 14px 0 0"),
    )  # fmt: skip
    return marked(box, "g4r-loss", f"g4r-loss-{name}")
