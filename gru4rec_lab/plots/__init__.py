"""Diagnostics and histories as matplotlib figures, one colour a loss everywhere."""

from .batches import rows_figure, step_figure
from .comparison_panes import comparison
from .figures import (
    gradient_by_rank,
    gradient_panels,
    history,
    quality_against,
    quality_by_n_sample,
    rank_by_epoch,
    score_by_epoch,
    weight_mass,
)
from .losses import step_arrows, value_and_pull
from .score_shaping import elu_curves, score_histograms, spread_by_epoch
from .search_panes import importance, parallel_coordinates

__all__ = [
    "comparison",
    "elu_curves",
    "gradient_by_rank",
    "gradient_panels",
    "history",
    "importance",
    "parallel_coordinates",
    "quality_against",
    "quality_by_n_sample",
    "rank_by_epoch",
    "rows_figure",
    "score_by_epoch",
    "score_histograms",
    "spread_by_epoch",
    "step_arrows",
    "step_figure",
    "value_and_pull",
    "weight_mass",
]
