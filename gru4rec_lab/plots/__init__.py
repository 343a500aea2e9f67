"""Diagnostics and histories as matplotlib figures, one colour a loss everywhere."""

from .figures import (
    gradient_by_rank,
    gradient_panels,
    history,
    quality_against,
    rank_course,
    score_course,
    weight_mass,
)
from .live import LivePlot

__all__ = [
    "LivePlot",
    "gradient_by_rank",
    "gradient_panels",
    "history",
    "quality_against",
    "rank_course",
    "score_course",
    "weight_mass",
]
