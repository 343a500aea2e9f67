"""The explorer's presets, and the line of text that restores its settings."""

import shlex
from typing import Any

_PLAIN = {"temperature": 1.0, "bpreg": 0.0}
_SCORES: dict[str, dict[str, Any]] = {
    "batch only": {"source": "gaussian", "n_sample": 0, "spread": 4.0, "target_score": 8.0},
    "2048 extra samples": {
        "source": "gaussian", "n_sample": 2048, "spread": 4.0, "target_score": 8.0,
    },
    "narrow scores": {"source": "gaussian", "n_sample": 2048, "spread": 0.5, "target_score": 1.5},
    "trained BPR": {"source": "trained", "n_sample": 2048, "epoch": 4, "sample_alpha": 0.5},
    "trained BPR, uniform samples": {
        "source": "trained", "n_sample": 2048, "epoch": 4, "sample_alpha": 0.0, "pane": "scores",
    },
    "trained BPR, popular samples": {
        "source": "trained", "n_sample": 2048, "epoch": 4, "sample_alpha": 1.0, "pane": "scores",
    },
}  # fmt: skip
PRESETS = {name: settings | _PLAIN for name, settings in _SCORES.items()}


def to_text(settings: dict[str, Any]) -> str:
    """`name=value` pairs in one line, which `from_text` reads."""
    parts = {**settings, "losses": ",".join(settings["losses"])}
    # A pasted column may hold new lines, which do not belong in one line of text.
    parts["pasted"] = " ".join(parts["pasted"].split())
    return " ".join(shlex.quote(f"{name}={value}") for name, value in parts.items())


def from_text(text: str) -> dict[str, Any]:
    """The settings in a line of `to_text`; numbers as numbers.

    Raises:
        ValueError: a part that is no `name=value`.
    """
    settings: dict[str, Any] = {}
    for part in shlex.split(text):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} is no setting; write name=value, as in n_sample=2048")
        settings[name] = value if name in ("source", "pasted", "scale", "pane") else _value(value)
    if "losses" in settings:
        settings["losses"] = [name for name in str(settings["losses"]).split(",") if name]
    return settings


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
