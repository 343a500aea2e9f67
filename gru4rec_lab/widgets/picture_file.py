"""A panel's picture as a file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from ..plots import LivePlot

FORMATS = (".png", ".svg")


def write_picture(plot: LivePlot, path: str | Path) -> Path:
    """Write the picture as it is now, whole or not at all, as PNG or SVG by the suffix; its path.

    Raises:
        ValueError: another suffix than .png or .svg.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() not in FORMATS:
        raise ValueError(
            f"a picture's name ends in .png or .svg, got {path.name!r}; end it in .png or .svg"
        )
    picture = BytesIO()
    with plot.lock, _all_drawn(plot):
        plot.figure.savefig(picture, format=path.suffix[1:].lower())
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(picture.getvalue())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


@contextmanager
def _all_drawn(plot: LivePlot) -> Iterator[None]:
    """With the moving artists as a part of the figure, which leaves them out otherwise."""
    moving = plot.figure.findobj(lambda artist: artist.get_animated())
    for artist in moving:
        artist.set_animated(False)
    try:
        yield
    finally:
        for artist in moving:
            artist.set_animated(True)
