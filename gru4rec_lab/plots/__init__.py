"""Diagnostics and histories as matplotlib figures, one colour a loss everywhere."""

from .colours import LOSS_COLOURS, LOSS_DASHES
from .figures import gradient_by_rank, history
from .live import LivePlot
from .vanishing import gradient_panels, quality_against, rank_course, score_course, weight_mass

__all__ = [
    "LOSS_COLOURS",
    "LOSS_DASHES",
    "LivePlot",
    "gradient_by_rank",
    "gradient_panels",
    "history",
    "quality_against",
    "rank_course",
    "score_course",
    "weight_mass",
]
