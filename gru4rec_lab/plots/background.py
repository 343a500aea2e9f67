"""`Background`: what stands still in a figure, drawn a part at a time and kept.

Matplotlib draws all of a figure or nothing, and a logarithmic axis with its labels takes 20 ms.
Here every axes and the legends of the figure are parts of their own, kept for each state in which
they were seen: other limits cost one part, and what was there before costs a copy.
"""

from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

WHITE = 255
KEPT_STATES = 4


class Part(NamedTuple):
    """The pixels of one part, and where in the picture they belong."""

    place: tuple[slice, slice]
    pixels: np.ndarray


class Background:
    """The axes and legends of a white figure; moving artists and hidden axes are left out.

    What else is changed in axes after they were drawn once does not show.

    Attributes:
        n_drawn: parts drawn so far; what was kept does not count.
    """

    def __init__(self, figure: Figure):
        self._figure, self._canvas = figure, figure.canvas
        self.n_drawn = 0
        self._kept: dict[Hashable, dict[Hashable, Part]] = {}
        self._shown: list[Hashable] = []
        self._whole: np.ndarray | None = None

    def put(self) -> np.ndarray:
        """Bring it on the canvas, over what is there; the canvas as [height, width, 4] bytes."""
        canvas = self._pixels()
        states = self._states()
        if self._whole is None or states != self._shown:
            self._shown = states
            parts = [self._part(*state) for state in states]
            self._whole = np.full_like(canvas, WHITE)
            for place, pixels in parts:
                # Parts lie beside each other on white: the darker pixel is the one that counts.
                np.minimum(self._whole[place], pixels, out=self._whole[place])
        canvas[:] = self._whole
        return canvas

    def _pixels(self) -> np.ndarray:
        self._canvas.get_renderer()
        return np.asarray(self._canvas.buffer_rgba())

    def _states(self) -> list[tuple[Hashable, Hashable]]:
        """Each part on show, and what it looks like."""
        axes = [(each, _state(each)) for each in self._figure.axes if each.get_visible()]
        legends = tuple(
            text.get_text() for legend in self._figure.legends for text in legend.get_texts()
        )
        return [(None, legends), *axes]

    def _part(self, axes: Axes | None, state: Hashable) -> Part:
        kept = self._kept.setdefault(axes, {})
        if state not in kept:
            # A run that goes on has ever new limits.
            while len(kept) >= KEPT_STATES:
                del kept[next(iter(kept))]
            kept[state] = self._drawn(axes.draw if axes is not None else self._draw_legends)
            self.n_drawn += 1
        return kept[state]

    def _draw_legends(self, renderer: RendererBase) -> None:
        for legend in self._figure.legends:
            legend.draw(renderer)

    def _drawn(self, draw: Callable[[RendererBase], None]) -> Part:
        """What `draw` leaves on a white canvas, without the white around it."""
        canvas = self._pixels()
        canvas[:] = WHITE
        draw(self._canvas.get_renderer())
        marked = canvas.view(np.uint32)[..., 0] != np.iinfo(np.uint32).max
        rows, columns = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return Part((slice(0), slice(0)), canvas[:0, :0].copy())
        place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return Part(place, canvas[place].copy())


def _state(axes: Axes) -> Hashable:
    labels = axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")
    return axes.get_xlim(), axes.get_ylim(), labels
