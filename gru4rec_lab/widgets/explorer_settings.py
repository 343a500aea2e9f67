"""The explorer's presets, and how its settings are read from a line of text."""

from typing import Any

from . import settings_text

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


def from_text(text: str) -> dict[str, Any]:
    """The settings in a line of `settings_text.to_text`; numbers as numbers.

    Raises:
        ValueError: a part that is no `name=value`.
    """
    words = ("source", "pasted", "scale", "pane")
    return settings_text.from_text(text, words=words, lists=("losses",))
