"""All settings of the lab in one place: as numbers, as a line of text, as the paper's values."""

from typing import Any

import ipywidgets as widgets

from ..config import Config, check_setting
from ..controls import LIVE
from .lab_cold import ColdSettings, cold_value
from .panel import LABEL, marked, set_value
from .settings_text import from_text, to_text

# Best settings of the official README of 2023, found by 200 trials for each data set and loss;
# "lab" is what this panel starts from.
PAPER = {
    "of this panel": "lab",
    "Yoochoose (cross-entropy)": "yoochoose",
    "Rees46 (cross-entropy)": "rees46",
    "Coveo (BPR-max)": "coveo",
    "RetailRocket (BPR-max)": "retailrocket",
    "Diginetica (BPR-max)": "diginetica",
}
WORDS = ("loss", "data", "layers", "embedding", "scores_of", "pane")


class LabSettings:
    """Live settings, cold ones, and what the picture shows, by name.

    Attributes:
        elements: setting name to its element.
    """

    def __init__(
        self,
        live: dict[str, widgets.ValueWidget],
        cold: ColdSettings,
        shown: dict[str, widgets.ValueWidget],
    ):
        self._shown = shown
        self.elements = live | cold.elements | shown

    @property
    def text(self) -> str:
        """All settings as one line of text."""
        return to_text({name: element.value for name, element in self.elements.items()})

    def parse(self, text: str) -> dict[str, Any]:
        """The settings in a line of text, by name.

        Raises:
            ValueError: no `name=value`, an unknown setting, or a value that no run can take.
        """
        settings = from_text(text, words=WORDS)
        self._check(settings)
        return settings

    def _check(self, settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            if name not in self.elements:
                known = ", ".join(self.elements)
                raise ValueError(f"unknown setting {name!r}; choose one of {known}")
            if name in (*LIVE, "batch_size", "dropout_p_embed", "dropout_p_hidden", "n_epochs"):
                check_setting(name, value)

    def of_preset(self, preset: str) -> dict[str, Any]:
        """The settings of `Config.preset(preset)`; data set, seed and picture are left alone."""
        config = Config.preset(preset)
        names = [name for name in self.elements if name not in ("data", "seed", *self._shown)]
        return {
            name: getattr(config, name) if name in LIVE else cold_value(config, name)
            for name in names
        }

    def show(self, settings: dict[str, Any]) -> None:
        """Let the elements show these settings, all or none.

        Raises:
            ValueError: an unknown setting, or a value that it cannot take.
        """
        self._check(settings)
        before = {name: self.elements[name].value for name in settings}
        try:
            for name, value in settings.items():
                set_value(self.elements[name], name, value)
        except ValueError:
            for name, value in before.items():
                self.elements[name].value = value
            raise


def paper_menu() -> widgets.Dropdown:
    """A menu of `PAPER`; its value is the name of a preset, empty if none was chosen."""
    menu = widgets.Dropdown(
        options=[("choose ...", ""), *PAPER.items()], value="", description="paper values",
        style=LABEL, layout=widgets.Layout(width="430px"),
        tooltip="best values of the GRU4Rec authors for their data sets (README of the official "
        "code, 2023: 200 trials each). Live settings change at once, those that need a new run "
        "at the next Reset and Start; 480 and more units are slow on a CPU",
    )  # fmt: skip
    return marked(menu, "g4r-paper")
