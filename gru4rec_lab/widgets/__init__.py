"""Panels for notebooks; the only package that imports ipywidgets.

Every panel can be driven from code, and its numbers read, without a browser.
"""

from .batch_explorer import BatchExplorer
from .environment_panel import EnvironmentPanel
from .loss_explorer.explorer import LossExplorer
from .neighbour_finder import NeighbourFinder
from .panel import Panel, live_panels
from .score_shaper import ScoreShaper
from .training_lab.lab import TrainingLab

__all__ = [
    "BatchExplorer",
    "EnvironmentPanel",
    "LossExplorer",
    "NeighbourFinder",
    "Panel",
    "ScoreShaper",
    "TrainingLab",
    "live_panels",
]
