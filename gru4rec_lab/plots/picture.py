"""A picture as plain data: what stands still in it, and what is shown in it now.

A `Picture` says how its panes, axes and lines look; a `Shown` holds the numbers of each line. Both
know nothing of who draws them: `drawn` does so by matplotlib, `widgets.picture` in the browser.

Texts may hold an index or a power: r_i, r_{max}, 10^{-2}. Pixels are css pixels. A colour is a hex
code, "ink" for that of the text, or "soft" for a paler one; these follow the theme of a page.
"black" stays black, for what stands on cells, which keep their colours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

MOST_POINTS = 400
INK, SOFT, BLACK = "ink", "soft", "black"
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Axis:
    """An axis with fixed limits.

    Attributes:
        limits: the values at its lower (left) and upper (right) end.
        scale: "symlog" is linear between -`around` and `around`, `decades` decades wide on either
            side, and logarithmic beyond, so that 0 and negative numbers have a place.
        ticks: (value, text) of each tick; empty: round numbers or decades.
        name: what the values are, in a word, for the numbers under the pointer.
    """

    limits: tuple[float, float]
    scale: Literal["linear", "log", "symlog"] = "linear"
    label: str = ""
    name: str = ""
    ticks: tuple[tuple[float, str], ...] = ()
    colour: str = INK
    around: float = 1.0
    decades: float = 0.5


@dataclass(frozen=True)
class Pane:
    """A pair of axes, maybe with a second upward one on the right.

    Attributes:
        box: left, top, right and bottom edge with all labels, as shares of the picture; a narrow
            picture stacks its panes in their order instead.
        title: above the axes; `Shown.titles` replaces it.
        corners: words in the upper and in the lower corner on the right.
        above: pixels to keep free above the axes.
        bare: without a grid and lines along the axes.
    """

    x: Axis
    y: Axis
    box: Box = (0, 0, 1, 1)
    title: str = ""
    right: Axis | None = None
    corners: tuple[str, str] = ("", "")
    above: int = 0
    bare: bool = False


@dataclass(frozen=True)
class Line:
    """How the numbers of one name are drawn in a pane.

    Attributes:
        kind: "line" joins points, and one that has no neighbours is a dot; "steps" and "bars" are
            histograms, their points the middles of bins of one width; "across" is a vertical line
            at each x; "cells" are squares of one unit around each point, the third number of a
            point the `colour_number` of its colour; "texts" stand at the points, in the middle or,
            `turned`, upwards from them.
        axis: "y", or "right" for the second one.
        dash: lengths of ink and gap in widths of the line; () for a solid one.
        width: of the line, in pixels; 0 for none. That of a text is its size.
        dots: radius in pixels of a mark at each point; 0 for none.
        key: where its key is: "picture" for the row on top, "pane" for above its axes, "" for none.
        group: the name of the line whose key switches this one too; "" for its own. One without a
            label is a part of that line, which the pointer does not read by itself.
        layer: lines of a higher layer lie above those of lower ones.
    """

    pane: str
    colour: str = INK
    kind: Literal["line", "steps", "bars", "across", "cells", "texts"] = "line"
    axis: Literal["y", "right"] = "y"
    dash: tuple[float, ...] = ()
    width: float = 1.5
    dots: float = 0
    mark: Literal["circle", "square", "diamond"] = "circle"
    label: str = ""
    key: Literal["picture", "pane", ""] = ""
    group: str = ""
    turned: bool = False
    layer: int = 0


@dataclass(frozen=True)
class Picture:
    """What stands still: panes and lines by name; in a layer, later lines lie above earlier ones.

    Attributes:
        height: in pixels, without the row of keys; the width is that of the page.
        narrow: the panes of a picture narrower than this are stacked.
    """

    height: int
    panes: Mapping[str, Pane]
    lines: Mapping[str, Line]
    narrow: int = 640

    def plain(self) -> dict[str, Any]:
        """The same as dictionaries and lists, as JSON has them."""
        return asdict(self)

    def limited(self, pane: str, **limits: tuple[float, float]) -> "Picture":
        """The same with other limits of these axes ("x", "y", "right") of a pane."""
        old = self.panes[pane]
        axes = {name: replace(getattr(old, name), limits=each) for name, each in limits.items()}
        return replace(self, panes={**self.panes, pane: replace(old, **axes)})


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown in a picture now; a line that has no numbers is not drawn.

    Attributes:
        lines: line name to [2, points] float32 from `points`, for cells [3, points].
        about: the picture in words, for those who do not see it.
        thick: the line, with those of its group, that is drawn thicker.
        titles: pane name to its title, where it is not that of the picture.
        texts: name of a line to its texts, one a point; those of other lines than texts stand
            under the pointer, in place of x.
    """

    lines: Mapping[str, np.ndarray]
    about: str
    thick: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, list[str]] = field(default_factory=dict)

    def words(self) -> dict[str, Any]:
        """All but the numbers, as JSON has it."""
        told = {"about": self.about, "thick": self.thick}
        return told | {"titles": dict(self.titles), "texts": dict(self.texts)}


def points(*rows: ArrayLike, most: int = MOST_POINTS) -> np.ndarray:
    """[rows, points] float32 of x, y and, for cells, colours; evenly thinned beyond `most` points.

    A NaN parts a line. The first and the last point stay.
    """
    numbers = np.stack([np.asarray(row, dtype=np.float32) for row in rows])
    count = numbers.shape[1]
    return numbers[:, np.linspace(0, count - 1, most).astype(int)] if count > most else numbers


def across(*x: float | None) -> np.ndarray:
    """The numbers of vertical lines at these places; None for a place that is not known."""
    known = [each for each in x if each is not None]
    return points(known, np.zeros(len(known)))


def colour_number(colours: Iterable[str]) -> np.ndarray:
    """Hex codes as the third numbers of cells."""
    return np.array([int(colour[1:], 16) for colour in colours], dtype=np.float32)
