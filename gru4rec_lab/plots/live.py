"""`LivePlot`: a figure that is redrawn fast enough to follow a slider.

Axes, labels and legends are kept as a `Background`; only the artists that move are drawn again over
it. No pyplot, no layout engine: both cost more than the rest together, and
widget callbacks run in threads, where pyplot must not be used.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from .background import Background
from .page import NotebookFigure
from .png import PngEncoder

CSS_DPI = 100


class LivePlot:
    """A persistent figure whose moving artists are drawn over a cached background.

    Change artists and limits while holding `lock`; `png()` takes it too.

    Attributes:
        width, height: size on the page, in css pixels.
        figure: the matplotlib figure, `scale` device pixels to a css pixel.
        lock: re-entrant lock around every change and drawing.
        n_drawn: how many parts of the background were drawn so far.
    """

    def __init__(self, width: int, height: int, *, scale: float = 2):
        self.width, self.height = width, height
        self.lock = threading.RLock()
        self.figure = NotebookFigure(width / CSS_DPI, height / CSS_DPI, dpi=CSS_DPI * scale)
        self._background = Background(self.figure)
        self._moving: list[Artist] = []
        self._png = PngEncoder()

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

    @property
    def n_drawn(self) -> int:
        """How many parts of the background were drawn so far."""
        return self._background.n_drawn

    def limits(self, axes: Axes, *, x: tuple | None = None, y: tuple | None = None) -> None:
        """Set limits of `axes`; those it never had cost a drawing of these axes."""
        with self.lock:
            if x is not None and tuple(axes.get_xlim()) != tuple(x):
                axes.set_xlim(*x)
            if y is not None and tuple(axes.get_ylim()) != tuple(y):
                axes.set_ylim(*y)

    @contextmanager
    def all_drawn(self) -> Iterator[None]:
        """With the moving artists as a part of the figure, which leaves them out otherwise."""
        for artist in self._moving:
            artist.set_animated(False)
        try:
            yield
        finally:
            for artist in self._moving:
                artist.set_animated(True)

    def png(self) -> bytes:
        """The picture now, as PNG bytes (compression level 1: speed counts, not size)."""
        with self.lock:
            canvas = self._background.put()
            for artist in self._moving:
                if artist.get_visible():
                    self.figure.draw_artist(artist)
            return self._png.encode(canvas)
