"""`Evaluation`: the ranks of a test set and what follows from them.

    Recall@k = share of ranks <= k;  MRR@k = mean of 1 / rank;  NDCG@k = mean of 1 / log2(rank + 1)

A rank beyond k adds nothing to any of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from ..arguments import whole

if TYPE_CHECKING:
    import pandas as pd


def cutoffs_of(k: SupportsIndex | Iterable[SupportsIndex]) -> tuple[int, ...]:
    """One cut-off or several as a tuple that rises, each once.

    Raises:
        ValueError: none, or one that is no whole number from 1.
    """
    several = isinstance(k, Iterable) and not isinstance(k, str)
    found = tuple(sorted({whole("each cut-off in k", each) for each in (k if several else [k])}))
    if not found:
        raise ValueError(f"there is no cut-off in k={k!r}; give one or several, such as (1, 20)")
    return found


class ByCutoff(dict[int, float]):
    """A metric at each cut-off; another one is refused with the way out."""

    def __missing__(self, k: Any) -> float:
        known = ", ".join(map(str, self))
        raise KeyError(f"no cut-off {k!r}, only {known}; ask for it: evaluate(..., k={k!r})")


# What a target of a given rank adds to a metric.
_GAINS = {
    "recall": np.ones_like,
    "mrr": np.reciprocal,
    "ndcg": lambda ranks: 1 / np.log2(ranks + 1),
}


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Ranks of all targets of a test set, and the metrics they give.

    Attributes:
        ranks: [targets] rank of each target, 1 = best, session after session; inf beyond `limit`.
        session: [targets] index of the session of each target.
        position: [targets] place of the target in its session; 2 = the second click.
        target: [targets] item index of the target, in the model's vocabulary.
        k: the cut-offs.
        n_skipped: sessions that gave no target: fewer than two known items.
        n_unknown: clicks that were left out, on items that the model does not know.
        limit: the last rank that was counted exactly.
    """

    ranks: np.ndarray
    session: np.ndarray
    position: np.ndarray
    target: np.ndarray
    k: tuple[int, ...]
    n_skipped: int = 0
    limit: float = float("inf")
    n_unknown: int = 0

    @property
    def n_targets(self) -> int:
        """Number of ranked targets."""
        return len(self.ranks)

    @cached_property
    def recall(self) -> dict[int, float]:
        """Recall@k: share of targets with rank <= k."""
        return self._means("recall")

    @cached_property
    def mrr(self) -> dict[int, float]:
        """MRR@k: mean of 1 / rank, 0 beyond rank k."""
        return self._means("mrr")

    @cached_property
    def ndcg(self) -> dict[int, float]:
        """NDCG@k with one relevant item: mean of 1 / log2(rank + 1), 0 beyond rank k."""
        return self._means("ndcg")

    def standard_error(self, metric: str, k: int) -> float:
        """Standard error of a metric over samples of sessions; NaN for one session."""
        return error_over_sessions(self.gains(metric, k), self.session)

    def gains(self, metric: str, k: int) -> np.ndarray:
        """[targets] what each target adds to the metric, which is their mean.

        Raises:
            ValueError: an unknown metric, or a `k` that is no whole number from 1 up to `limit`.
        """
        if metric not in _GAINS:
            raise ValueError(f"unknown metric {metric!r}; choose one of {', '.join(_GAINS)}")
        if whole("k", k) > self.limit:
            raise ValueError(
                f"ranks beyond {self.limit} were not counted; give evaluate k={k} or all_ranks=True"
            )
        return np.where(self.ranks <= k, _GAINS[metric](self.ranks), 0.0)

    def recall_among(self, n_sampled: int, n_items: int, k: int = 20) -> float:
        """Recall@k if each target were ranked among `n_sampled` other items drawn uniformly.

        Nothing is drawn: of the `n_items` - 1 others, rank - 1 are above the target, so that the
        number of these among the drawn ones is hypergeometric. Draws without replacement; all
        others, if there are fewer.

        Raises:
            ValueError: ranks that were not counted beyond a limit, or `n_sampled` below 1.
        """
        if not np.isinf(self.limit):
            raise ValueError(
                f"ranks beyond {self.limit} were not counted; give evaluate all_ranks=True"
            )
        others = n_items - 1
        drawn = min(whole("n_sampled", n_sampled), others)
        log_factorial = np.cumsum(np.log(np.maximum(np.arange(n_items), 1)))
        above = np.arange(n_items)[:, None]  # of the others
        hits = np.arange(min(k, drawn + 1))  # of the drawn ones
        possible = (hits <= above) & (drawn - hits <= others - above)

        def log_choose(of, chosen):
            chosen = np.where(possible, chosen, 0)
            return log_factorial[of] - log_factorial[chosen] - log_factorial[of - chosen]

        ways = log_choose(above, hits) + log_choose(others - above, drawn - hits)
        chance = np.exp(ways - log_choose(np.full_like(above, others), drawn))
        found = np.where(possible, chance, 0).sum(axis=1)
        return float(found[np.floor(self.ranks).astype(int) - 1].mean())

    def mean_over_sessions(self, metric: str, k: int) -> float:
        """The metric with each session counted once, however many targets it has."""
        _, session = np.unique(self.session, return_inverse=True)
        by_session = np.bincount(session, self.gains(metric, k)) / np.bincount(session)
        return float(by_session.mean())

    def frame(self, *, errors: bool = False) -> "pd.DataFrame":
        """A row a cut-off: recall, mrr and ndcg, with their standard errors if `errors`."""
        return self._table({k: (self, k) for k in self.k}, "k", errors)

    def by(self, what: str, k: int = 20) -> "pd.DataFrame":
        """The metrics at `k` by "position" of the target or "length" of its session.

        Raises:
            ValueError: another `what`, or a `k` beyond `limit`.
        """
        groups = {"position": self.position, "length": self._length()}
        if what not in groups:
            raise ValueError(f"cannot group by {what!r}; choose one of {', '.join(groups)}")
        return self._by(groups[what], what, k)

    def by_popularity(self, support: np.ndarray, k: int = 20, n_buckets: int = 5) -> "pd.DataFrame":
        """The metrics at `k` by popularity of the target; bucket 1 holds the rarest items.

        `support` are the training clicks on each item; each bucket holds about the same share of
        them.

        Raises:
            ValueError: no clicks, fewer items than the targets are of, or a number of buckets or
                a `k` that is none.
        """
        clicks = np.asarray(support)
        if clicks.ndim != 1 or len(clicks) <= self.target.max() or not clicks.sum() > 0:
            raise ValueError(
                f"support must be the clicks on each of the model's items, got {support!r}; give "
                "train_set.support"
            )
        whole("n_buckets", n_buckets)
        order = np.argsort(support, kind="stable")
        share = np.cumsum(support[order]) / support.sum()
        bucket = np.empty(len(support), dtype=np.int64)
        bucket[order] = np.minimum(np.ceil(share * n_buckets), n_buckets).astype(np.int64)
        return self._by(bucket[self.target], "popularity", k)

    def _length(self) -> np.ndarray:
        longest = np.zeros(self.session.max() + 1, dtype=np.int64)
        np.maximum.at(longest, self.session, self.position)
        return longest[self.session]

    def _by(self, group: np.ndarray, name: str, k: int) -> "pd.DataFrame":
        parts = {int(value): (self._only(group == value), k) for value in np.unique(group)}
        return self._table(parts, name, errors=True)

    def _only(self, chosen: np.ndarray) -> "Evaluation":
        arrays = (self.ranks, self.session, self.position, self.target)
        return Evaluation(*(array[chosen] for array in arrays), k=self.k, limit=self.limit)

    def _means(self, metric: str) -> dict[int, float]:
        return ByCutoff({k: float(self.gains(metric, k).mean()) for k in self.k})

    def _table(self, parts: dict[int, tuple["Evaluation", int]], index: str, errors: bool):
        import pandas as pd

        rows = []
        for label, (part, k) in parts.items():
            row = {index: label, "targets": part.n_targets}
            for metric in _GAINS:
                row[metric] = float(part.gains(metric, k).mean())
                if errors:
                    row[f"{metric}_se"] = part.standard_error(metric, k)
            rows.append(row)
        return pd.DataFrame(rows).set_index(index)

    def __repr__(self) -> str:
        parts = [f"Recall@{k} {self.recall[k]:.3f}, MRR@{k} {self.mrr[k]:.3f}" for k in self.k]
        left_out = {
            "clicks on unknown items": self.n_unknown,
            "sessions without two known items": self.n_skipped,
        }
        counts = [f"{self.n_targets:,} targets"]
        counts += [f"{n:,} {what} left out" for what, n in left_out.items() if n]
        return f"{'; '.join(parts)} ({', '.join(counts)})"


def error_over_sessions(gains: np.ndarray, session: np.ndarray) -> float:
    """Standard error of the mean of `gains` over samples of sessions; NaN for one session.

    Clicks of one session resemble each other, so that as independent ones they would give too small
    an error. The mean is a ratio of two sums over sessions; this is the error of such a ratio.
    `session` is that of each gain.
    """
    excess = np.bincount(session, gains - gains.mean())
    n_sessions = len(np.unique(session))
    if n_sessions < 2:
        return float("nan")
    return float(np.sqrt((excess**2).sum() * n_sessions / (n_sessions - 1)) / len(gains))
