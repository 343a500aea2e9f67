"""A panel's settings as one line of text, `loss=bpr n_sample=512`, to copy, send and paste."""

import shlex
from collections.abc import Callable, Collection
from typing import Any

import ipywidgets as widgets

from .controls import LABEL, Field, Updating, marked


class RestoreBox(widgets.HBox):
    """A text box that shows `read()` and hands what is typed or pasted into it to `apply`.

    Call `follow` whenever a setting has changed. `apply` runs when the box is left, on Enter or
    by the button; what it refuses is said below the box, and shown by `guarded` too.

    Attributes:
        text: the box.
        field: the box with what is wrong with its text.
        button: hands the text over, also if it is the one shown.
    """

    def __init__(
        self,
        read: Callable[[], str],
        apply: Callable[[str], None],
        guarded: Callable[[Callable[..., None]], Callable[..., None]],
    ):
        self._read, self._apply, self._updating = read, apply, Updating()
        self.text = widgets.Text(
            value=read(), description="settings as text", style=LABEL, continuous_update=False,
            tooltip="copy this line to keep or send the settings; paste one and press Enter",
        )  # fmt: skip
        self.field = Field(self.text, "760px")
        self.button = widgets.Button(
            description="Restore", tooltip="take the settings from the line of text",
            layout=widgets.Layout(width="90px"),
        )  # fmt: skip
        marked(self.text, "g4r-settings-text")
        marked(self.button, "g4r-restore")
        self.text.observe(guarded(self._typed), "value")
        self.button.on_click(guarded(lambda _button: self._take()))
        super().__init__([self.field, self.button], layout=widgets.Layout(flex_flow="row wrap"))

    def follow(self) -> None:
        """Show the settings as they are now."""
        with self._updating:
            self.text.value = self._read()
        self.field.refuse("")

    def _typed(self, _change: dict) -> None:
        if not self._updating:
            self._take()

    def _take(self) -> None:
        try:
            self._apply(self.text.value)
        except ValueError as error:
            self.field.refuse(str(error))
            raise
        self.field.refuse("")


def to_text(settings: dict[str, Any]) -> str:
    """`name=value` pairs in one line, which `from_text` reads; commas between list entries."""
    return " ".join(shlex.quote(f"{name}={_shown(value)}") for name, value in settings.items())


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.12g}"  # a slider adds its steps up: 3.9999999999999996
    # Pasted text may hold new lines, which do not belong in one line of text.
    return " ".join(str(value).split())


def from_text(
    text: str, *, words: Collection[str] = (), lists: Collection[str] = ()
) -> dict[str, Any]:
    """The settings in a line of `to_text`: numbers as numbers, but `words` and `lists` as text.

    Raises:
        ValueError: a part that is no `name=value`.
    """
    settings: dict[str, Any] = {}
    for part in shlex.split(text):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} is no setting; write name=value, as in n_sample=2048")
        settings[name] = value if name in words else _value(value)
        if name in lists:
            settings[name] = [entry for entry in value.split(",") if entry]
    return settings


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
