"""Baselines that a GRU4Rec must beat, ready for `evaluate`: no training, only counting.

`Popularity` knows no session, `SessionPopularity` no order, `Markov` and `ItemKNN` only the last
click; `VSkNN` looks for similar sessions. All are fitted by `fit(sessions)`.
"""

from .counts import Markov, Popularity, SessionPopularity
from .knn import ItemKNN, VSkNN

BASELINES = {
    "popularity": Popularity,
    "session popularity": SessionPopularity,
    "Markov": Markov,
    "item-kNN": ItemKNN,
    "V-SkNN": VSkNN,
}

__all__ = ["BASELINES", "ItemKNN", "Markov", "Popularity", "SessionPopularity", "VSkNN"]
