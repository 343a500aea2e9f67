# What editors complete; tests/test_public.py holds it equal to `_HOME` in __init__.py.

from .batch_explorer import BatchExplorer as BatchExplorer
from .environment_panel import EnvironmentPanel as EnvironmentPanel
from .loss_explorer.explorer import LossExplorer as LossExplorer
from .neighbour_finder import NeighbourFinder as NeighbourFinder
from .own_clicks import OwnClicks as OwnClicks
from .panel import Panel as Panel
from .panel import live_panels as live_panels
from .score_shaper import ScoreShaper as ScoreShaper
from .sweep_explorer import SweepExplorer as SweepExplorer
from .training_lab.lab import TrainingLab as TrainingLab
from .visit_explorer import VisitExplorer as VisitExplorer
