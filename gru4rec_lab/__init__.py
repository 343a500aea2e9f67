"""GRU4Rec Lab: see why ranking losses vanish, and train a GRU4Rec you can trust.

The names below are the public interface; each is imported when it is first used, so that
`import gru4rec_lab` costs little.
"""

from importlib import import_module

_HOME = {
    "Config": "config",
    "Controls": "training.controls",
    "Sessions": "data.sessions",
    "load_sessions": "data.catalogue",
    "list_datasets": "data.catalogue",
    "LOSSES": "losses",
    "Recommender": "recommend",
    "load_model": "recommend",
    "evaluate": "evaluation",
    "train": "training.loop",
    "fit": "training.loop",
    "LiveRun": "training.live",
}
__all__ = ["__version__", *_HOME]
__version__ = "0.1.0"


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'gru4rec_lab' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
