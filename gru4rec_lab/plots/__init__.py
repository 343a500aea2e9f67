"""Diagnostics and histories as matplotlib figures, one colour a loss everywhere."""

from .batches import rows_figure, step_figure
from .comparison_panes import comparison
from .figures import (
    chance_by_n_sample,
    gradient_by_rank,
    gradient_panels,
    history,
    kept_by_world,
    quality_against,
    quality_by_n_sample,
    rank_by_epoch,
    score_by_epoch,
    share_by_popularity,
    weight_mass,
)
from .losses import step_arrows, value_and_pull
from .score_shaping import elu_curves, score_histograms, spread_by_epoch
from .search_panes import importance, parallel_coordinates

__all__ = [
    "chance_by_n_sample",
    "comparison",
    "elu_curves",
    "gradient_by_rank",
    "gradient_panels",
    "history",
    "importance",
    "kept_by_world",
    "parallel_coordinates",
    "quality_against",
    "quality_by_n_sample",
    "rank_by_epoch",
    "rows_figure",
    "score_by_epoch",
    "score_histograms",
    "share_by_popularity",
    "spread_by_epoch",
    "step_arrows",
    "step_figure",
    "value_and_pull",
    "weight_mass",
]
