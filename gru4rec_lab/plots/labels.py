"""`Labels`: many short texts drawn as one shape, since a matplotlib `Text` takes a millisecond."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from .live import LivePlot

POINTS_PER_INCH = 72
NOTHING = Path([[0, 0]], [Path.MOVETO])


class Labels:
    """Texts of one size, each centred on a point of the axes and upright or turned by 90 degrees.

    Attributes:
        texts: what is shown, in the order given.
    """

    def __init__(self, plot: LivePlot, axes: Axes, *, size: float = 7, upright: bool = False):
        self._axes, self._size, self._upright = axes, size, upright
        self.texts: list[str] = []
        # In inches, so that the same shape is right at every resolution.
        inches = plot.figure.dpi_scale_trans
        shape = PathPatch(NOTHING, color="black", linewidth=0, transform=inches, clip_on=False)
        self._shape = plot.moving(axes.add_artist(shape))

    def show(self, labels: Iterable[tuple[float, float, str]]) -> None:
        """Show these texts, each as (x, y, text) in data units; an upright one begins at y."""
        labels = [(x, y, text) for x, y, text in labels if text]
        self.texts = [text for _, _, text in labels]
        where = np.array([(x, y) for x, y, _ in labels]).reshape(-1, 2)
        where = self._axes.transData.transform(where) / self._axes.figure.dpi
        paths = [_written(text, self._size, self._upright) for text in self.texts]
        if not paths:
            self._shape.set_path(NOTHING)
            return
        vertices = [path.vertices + at for path, at in zip(paths, where, strict=True)]
        codes = np.concatenate([path.codes for path in paths])
        self._shape.set_path(Path(np.concatenate(vertices), codes))


@lru_cache(maxsize=10_000)
def _written(text: str, size: float, upright: bool) -> Path:
    """The outline of a text around (0, 0), in inches."""
    outline = TextPath((0, 0), text, size=size)
    x, y = (outline.vertices / POINTS_PER_INCH).T
    middle = 0.36 * size / POINTS_PER_INCH  # half the height of a capital letter
    x = x - x.max(initial=0) / 2 if not upright else x
    vertices = np.stack([middle - y, x] if upright else [x, y - middle], axis=1)
    return Path(vertices, outline.codes)
