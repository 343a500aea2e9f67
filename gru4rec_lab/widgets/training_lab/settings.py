"""The settings of the lab: those of the next run, and all of them by name, as text, as presets."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ...config import Config, check_setting
from ...data import list_datasets
from ...training.controls import LIVE
from ..controls import LABEL, Field, Fold, marked, set_value
from ..settings_box import from_text, to_text

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
CHECKED = (*LIVE, "batch_size", "dropout_p_embed", "dropout_p_hidden", "n_epochs", "seed")
OWN = "as given"
NOTE = "(needs a new run)"
TOOLTIPS = {
    "data": "what the next run trains on; loading happens in the run",
    "layers": "units of each GRU layer, the lowest first, commas between them",
    "embedding": "constrained: items share one table for input and output; separate: two tables; "
    "one-hot: the input is the item itself",
    "batch_size": "sessions that advance side by side; they are each other's negatives",
    "dropout_p_embed": "share of the input that is dropped in training, 0 to .99",
    "dropout_p_hidden": "share of the hidden state that is dropped in training, 0 to .99",
    "n_epochs": "passes over the training sessions; the step axis is as long",
    "seed": "weights, dropout and negatives follow from it",
}


# What an embedding stands for in a `Config`, by the size of a separate one.
EMBEDDINGS: dict[str, Callable[[int], dict[str, Any]]] = {
    "constrained": lambda units: {"constrained_embedding": True, "embedding": 0},
    "separate": lambda units: {"constrained_embedding": False, "embedding": units},
    "one-hot": lambda units: {"constrained_embedding": False, "embedding": 0},
}


def embedding_of(config: Config) -> str:
    """The name in `EMBEDDINGS` of the embedding of `config`."""
    if config.constrained_embedding:
        return "constrained"
    return "separate" if config.embedding else "one-hot"


def shown_value(config: Config, name: str) -> Any:
    """The setting `name` of the next run as its element shows that of `config`."""
    if name == "embedding":
        return embedding_of(config)
    value = getattr(config, name)
    return ", ".join(map(str, value)) if name == "layers" else value


class NextRunSettings(Fold):
    """Settings that the next Start after a Stop or Reset takes.

    Attributes:
        elements: the names in `TOOLTIPS` to their elements.
        fields: the same names to the elements with what is wrong with their values.
    """

    def __init__(self, config: Config, *, own_data: bool):
        self._separate = 0 if config.constrained_embedding else config.embedding
        names = [each.name for each in list_datasets() if not each.command]
        self.elements: dict[str, widgets.ValueWidget] = {
            "data": widgets.Dropdown(
                options=[OWN, *names] if own_data else names, **_element("data", "data set")
            ),
            "layers": widgets.Text(
                value=", ".join(map(str, config.layers)),
                continuous_update=False,
                **_element("layers"),
            ),
            "embedding": widgets.Dropdown(
                options=list(EMBEDDINGS), value=embedding_of(config), **_element("embedding")
            ),
            "batch_size": widgets.IntText(value=config.batch_size, **_element("batch_size")),
            "dropout_p_embed": _share(config.dropout_p_embed, "dropout_p_embed"),
            "dropout_p_hidden": _share(config.dropout_p_hidden, "dropout_p_hidden"),
            "n_epochs": widgets.IntText(value=config.n_epochs, **_element("n_epochs", "epochs")),
            "seed": widgets.IntText(value=config.seed, **_element("seed")),
        }
        for name, element in self.elements.items():
            marked(element, f"g4r-next-run-{name.replace('_', '-')}")
        self.fields = {name: Field(element, "470px") for name, element in self.elements.items()}
        for name, field in self.fields.items():
            field.element.observe(
                lambda change, name=name: self._check(name, change["new"]), "value"
            )
        title = "Settings that need a new run (Stop or Reset, then Start)"
        super().__init__(title, list(self.fields.values()), css="g4r-next-run")

    def _check(self, name: str, value: Any) -> None:
        try:
            checked(name, value)
        except ValueError as error:
            self.fields[name].refuse(str(error))
        else:
            self.fields[name].refuse("")

    @property
    def data(self) -> str | None:
        """The name of the chosen data set; None for the sessions that the panel was given."""
        chosen = self.elements["data"].value
        return None if chosen == OWN else chosen

    def values(self) -> dict[str, Any]:
        """Setting name to the value shown, as `Config.with_changes` takes them.

        Raises:
            ValueError: layers that are not whole numbers with commas between them.
        """
        shown = {name: each.value for name, each in self.elements.items() if name != "data"}
        layers = _layers(shown["layers"])
        embedding = EMBEDDINGS[shown["embedding"]](self._separate or layers[-1])
        return shown | {"layers": layers} | embedding


def _layers(text: str) -> tuple[int, ...]:
    """The units of each layer, of a text with commas between them."""
    try:
        return tuple(int(units) for units in str(text).split(","))
    except ValueError:
        raise ValueError(
            f"layers must be whole numbers with commas between them, such as 64 or 100, 50; "
            f"got {text!r}"
        ) from None


def checked(name: str, value: Any) -> Any:
    """The value of a setting as its element takes it.

    Raises:
        ValueError: no run can take it.
    """
    if name == "layers":
        check_setting(name, _layers(value))
    elif name in CHECKED:
        return check_setting(name, value)
    return value


def _element(name: str, label: str = "") -> dict[str, Any]:
    return {
        "description": f"{label or name} {NOTE}",
        "tooltip": TOOLTIPS[name],
        "style": LABEL | {"description_width": "260px"},
    }


def _share(value: float, name: str) -> widgets.FloatText:
    return widgets.FloatText(value=value, step=0.05, **_element(name))


class LabSettings:
    """Live settings, those of the next run, and what the picture shows, by name.

    Attributes:
        elements: setting name to its element.
    """

    def __init__(
        self,
        live: dict[str, widgets.ValueWidget],
        next_run: NextRunSettings,
        shown: dict[str, widgets.ValueWidget],
    ):
        self._shown = shown
        self.elements = live | next_run.elements | shown
        self._presets = {preset: self.of_preset(preset) for preset in PAPER.values()}

    @property
    def text(self) -> str:
        """All settings as one line of text."""
        return to_text({name: element.value for name, element in self.elements.items()})

    def parse(self, text: str) -> dict[str, Any]:
        """The settings in a line of text, by name.

        Raises:
            ValueError: no `name=value`, an unknown setting, or a value that no run can take.
        """
        return self._checked(from_text(text, words=WORDS))

    def _checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        for each in list_datasets():
            if each.command and settings.get("data") == each.name:
                raise ValueError(f"{each.name!r} is not on this machine; get it: {each.command}")
        for name in settings:
            if name not in self.elements:
                known = ", ".join(self.elements)
                raise ValueError(f"unknown setting {name!r}; choose one of {known}")
        return {name: checked(name, value) for name, value in settings.items()}

    def of_preset(self, preset: str) -> dict[str, Any]:
        """The settings of `Config.preset(preset)`; data set, seed and picture are left alone."""
        config = Config.preset(preset)
        names = [name for name in self.elements if name not in ("data", "seed", *self._shown)]
        return {
            name: getattr(config, name) if name in LIVE else shown_value(config, name)
            for name in names
        }

    @property
    def preset(self) -> str:
        """The preset whose settings the elements show; empty if there is none."""
        shown = {name: element.value for name, element in self.elements.items()}
        return next(
            (name for name, held in self._presets.items() if held.items() <= shown.items()), ""
        )

    def show(self, settings: dict[str, Any]) -> None:
        """Let the elements show these settings, all or none.

        Raises:
            ValueError: an unknown setting, or a value that it cannot take.
        """
        settings = self._checked(settings)
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
        options=[("none of them", ""), *PAPER.items()], value="", description="paper values",
        style=LABEL, layout=widgets.Layout(width="430px"),
        tooltip="best values of the GRU4Rec authors for their data sets (README of the official "
        "code, 2023: 200 trials each). Live settings change at once, those that need a new run "
        "at the next Reset and Start; 480 and more units are slow on a CPU",
    )  # fmt: skip
    return marked(menu, "g4r-paper")
