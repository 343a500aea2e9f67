"""`RestoreBox`: a panel's settings as a line of text to copy, and a place to paste such a line."""

from collections.abc import Callable

import ipywidgets as widgets

from .panel import LABEL, marked


class RestoreBox(widgets.HBox):
    """A text box that shows `read()` and hands what is typed or pasted into it to `apply`.

    Call `follow` whenever a setting has changed. `apply` runs when the box is left, on Enter or
    by the button; it should be guarded, as any callback of a panel.

    Attributes:
        text: the box.
        button: hands the text over, also if it is the one shown.
    """

    def __init__(self, read: Callable[[], str], apply: Callable[[str], None]):
        self._read, self._apply, self._following = read, apply, False
        self.text = widgets.Text(
            value=read(), description="settings as text", style=LABEL, continuous_update=False,
            tooltip="copy this line to keep or send the settings; paste one and press Enter",
            layout=widgets.Layout(width="760px"),
        )  # fmt: skip
        self.button = widgets.Button(
            description="Restore", tooltip="take the settings from the line of text",
            layout=widgets.Layout(width="90px"),
        )  # fmt: skip
        marked(self.text, "g4r-settings-text")
        marked(self.button, "g4r-restore")
        self.text.observe(self._typed, "value")
        self.button.on_click(lambda _button: self._take())
        super().__init__([self.text, self.button], layout=widgets.Layout(flex_flow="row wrap"))

    def follow(self) -> None:
        """Show the settings as they are now."""
        self._following = True
        try:
            self.text.value = self._read()
        finally:
            self._following = False

    def _typed(self, _change: dict) -> None:
        if not self._following:
            self._take()

    def _take(self) -> None:
        self._apply(self.text.value)
