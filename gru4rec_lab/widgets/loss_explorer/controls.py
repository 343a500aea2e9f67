"""The explorer's controls: an element for every setting, its presets, its settings as text."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...diagnostics.stored import EPOCHS, N_TARGETS
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

N_SAMPLES = [0] + [2**power for power in range(3, 16)]
SOURCES = {"Gaussian": "gaussian", "real model": "trained", "pasted": "pasted"}
USED_BY = {
    "gaussian": {"n_sample", "spread", "target_score"},
    "trained": {"n_sample", "sample_alpha", "epoch", "number"},
    "pasted": {"pasted"},
}
WIDTHS = (90, 104, 450)  # of a label, a button, a row of buttons
_COMMON = {"n_sample": 2048, "temperature": 1.0, "bpreg": 0.0}
_GAUSSIAN = _COMMON | {"source": "gaussian", "spread": 4.0, "target_score": 8.0}
_TRAINED = _COMMON | {"source": "trained", "epoch": 4, "sample_alpha": 0.5}
PRESETS: dict[str, dict[str, Any]] = {
    "batch only": _GAUSSIAN | {"n_sample": 0},
    "2048 extra samples": _GAUSSIAN,
    "narrow scores": _GAUSSIAN | {"spread": 0.5, "target_score": 1.5},
    "trained BPR": _TRAINED,
    "trained BPR, uniform samples": _TRAINED | {"sample_alpha": 0.0, "pane": "scores"},
    "trained BPR, popular samples": _TRAINED | {"sample_alpha": 1.0, "pane": "scores"},
}


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
        for name in set().union(*USED_BY.values()):
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
    return {
        "source": toggle_buttons(
            "scores", SOURCES,
            ["made up: N(0, spread^2)", "a BPR model of the flights, as it learns",
             "numbers of your own"], css="g4r-source", widths=WIDTHS),
        "n_sample": steps_slider(
            "extra negatives", 0, N_SAMPLES, css="g4r-n-sample", most=N_SAMPLES[-1],
            tooltip="n_sample: extra negatives besides the other targets of the batch (items)"),
        "spread": float_slider(
            "score spread (std)", 4.0, 0.1, 6.0, 0.1, css="g4r-spread",
            tooltip="standard deviation of the negatives' scores (score units); models widen it"),
        "target_score": float_slider(
            "target's score (dot)", 8.0, -10.0, 30.0, 0.5, css="g4r-target-score",
            tooltip="score of the target that the dots and the words are about (score units)"),
        "sample_alpha": float_slider(
            "sample_alpha (power)", 0.5, 0.0, 1.0, 0.05, css="g4r-sample-alpha",
            tooltip="extra negatives are drawn with probability ~ clicks^sample_alpha (no unit): "
            "0 uniform over the items, 1 by popularity"),
        "epoch": labelled(
            widgets.SelectionSlider, "trained for (epochs)", options=EPOCHS, value=4,
            css="g4r-epoch", tooltip="epochs of training after which the scores were taken"),
        "number": labelled(
            widgets.SelectionSlider, "test target (number)", options=range(1, N_TARGETS + 1),
            value=9, css="g4r-number",
            tooltip="which test target of the flights, with its own negatives"),
        "pasted": labelled(
            widgets.Textarea, "scores", value="3 2.5 2 1 0.5 0 -1 -2", continuous_update=False,
            placeholder="target first, then its negatives", css="g4r-pasted",
            tooltip="numbers: the target's score, then its negatives' (score units)"),
        "temperature": float_slider(
            "temperature", 1.0, 0.25, 4.0, 0.25, css="g4r-temperature",
            tooltip="the losses see score / temperature; gradients are by what they see"),
        "bpreg": float_slider(
            "bpreg", 0.0, 0.0, 2.0, 0.1, css="g4r-bpreg",
            tooltip="strength of the score regularisation; acts on bpr-max's push on negatives"),
        "scale": toggle_buttons(
            "gradient", {"raw": "raw", "relative": "relative"},
            ["-dL/dr_i itself", "divided by that of badly ranked targets"],
            css="g4r-scale", widths=WIDTHS),
        "pane": toggle_buttons(
            "on the right", {name: name for name in ("weights", "pushes", "scores")},
            ["softmax weights of the negatives", "dL/dr_j of the negatives",
             "histogram of the scores"], css="g4r-pane", widths=WIDTHS),
    }  # fmt: skip


def _checkbox(name: str) -> widgets.Checkbox:
    box = widgets.Checkbox(
        value=True, description=name, indent=False, tooltip=f"show the {name} loss",
        layout=widgets.Layout(width="auto", margin="0 14px 0 0"),
    )  # fmt: skip
    return marked(box, "g4r-loss", f"g4r-loss-{name}")
