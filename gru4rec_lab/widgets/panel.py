"""What all panels share: errors that show, a registry of live panels, a thread that redraws."""

import html
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ..plots.page import NotebookFigure
from .controls import marked
from .picture.view import PictureView
from .save_box import write_figure

_LIVE: dict[str, "Panel"] = {}
# The sliders of ipywidgets show no focus, and its rows of buttons stand below their labels.
_STYLE = """<style>
.g4r-panel .noUi-handle:focus, .g4r-panel select:focus, .g4r-panel textarea:focus,
.g4r-panel input:focus, .g4r-panel button:focus-visible, .g4r-panel .widget-readout:focus {
  outline: 3px solid #1c6ea4 !important; outline-offset: 1px; }
.g4r-panel .g4r-pointed { outline: 2px solid var(--jp-content-link-color, #1c6ea4);
  outline-offset: -2px; }
.g4r-panel .widget-toggle-buttons { display: flex; align-items: center; }
.g4r-panel:has(.g4r-touring) .g4r-hint { display: none; }
.g4r-panel .widget-toggle-button { padding: 0 4px; }
.g4r-panel .widget-button { padding: 0 6px; }
.g4r-panel .widget-toggle-buttons > .widget-label {
  flex: 0 0 auto; text-align: right; margin-right: 8px; }
.g4r-panel .jupyter-widgets { max-width: calc(100% - 4px); }
.g4r-panel .widget-toggle-buttons, .g4r-panel .widget-html { height: auto; }
.g4r-panel .widget-html-content { line-height: 1.4; padding: 2px 0; }
.g4r-panel .g4r-fold { text-align: left; }
.g4r-panel.jupyter-widgets-disconnected::before { padding: 4px 8px; color: #8b0000;
  background: #fdecea; font: 14px sans-serif; opacity: 1;
  content: "The kernel of this panel has ended or was restarted. Run its cell again."; }
</style>"""
DRAW_EVERY = 0.25


def live_panels() -> dict[str, "Panel"]:
    """The panels that are not closed, by key."""
    return dict(_LIVE)


class Panel(widgets.VBox):
    """A box of controls and a picture that shows what goes wrong in it.

    A new panel closes the one with the same key, so that running a cell again leaves no thread and
    no picture behind. Two panels side by side need two keys.

    Attributes:
        key: what the panel is known by.
        error_box: where an exception of a callback is shown; empty otherwise.
    """

    # On the class, as close() asks for it also of a panel whose making failed.
    key: str = ""

    def __init__(self, key: str):
        if key in _LIVE:
            _LIVE[key].close()
        super().__init__()
        self.key = key
        self.error_box = marked(widgets.HTML(), "g4r-error")
        self.add_class("g4r-panel")

    def reveal(self, children: list[widgets.Widget]) -> None:
        """Show these elements and count as live; the last act of making a panel."""
        self.children = [_style(), *children]
        _LIVE[self.key] = self

    @property
    def error(self) -> str:
        """The message in the error box; empty if there is none."""
        return html.unescape(self.error_box.value.partition("</b> ")[2].removesuffix("</div>"))

    def show_error(self, error: BaseException) -> None:
        """Show this exception in the panel."""
        text = html.escape(f"{type(error).__name__}: {error}", quote=False)
        style = "color:#8b0000;background:#fdecea;padding:4px 8px;border-left:4px solid #8b0000"
        self.error_box.value = f'<div role="alert" style="{style}"><b>Error.</b> {text}</div>'

    def clear_error(self) -> None:
        """Empty the error box."""
        self.error_box.value = ""

    def guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """`callback`, but an exception in it lands in the error box; success empties the box.

        Jupyter shows exceptions of widget callbacks nowhere in the notebook.
        """

        def safely(*event: Any) -> None:
            try:
                callback(*event)
            except Exception as error:
                self.show_error(error)
            else:
                self.clear_error()

        return safely

    def __repr__(self) -> str:
        return f"{type(self).__name__}: a panel of controls and pictures; run the cell to use it"

    def close(self) -> None:
        """Remove the panel with all its controls; it cannot be shown again."""
        if _LIVE.get(self.key) is self:
            del _LIVE[self.key]
        _close_tree(self.children)
        super().close()


class PicturePanel(Panel):
    """A panel with one picture that the browser draws.

    Attributes:
        picture: what is drawn.
        lock: re-entrant lock around what changes numbers and picture.
    """

    def __init__(self, key: str):
        super().__init__(key)
        self.picture = PictureView()
        # Callbacks and cells run in threads of their own: numbers and picture belong together.
        self.lock = threading.RLock()

    def figure(self) -> NotebookFigure:
        """The picture as it is as a matplotlib figure."""
        return self.picture.figure()

    def save_picture(self, path: str | Path) -> Path:
        """Write the picture as it is as .png or .svg; the path written.

        Raises:
            ValueError: an ending other than .png and .svg.
        """
        return write_figure(self.figure(), path)


def _style() -> widgets.HTML:
    """An element without a size of its own that styles what is in any panel."""
    layout = widgets.Layout(height="0px", margin="0px", overflow="hidden")
    return marked(widgets.HTML(_STYLE, layout=layout), "g4r-style")


def _close_tree(children: tuple[widgets.Widget, ...]) -> None:
    for child in children:
        _close_tree(getattr(child, "children", ()))
        child.close()


class Drawer:
    """Calls `update` every quarter of a second, or when woken, until `ended` says so.

    It is called once more at the end. An exception of `update` goes to `on_error`; drawing goes
    on.
    """

    def __init__(
        self,
        update: Callable[[], None],
        ended: Callable[[], bool],
        on_error: Callable[[Exception], None],
    ):
        self._update, self._ended, self._on_error = update, ended, on_error
        self._closing, self._woken = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Draw from now on; nothing if that is so already."""
        if self._thread is not None and self._thread.is_alive():
            return
        # An event for each thread: one that outlived its `stop` must not be woken by the next.
        self._closing, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._draw, args=(self._closing, self._woken), daemon=True,
            name="gru4rec-drawing",
        )  # fmt: skip
        self._thread.start()

    def wake(self) -> None:
        """Draw now and not only at the next quarter of a second."""
        self._woken.set()

    def stop(self, timeout: float) -> None:
        """Draw no more; waits at most `timeout` seconds for the picture under way."""
        self._closing.set()
        self._woken.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _draw(self, closing: threading.Event, woken: threading.Event) -> None:
        while True:
            woken.wait(DRAW_EVERY)
            if closing.is_set():
                return
            woken.clear()
            ended = self._ended()
            try:
                self._update()
            except Exception as error:
                self._on_error(error)
            if ended:
                return
