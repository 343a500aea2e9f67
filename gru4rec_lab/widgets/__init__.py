"""Panels for notebooks; the only package that imports ipywidgets, with the first panel used.

Every panel can be driven from code, and its numbers read, without a browser. `__init__.pyi` tells
editors the names.
"""

from importlib import import_module

_HOME = {
    "BatchExplorer": "batch_explorer",
    "EnvironmentPanel": "environment_panel",
    "LossExplorer": "loss_explorer.explorer",
    "NeighbourFinder": "neighbour_finder",
    "OwnClicks": "own_clicks",
    "Panel": "panel",
    "ScoreShaper": "score_shaper",
    "SweepExplorer": "sweep_explorer",
    "TrainingLab": "training_lab.lab",
    "VisitExplorer": "visit_explorer",
    "live_panels": "panel",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
