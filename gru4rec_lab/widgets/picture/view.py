"""`PictureView`: a picture that the browser draws from numbers."""

import anywidget
import numpy as np
import traitlets

from ...plots.drawn import figure_of
from ...plots.page import NotebookFigure
from ...plots.picture import Picture, Shown
from .modules import FOLDER, joined

EMPTY = Picture(0, {}, {})


class PictureView(anywidget.AnyWidget):
    """A picture and what is shown in it now, drawn by the browser; empty at first.

    Attributes:
        picture: `Picture.plain` of what stands still.
        numbers: line name to the bytes of its float32 numbers.
        words: all else that is shown, as `Shown.words`.
        hidden: names of the groups that are switched off by their keys.
        picked: [line, place of the point in it] that was clicked last; empty before.
    """

    _esm = joined("view.js")
    _css = (FOLDER / "plot.css").read_text(encoding="utf-8")
    picture = traitlets.Dict().tag(sync=True)
    numbers = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)
    picked = traitlets.List().tag(sync=True)

    def __init__(self):
        super().__init__()
        self.add_class("g4r-picture")
        self._drawn = EMPTY, Shown({}, "")
        self.picture = EMPTY.plain()

    def show(self, picture: Picture, shown: Shown) -> None:
        """Show this from now on, by one message to the browser, and none if nothing changed."""
        with self.hold_sync():
            if picture != self._drawn[0]:
                self.picture = picture.plain()
            self._drawn = picture, shown
            self.numbers = {name: line.tobytes() for name, line in shown.lines.items()}
            self.words = shown.words()

    @property
    def value(self) -> tuple[dict, dict, dict]:
        """`picture`, `numbers` and `words`: equal if the same is seen."""
        return self.picture, self.numbers, self.words

    def line(self, name: str) -> np.ndarray:
        """[2, points] the numbers of a line now, or [3, points] of cells.

        Raises:
            KeyError: no line with numbers is called so.
        """
        return self._drawn[1].lines[name]

    def figure(self, *, width: int = 960) -> NotebookFigure:
        """What is shown now as a matplotlib figure, `width` css pixels wide."""
        return figure_of(*self._drawn, hidden=self.hidden, width=width)

    def __repr__(self) -> str:
        return "PictureView: a picture that the browser draws; run the cell to see it"
