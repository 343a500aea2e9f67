"""What leaves a panel as a file: pictures, tables, and the box with the buttons for them."""

import html
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as widgets
from matplotlib.figure import Figure

from ..storage import whole_file
from .controls import LABEL, marked

if TYPE_CHECKING:
    import pandas as pd

PICTURES, TABLES = (".png", ".svg"), (".csv",)


class Kind(NamedTuple):
    """What a button is called, what it says on top of it, and how its files may end."""

    label: str
    tooltip: str
    suffixes: tuple[str, ...]


KINDS = {
    "save": Kind(
        "Save model", "weights, settings and item names in one file", (".safetensors",)
    ),
    "save_picture": Kind("Save picture", "the picture as PNG, or as SVG if so named", PICTURES),
    "save_numbers": Kind("Save numbers", "the numbers behind the picture as a CSV table", TABLES),
}  # fmt: skip


class SaveBox(widgets.HBox):
    """A box for a file name, a button for each thing to save, and what came of it.

    `writers` go from names in `KINDS` to what writes the file of a given path and returns the path
    written; `guarded` shows their errors. A name without a suffix of its kind gets the first one.

    Attributes:
        path: the file name.
        buttons: the names of `writers` to their buttons.
        result: what was written, as HTML; empty after an error.
    """

    def __init__(
        self,
        name: str,
        writers: dict[str, Callable[[Path], Path]],
        guarded: Callable[[Callable[..., None]], Callable[..., None]],
    ):
        self.path = widgets.Text(
            value=name, description="file name", style=LABEL, continuous_update=False,
            tooltip="where to write, from the notebook's folder on; the suffix is added",
            layout=widgets.Layout(width="430px"),
        )  # fmt: skip
        self.result = marked(widgets.HTML(), "g4r-saved")
        marked(self.path, "g4r-path")
        self.buttons = {kind: self._button(kind) for kind in writers}
        for kind, write in writers.items():
            self.buttons[kind].on_click(guarded(partial(self._write, kind, write)))
        layout = widgets.Layout(flex_flow="row wrap")
        super().__init__([self.path, *self.buttons.values(), self.result], layout=layout)

    @staticmethod
    def _button(kind: str) -> widgets.Button:
        label, tooltip, _ = KINDS[kind]
        button = widgets.Button(description=label, tooltip=tooltip)
        return marked(button, f"g4r-{kind.replace('_', '-')}")

    def _write(self, kind: str, write: Callable[[Path], Path], _button: widgets.Button) -> None:
        self.result.value = ""
        written = write(self.name_for(kind))
        self.result.value = f"written: {html.escape(str(written))}"

    def name_for(self, kind: str) -> Path:
        """The path shown, with a suffix of `kind` if it has none.

        Raises:
            ValueError: no file name.
        """
        name = self.path.value.strip()
        if not name:
            raise ValueError("there is no file name; type one into the box, such as my_run")
        path, suffixes = Path(name), KINDS[kind].suffixes
        return path if path.suffix.lower() in suffixes else path.with_name(path.name + suffixes[0])


def write_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure, whole or not at all, as PNG or SVG by the suffix; its path.

    Raises:
        ValueError: another suffix than .png or .svg.
    """
    path = _checked(path, PICTURES, "a picture's name ends in .png or .svg")
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format=path.suffix[1:].lower())
    return path


def write_numbers(frame: "pd.DataFrame", path: str | Path) -> Path:
    """Write a table, whole or not at all, as CSV in UTF-8; its path.

    Raises:
        ValueError: another suffix than .csv.
    """
    path = _checked(path, TABLES, "a table's name ends in .csv")
    with whole_file(path) as unfinished:
        frame.to_csv(unfinished, index=False)
    return path


def _checked(path: str | Path, suffixes: tuple[str, ...], law: str) -> Path:
    path = Path(path).expanduser()
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{law}, got {path.name!r}; end it in {' or '.join(suffixes)}")
    return path
