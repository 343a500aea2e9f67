"""`LossExplorer`: which losses let go of a well-ranked target, on scores of any kind."""

from .explorer import LossExplorer

__all__ = ["LossExplorer"]
