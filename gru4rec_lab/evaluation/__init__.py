"""How well a model ranks: targets among all items, and the metrics that follow."""

from .full_ranking import Factored, Scorer, evaluate
from .metrics import Evaluation
from .ranks import TIES, Catalogue, rank_targets

__all__ = [
    "TIES",
    "Catalogue",
    "Evaluation",
    "Factored",
    "Scorer",
    "evaluate",
    "rank_targets",
]
