"""How well a model ranks: targets among all items, and the metrics that follow."""

from .audit import audit
from .compare import Comparison, compare
from .full_ranking import Factored, Scorer, evaluate
from .metrics import Evaluation
from .ranks import TIES, Catalogue, rank_targets

__all__ = [
    "TIES",
    "Catalogue",
    "Comparison",
    "Evaluation",
    "Factored",
    "Scorer",
    "audit",
    "compare",
    "evaluate",
    "rank_targets",
]
