"""Sessions to learn on: one real set, synthetic worlds whose best model is known, your own file."""

from .catalogue import DataSet, DataSets, list_datasets, load_sessions

__all__ = ["DataSet", "DataSets", "list_datasets", "load_sessions"]
