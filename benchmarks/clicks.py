"""A large click log for the benchmarks: Zipf popularity, clusters, likely successors, in time.

The speed of a step depends on the data through its items alone: how many, how skewed.
"""

import numpy as np
import pandas as pd

MEAN_LENGTH, DAYS = 4.0, 31
N_CLUSTERS, N_SUCCESSORS, EXPONENT = 600, 8, 0.9
TO_SUCCESSOR, TO_CLUSTER = 0.55, 0.30  # else to any item, by popularity


class Shop:
    """Items in clusters, each with some likely successors in its own."""

    def __init__(self, n_items: int, draws: np.random.Generator):
        self._draws, self._n_items = draws, n_items
        popularity = 1 / np.arange(1, n_items + 1) ** EXPONENT
        self._cumulated = np.cumsum(popularity / popularity.sum())
        self._cluster = draws.integers(0, N_CLUSTERS, n_items)
        self._by_cluster = np.argsort(self._cluster, kind="stable")
        sizes = np.bincount(self._cluster, minlength=N_CLUSTERS)
        self._ends = np.concatenate([[0], np.cumsum(sizes)])
        ordered = popularity[self._by_cluster]
        self._mass = np.concatenate([[0], np.cumsum(ordered)])
        items = np.arange(n_items)
        self._successors = np.stack([self.neighbours(items) for _ in range(N_SUCCESSORS)], axis=1)
        weight = 1 / np.arange(1, N_SUCCESSORS + 1)
        self._likely = np.cumsum(weight / weight.sum())

    def popular(self, n: int) -> np.ndarray:
        """`n` items by popularity."""
        return self._clip(np.searchsorted(self._cumulated, self._draws.random(n)))

    def neighbours(self, items: np.ndarray) -> np.ndarray:
        """An item of the same cluster for each, by popularity."""
        cluster = self._cluster[items]
        low, high = self._mass[self._ends[cluster]], self._mass[self._ends[cluster + 1]]
        point = low + self._draws.random(len(items)) * (high - low)
        place = np.searchsorted(self._mass, point, side="right") - 1
        return self._by_cluster[self._clip(place)]

    def next_clicks(self, items: np.ndarray) -> np.ndarray:
        """What is clicked after each."""
        number = np.searchsorted(self._likely, self._draws.random(len(items)))
        after = self._successors[items, np.minimum(number, N_SUCCESSORS - 1)]
        way = self._draws.random(len(items))
        near, far = way >= TO_SUCCESSOR, way >= TO_SUCCESSOR + TO_CLUSTER
        after[near] = self.neighbours(items[near])
        after[far] = self.popular(int(far.sum()))
        return after

    def _clip(self, place: np.ndarray) -> np.ndarray:
        return np.clip(place, 0, self._n_items - 1)


def make_clicks(n_items: int = 37_000, n_clicks: int = 1_000_000, seed: int = 0) -> pd.DataFrame:
    """SessionId, ItemId, Time of about `n_clicks` clicks, session after session."""
    draws = np.random.default_rng(seed)
    shop, n_sessions = Shop(n_items, draws), round(n_clicks / MEAN_LENGTH)
    length = np.minimum(1 + draws.geometric(1 / (MEAN_LENGTH - 1), n_sessions), 200)
    time = np.sort(draws.random(n_sessions)) * DAYS * 86_400
    session, item, parts = np.arange(n_sessions), shop.popular(n_sessions), []
    for position in range(1, length.max() + 1):
        parts.append((session, item, time))
        goes_on = length[session] > position
        session, item, time = session[goes_on], item[goes_on], time[goes_on]
        item = shop.next_clicks(item)
        time = time + draws.exponential(60, len(time)) + 1
    columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    frame = pd.DataFrame(dict(zip(("SessionId", "ItemId", "Time"), columns, strict=True)))
    # Numbers that say nothing about popularity.
    frame["ItemId"] = draws.permutation(n_items)[frame.ItemId] * 7 + 1_000_003
    return frame.sort_values(["SessionId", "Time"], kind="stable", ignore_index=True)


def split_last_day(clicks: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training clicks, and those of the sessions that start on the last day, on training items."""
    start = clicks.groupby("SessionId").Time.transform("min")
    last = start >= clicks.Time.max() - 86_400
    training, test = clicks[~last], clicks[last]
    test = test[test.ItemId.isin(training.ItemId.unique())]
    test = test[test.groupby("SessionId").ItemId.transform("size") > 1]
    return training.reset_index(drop=True), test.reset_index(drop=True)
