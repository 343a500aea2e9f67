"""The explorer's controls: an element for every setting, its presets, its settings as text."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...diagnostics.stored import EPOCHS, N_TARGETS
from ...losses import LOSSES
from .. import settings_box
from ..controls import LABEL, float_slider, marked, set_value, steps_slider

N_SAMPLES = [0] + [2**power for power in range(3, 16)]
SOURCES = {"Gaussian": "gaussian", "real model": "trained", "pasted": "pasted"}
_PLAIN = {"temperature": 1.0, "bpreg": 0.0}
_SCORES: dict[str, dict[str, Any]] = {
    "batch only": {"source": "gaussian", "n_sample": 0, "spread": 4.0, "target_score": 8.0},
    "2048 extra samples": {
        "source": "gaussian", "n_sample": 2048, "spread": 4.0, "target_score": 8.0,
    },
    "narrow scores": {"source": "gaussian", "n_sample": 2048, "spread": 0.5, "target_score": 1.5},
    "trained BPR": {"source": "trained", "n_sample": 2048, "epoch": 4, "sample_alpha": 0.5},
    "trained BPR, uniform samples": {
        "source": "trained", "n_sample": 2048, "epoch": 4, "sample_alpha": 0.0, "pane": "scores",
    },
    "trained BPR, popular samples": {
        "source": "trained", "n_sample": 2048, "epoch": 4, "sample_alpha": 1.0, "pane": "scores",
    },
}  # fmt: skip
PRESETS = {name: settings | _PLAIN for name, settings in _SCORES.items()}


class ExplorerControls(widgets.HBox):
    """Every control of the explorer, labelled; those that a source does not use are hidden.

    Attributes:
        elements: setting name to its element: what `settings` and `apply` are about.
        losses: loss name to the checkbox that shows it.
        preset: menu of `PRESETS`; empty once a control differs from it.
    """

    def __init__(self, refresh: Callable[[dict], None]):
        self._refresh, self._held = refresh, False
        self.elements = _elements()
        self.losses = {name: _checkbox(name) for name in LOSSES}
        self.preset = widgets.Dropdown(
            options=["", *PRESETS], description="preset", style=LABEL,
            tooltip="settings to start from",
        )  # fmt: skip
        marked(self.preset, "g4r-preset")
        for control in (*self.elements.values(), *self.losses.values()):
            control.observe(self._changed, "value")
        self.preset.observe(self._chosen, "value")
        of = self.elements
        sliders = [self.preset, of["source"], of["n_sample"], of["spread"], of["target_score"]]
        sliders += [of["sample_alpha"], of["epoch"], of["number"], of["pasted"]]
        wrapped = widgets.Layout(flex_flow="row wrap", max_width="640px")
        right = [widgets.HBox(list(self.losses.values()), layout=wrapped), of["scale"], of["pane"]]
        right += [of["temperature"], of["bpreg"]]
        columns = [widgets.VBox(sliders), widgets.VBox(right)]
        super().__init__(columns, layout=widgets.Layout(flex_flow="row wrap"))
        self.show_used()

    def _changed(self, change: dict) -> None:
        if not self._held:
            self._hold(lambda: setattr(self.preset, "value", ""))
            self._refresh(change)

    def _chosen(self, change: dict) -> None:
        if not self._held and change["new"]:
            self._hold(lambda: self._set(PRESETS[change["new"]], change["new"]))
            self._refresh(change)

    def _hold(self, act: Callable[[], None]) -> None:
        held, self._held = self._held, True
        try:
            act()
        finally:
            self._held = held

    def show_used(self) -> None:
        """Hide the controls that the chosen source does not use."""
        source = self.elements["source"].value
        used = {
            "n_sample": source != "pasted",
            "spread": source == "gaussian",
            "target_score": source == "gaussian",
            "sample_alpha": source == "trained",
            "epoch": source == "trained",
            "number": source == "trained",
            "pasted": source == "pasted",
        }
        for name, shown in used.items():
            self.elements[name].layout.display = None if shown else "none"

    def settings(self) -> dict[str, Any]:
        """Setting name to value, `losses` (those ticked) among them."""
        shown = [name for name, box in self.losses.items() if box.value]
        return {name: el.value for name, el in self.elements.items()} | {"losses": shown}

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
        self._hold(lambda: self._set(settings))
        self.show_used()

    def _set(self, settings: dict[str, Any], preset: str = "") -> None:
        self.preset.value = preset
        for name, value in settings.items():
            if name == "losses":
                for loss, box in self.losses.items():
                    box.value = loss in value
            else:
                set_value(self.elements[name], name, value)


def _elements() -> dict[str, widgets.ValueWidget]:
    return {
        "source": _buttons("scores", list(SOURCES.items()), css="g4r-source", tooltips=[
            "made up: N(0, spread^2)", "a BPR model of the flights, as it learns",
            "numbers of your own"]),
        "n_sample": steps_slider(
            "extra negatives", 0, N_SAMPLES, css="g4r-n-sample", most=N_SAMPLES[-1],
            tooltip="n_sample: extra negatives besides the other targets of the batch (items)"),
        "spread": float_slider(
            "score spread (std)", 4.0, 0.1, 6.0, 0.1, css="g4r-spread",
            tooltip="standard deviation of the negatives' scores (score units); models widen "
            "it"),
        "target_score": float_slider(
            "target's score (dot)", 8.0, -10.0, 30.0, 0.5, css="g4r-target-score",
            tooltip="score of the target that the dots and the words are about (score units)"),
        "sample_alpha": float_slider(
            "sample_alpha (power)", 0.5, 0.0, 1.0, 0.05, css="g4r-sample-alpha",
            tooltip="extra negatives are drawn with probability ~ clicks^sample_alpha (no unit): "
            "0 uniform over the items, 1 by popularity"),
        "epoch": _steps("trained for (epochs)", EPOCHS, 4, css="g4r-epoch",
                        tooltip="epochs of training after which the scores were taken"),
        "number": _steps("test target (number)", range(1, N_TARGETS + 1), 9, css="g4r-number",
                         tooltip="which test target of the flights, with its own negatives"),
        "pasted": _textarea(),
        "temperature": float_slider(
            "temperature", 1.0, 0.25, 4.0, 0.25, css="g4r-temperature",
            tooltip="the losses see score / temperature; gradients are by what they see"),
        "bpreg": float_slider(
            "bpreg", 0.0, 0.0, 2.0, 0.1, css="g4r-bpreg",
            tooltip="strength of the score regularisation; acts on bpr-max's push on "
            "negatives"),
        "scale": _buttons("gradient", ["raw", "relative"], css="g4r-scale", tooltips=[
            "-dL/dr_i itself", "divided by that of badly ranked targets"]),
        "pane": _buttons(
            "on the right", ["weights", "pushes", "scores"], css="g4r-pane",
            tooltips=["softmax weights of the negatives", "dL/dr_j of the negatives",
                      "histogram of the scores"]),
    }  # fmt: skip


def _buttons(label: str, options: list, *, css: str, tooltips: list[str]) -> widgets.ToggleButtons:
    style = {"button_width": "104px", "description_width": "90px"}
    buttons = widgets.ToggleButtons(
        options=options, description=label, tooltips=tooltips, style=style,
        layout=widgets.Layout(width="450px"),
    )  # fmt: skip
    return marked(buttons, css)


def _steps(label: str, steps, value: float, *, css: str, tooltip: str) -> widgets.SelectionSlider:
    slider = widgets.SelectionSlider(
        options=[(f"{step:g}", step) for step in steps], value=value, description=label,
        tooltip=tooltip, style=LABEL, layout=widgets.Layout(width="430px"),
    )  # fmt: skip
    return marked(slider, css)


def _textarea() -> widgets.Textarea:
    area = widgets.Textarea(
        value="3 2.5 2 1 0.5 0 -1 -2", description="scores", continuous_update=False, style=LABEL,
        placeholder="target first, then its negatives", layout=widgets.Layout(width="430px"),
        tooltip="numbers: the target's score, then its negatives' (score units)",
    )  # fmt: skip
    return marked(area, "g4r-pasted")


def _checkbox(name: str) -> widgets.Checkbox:
    box = widgets.Checkbox(
        value=True, description=name, indent=False, tooltip=f"show the {name} loss",
        layout=widgets.Layout(width="auto", margin="0 14px 0 0"),
    )  # fmt: skip
    return marked(box, "g4r-loss", f"g4r-loss-{name}")


def from_text(text: str) -> dict[str, Any]:
    """The settings in a line of `settings_box.to_text`; numbers as numbers.

    Raises:
        ValueError: a part that is no `name=value`.
    """
    words = ("source", "pasted", "scale", "pane")
    return settings_box.from_text(text, words=words, lists=("losses",))
