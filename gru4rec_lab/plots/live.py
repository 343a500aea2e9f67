"""`LivePlot`: a figure that is redrawn fast enough to follow a slider.

Axes, labels and legends are drawn once and kept as a background; only the artists that move are
drawn again over it. No pyplot, no layout engine: both cost more than the rest together, and
widget callbacks run in threads, where pyplot must not be used.
"""

import threading

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from .page import NotebookFigure
from .png import PngBands

CSS_DPI = 100


class LivePlot:
    """A persistent figure whose moving artists are drawn over a cached background.

    Change artists and limits while holding `lock`; `png()` takes it too.

    Attributes:
        width, height: size on the page, in css pixels.
        figure: the matplotlib figure, `scale` device pixels to a css pixel.
        lock: re-entrant lock around every change and drawing.
        n_full_draws: how often everything was drawn, background included.
    """

    def __init__(self, width: int, height: int, *, scale: float = 2):
        self.width, self.height = width, height
        self.lock = threading.RLock()
        self.n_full_draws = 0
        self.figure = NotebookFigure(width / CSS_DPI, height / CSS_DPI, dpi=CSS_DPI * scale)
        self._canvas = self.figure.canvas
        self._moving: list[Artist] = []
        self._background = None
        self._png = PngBands()

    def add_axes(self, left: int, bottom: int, right: int, top: int) -> Axes:
        """Axes between these edges, in css pixels from the lower left corner."""
        size = (right - left) / self.width, (top - bottom) / self.height
        axes = self.figure.add_axes((left / self.width, bottom / self.height, *size))
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, linewidth=0.4, color="#dddddd")
        axes.set_axisbelow(True)
        return axes

    def moving(self, artist: Artist) -> Artist:
        """`artist`, from now on drawn over the background; later ones lie above earlier ones."""
        artist.set_animated(True)
        self._moving.append(artist)
        return artist

    def limits(self, axes: Axes, *, x: tuple | None = None, y: tuple | None = None) -> None:
        """Set limits of `axes`; costs a full redraw only if they are new."""
        with self.lock:
            if x is not None and tuple(axes.get_xlim()) != tuple(x):
                axes.set_xlim(*x)
                self.redraw()
            if y is not None and tuple(axes.get_ylim()) != tuple(y):
                axes.set_ylim(*y)
                self.redraw()

    def redraw(self) -> None:
        """Let the next `png` draw everything: labels, legends or scales have changed."""
        self._background = None

    def png(self) -> bytes:
        """The picture now, as PNG bytes (compression level 1: speed counts, not size)."""
        with self.lock:
            if self._background is None:
                self._canvas.draw()
                self._background = self._canvas.copy_from_bbox(self.figure.bbox)
                self.n_full_draws += 1
            else:
                self._canvas.restore_region(self._background)
            for artist in self._moving:
                if artist.get_visible():
                    self.figure.draw_artist(artist)
            return self._png.encode(np.asarray(self._canvas.buffer_rgba()))
