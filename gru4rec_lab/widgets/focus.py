"""A visible focus for every control: the sliders of ipywidgets show none."""

import ipywidgets as widgets

from .panel import marked

_CSS = """<style>
.g4r-panel .noUi-handle:focus, .g4r-panel select:focus, .g4r-panel textarea:focus,
.g4r-panel input:focus, .g4r-panel button:focus-visible, .g4r-panel .widget-readout:focus {
  outline: 3px solid #1c6ea4 !important; outline-offset: 1px; }
</style>"""


def focus_style() -> widgets.HTML:
    """An element without a size of its own that outlines what has the focus in any panel."""
    layout = widgets.Layout(height="0px", margin="0px", overflow="hidden")
    return marked(widgets.HTML(_CSS, layout=layout), "g4r-focus-style")
