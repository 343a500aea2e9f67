"""A panel's settings as one line of text: `loss=bpr n_sample=512`, to copy, send and paste."""

import shlex
from collections.abc import Collection
from typing import Any


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
