"""The lab's controls: an element for each live setting, the buttons, the probe session."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from math import inf

import ipywidgets as widgets

from ...config import Config
from ...losses import LOSSES
from ...training.controls import Settings
from ..controls import (
    LABEL,
    Field,
    StepsSlider,
    float_slider,
    marked,
    set_value,
    steps_slider,
    toggle_buttons,
)

N_SAMPLES = [0] + [2**power for power in range(3, 12)] + ["all"]
SPEEDS = [5, 10, 20, 50, 100, 200, 500]
NUMBERS = {
    "learning_rate": ("learning rate", "Adagrad's learning rate; .1 is the lab's, above 0"),
    "momentum": ("momentum", "heavy-ball momentum on touched rows; 0 to below 1"),
    "bpreg": ("bpreg", "strength of the score regularisation; acts on bpr-max"),
    "elu_param": ("elu_param", "ELU on the scores, 0 = linear; acts on bpr-max"),
    "logq": ("logq", "popularity correction, 0 off to 1 full; acts on cross-entropy"),
}

BUTTONS = {
    "start": ("Start", "begin a run with the settings shown, or go on after a pause"),
    "pause": ("Pause", "hold before the next step; press again to resume"),
    "step": ("Step", "train one step, then pause"),
    "stop": ("Stop", "end the run; the picture stays"),
    "reset": ("Reset", "end the run and clear the picture"),
    "pin": ("Pin", "keep the curves of this run in grey, to compare the next run with"),
    "unpin": ("Unpin", "take the grey curves of the pinned run away"),
    "replay": ("Replay", "run again: same settings, same seed, same changes at the same steps"),
}
N_CHOICES = 8


class LabControls:
    """Elements for the live settings, starting at those of `config`.

    Attributes:
        elements: setting name to its element.
        fields: setting name to the element with what it has to say; all but the loss.
        main: the loss, the extra negatives and how they are drawn.
        others: all other settings.
    """

    def __init__(self, config: Config):
        loss = toggle_buttons("loss", {}, [], css="g4r-loss", widths=(60, 116, 720))
        self.elements: dict[str, widgets.ValueWidget] = {
            "loss": loss,
            "n_sample": steps_slider(
                "extra negatives", config.n_sample, N_SAMPLES, css="g4r-n-sample",
                words=lambda number: "all items" if number == "all" else f"{number:,}",
                order=lambda number: inf if number == "all" else number,
                tooltip="n_sample: extra negatives drawn for every step (items); at the right end "
                "all items are negatives, each once, and nothing is drawn",
            ),
            "sample_alpha": float_slider(
                "sample_alpha", config.sample_alpha, 0.0, max(1.0, config.sample_alpha), 0.05,
                css="g4r-alpha",
                tooltip="negatives are drawn with popularity^alpha: 0 uniform, 1 by popularity",
            ),
        }  # fmt: skip
        self._offer_losses()
        loss.value = config.loss
        for name in ("n_sample", "sample_alpha"):
            self.elements[name].style.description_width = "105px"
        self.elements |= {name: _number(name, getattr(config, name)) for name in NUMBERS}
        # The sliders side by side on a laptop, with JupyterLab's list of files.
        self.fields = {
            name: Field(element, "190px" if name in NUMBERS else "410px")
            for name, element in self.elements.items()
            if name != "loss"
        }
        row = widgets.Layout(flex_flow="row wrap")
        sliders = [self.fields["n_sample"], self.fields["sample_alpha"]]
        self.main = widgets.VBox([loss, widgets.HBox(sliders, layout=row)])
        self.others = widgets.HBox([self.fields[name] for name in NUMBERS], layout=row)

    def show(self, settings: Settings) -> None:
        """Let the elements show these settings, but for values that one of them cannot show."""
        self._offer_losses()
        for name, value in asdict(settings).items():
            with suppress(ValueError):
                set_value(self.elements[name], name, value)

    def tell(self, idle: dict[str, str]) -> None:
        """Say below each element why it is `idle`, setting name to why."""
        for name, field in self.fields.items():
            field.tell(idle.get(name, ""))

    def _offer_losses(self) -> None:
        """A button a loss; a learner adds losses while the panel is there."""
        choice, options = self.elements["loss"], [(name, name) for name in LOSSES]
        if list(choice.options) != options:
            choice.tooltips = [f"train with {name} from the next step on" for name in LOSSES]
            choice.options = options

    def on_change(self, callback: Callable[[dict], None]) -> None:
        """Call `callback` with the change whenever an element changes; `owner` is the element."""
        for element in self.elements.values():
            element.observe(callback, "value")

    def name_of(self, element: widgets.ValueWidget) -> str:
        """The setting that this element is for."""
        return next(name for name, known in self.elements.items() if known is element)


def speed_slider(value: int) -> StepsSlider:
    """The speed limit: steps a second, 0 for none."""
    return steps_slider(
        "speed limit", value, [*SPEEDS, 0], css="g4r-speed",
        words=lambda steps: f"{steps} steps/s" if steps else "no limit",
        order=lambda steps: steps or inf,
        tooltip="at most so many training steps a second, to have time to look; without a limit "
        "as many as the machine can do. It changes nothing but the time",
    )  # fmt: skip


def _number(name: str, value: float) -> widgets.FloatText:
    label, tooltip = NUMBERS[name]
    box = widgets.FloatText(
        value=value, description=label, tooltip=tooltip, step=0.05,
        style={"description_width": "90px"}, layout=widgets.Layout(width="190px"),
    )  # fmt: skip
    return marked(box, f"g4r-{name.replace('_', '-')}")


def run_buttons() -> dict[str, widgets.Button]:
    """The buttons that drive a run, pin it and repeat it, by what they do."""
    buttons = {}
    for name, (label, tooltip) in BUTTONS.items():
        button = widgets.Button(description=label, tooltip=tooltip)
        button.layout.width = "72px"
        buttons[name] = marked(button, f"g4r-{name}")
    return buttons


class ProbeBox(widgets.VBox):
    """A choice of validation sessions, a box for item names, and the list below them.

    Attributes:
        number: the dropdown of validation sessions.
        items: text, item names with commas between them; empty: the dropdown counts.
        top: the list as HTML.
    """

    def __init__(self) -> None:
        options = [(f"validation session {place + 1}", place) for place in range(N_CHOICES)]
        layout = widgets.Layout(width="420px")
        self.number = widgets.Dropdown(
            options=options, value=0, description="probe session", style=LABEL, layout=layout,
            tooltip="the session to recommend for; its last click is held out",
        )  # fmt: skip
        self.items = widgets.Text(
            description="or items", placeholder="names, with commas between them",
            style=LABEL, layout=layout, continuous_update=False,
            tooltip="clicks of a session of your own, in order; Enter takes them",
        )  # fmt: skip
        marked(self.number, "g4r-probe")
        marked(self.items, "g4r-probe-items")
        self.top = marked(widgets.HTML(), "g4r-recommendations")
        super().__init__([self.number, self.items, self.top])

    @property
    def choice(self) -> int | tuple[str, ...]:
        """What is asked about, as `Probe.choice` takes it."""
        names = tuple(name.strip() for name in self.items.value.split(",") if name.strip())
        return names or self.number.value

    def on_change(self, callback: Callable[[dict], None]) -> None:
        """Call `callback` with the change whenever another session is chosen."""
        self.number.observe(callback, "value")
        self.items.observe(callback, "value")
