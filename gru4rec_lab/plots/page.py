"""`NotebookFigure`: a figure that a notebook shows as the result of a cell."""

from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class NotebookFigure(Figure):
    """A figure with a canvas of its own that Jupyter shows without pyplot."""

    def __init__(self, width: float, height: float, **settings):
        super().__init__(figsize=(width, height), **settings)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        # Jupyter knows how to show a plain Figure only after pyplot was imported.
        whole, small = BytesIO(), BytesIO()
        self.savefig(whole, format="png")
        # A palette makes a stored notebook four times smaller; an octree keeps rare colours too.
        picture = Image.open(whole).convert("RGB")
        picture = picture.quantize(256, method=Image.Quantize.FASTOCTREE)
        picture.save(small, "png", optimize=True)
        return small.getvalue()
