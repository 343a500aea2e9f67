"""How well a model ranks the next item, over the whole catalogue, at every click of a session.

Any model can be evaluated that has `item_ids`, `start(batch_size)`, `advance(inputs, state, carry)`
and `scores(state)`: state is whatever it needs to know of the sessions so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .batches import session_parallel
from .sessions import Sessions

if TYPE_CHECKING:
    import pandas as pd

ROWS = 16
TIES = ("conservative", "standard", "median")


@runtime_checkable
class Scorer(Protocol):
    """What `evaluate` needs of a model."""

    item_ids: np.ndarray

    def start(self, batch_size: int) -> Any:
        """The state before any click."""

    def advance(self, inputs: Tensor, state: Any, carry: Tensor) -> Any:
        """The state after each row's click; row b goes on from row `carry[b]`, afresh for -1."""

    def scores(self, state: Any) -> Tensor:
        """Scores of all items, [B, items]."""


def rank_targets(
    scores: Float[Tensor, "batch items"], targets: Int[Tensor, "batch"], ties: str = "conservative"
) -> Float[Tensor, "batch"]:
    """Rank of each row's target among all items, 1 = best.

    Items that tie with the target count as better ("conservative"), as worse ("standard") or half
    each ("median"). Scores that are no numbers count as better than any; such a target is last.
    """
    if ties not in TIES:
        raise ValueError(f"unknown ties {ties!r}; choose one of {', '.join(TIES)}")
    target = scores.gather(1, targets[:, None])
    # Not "scores > target": nothing is above NaN, and a broken model would rank its targets first.
    better = (~(scores <= target)).sum(dim=1).double()
    equal = (scores == target).sum(dim=1)
    above = {"conservative": equal, "standard": 1, "median": (1 + equal) / 2}[ties]
    return (better + above).clamp(max=scores.shape[1])


def _gain(metric: str, ranks: np.ndarray, k: int) -> np.ndarray:
    """What each target adds to a metric: for a rank beyond `k`, nothing."""
    of_rank = {"recall": np.ones_like, "mrr": np.reciprocal, "ndcg": _discount}[metric]
    return np.where(ranks <= k, of_rank(ranks), 0.0)


def _discount(ranks: np.ndarray) -> np.ndarray:
    return 1 / np.log2(ranks + 1)


def _full_rows(values: Int[Tensor, "rows"], fill: int) -> Int[Tensor, "full"]:
    """The values and rows to spare up to a multiple of 16.

    Matrix products of a few rows take another path through the machine and round otherwise, which
    can turn near-ties; with full blocks no rank depends on `batch_size`.
    """
    return torch.nn.functional.pad(values, (0, -len(values) % ROWS), value=fill)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Ranks of all targets of a test set, and the metrics they give.

    Attributes:
        ranks: [targets] rank of each target, 1 = best, session after session.
        session: [targets] index of the session of each target.
        position: [targets] place of the target in its session; 2 = the second click.
        target: [targets] item index of the target, in the model's vocabulary.
        k: the cut-offs.
        n_skipped: sessions that gave no target: fewer than two known items.
    """

    ranks: np.ndarray
    session: np.ndarray
    position: np.ndarray
    target: np.ndarray
    k: tuple[int, ...]
    n_skipped: int = 0

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
        """Standard error of a metric, sessions taken as what was drawn, not clicks; NaN for one.

        Clicks of one session resemble each other, so counting them as independent would claim too
        much. The metric is a ratio of sums over sessions, and this the error of such a ratio.
        """
        gain = _gain(metric, self.ranks, k)
        excess = np.bincount(self.session, gain - gain.mean())
        n_sessions = len(np.unique(self.session))
        if n_sessions < 2:
            return float("nan")
        return float(np.sqrt((excess**2).sum() * n_sessions / (n_sessions - 1)) / self.n_targets)

    def frame(self, *, errors: bool = False) -> "pd.DataFrame":
        """One cut-off a row: recall, mrr and ndcg, each with its standard error if asked for."""
        return self._table({k: (self, k) for k in self.k}, "k", errors)

    def by(self, what: str, k: int = 20) -> "pd.DataFrame":
        """The metrics at `k` by "position" of the target or "length" of its session."""
        groups = {"position": self.position, "length": self._length()}
        if what not in groups:
            raise ValueError(f"cannot group by {what!r}; choose one of {', '.join(groups)}")
        return self._by(groups[what], what, k)

    def by_popularity(self, support: np.ndarray, k: int = 20, n_buckets: int = 5) -> "pd.DataFrame":
        """The metrics at `k` by popularity of the target; bucket 1 holds the rarest items.

        `support` are the training clicks on each item; each bucket holds about the same share of
        them.
        """
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
        return Evaluation(*(array[chosen] for array in arrays), k=self.k)

    def _means(self, metric: str) -> dict[int, float]:
        return {k: float(_gain(metric, self.ranks, k).mean()) for k in self.k}

    def _table(self, parts: dict[int, tuple["Evaluation", int]], index: str, errors: bool):
        import pandas as pd

        rows = []
        for label, (part, k) in parts.items():
            row = {index: label, "targets": part.n_targets}
            for metric in ("recall", "mrr", "ndcg"):
                row[metric] = float(_gain(metric, part.ranks, k).mean())
                if errors:
                    row[f"{metric}_se"] = part.standard_error(metric, k)
            rows.append(row)
        return pd.DataFrame(rows).set_index(index)

    def __repr__(self) -> str:
        parts = [f"Recall@{k} {self.recall[k]:.3f}, MRR@{k} {self.mrr[k]:.3f}" for k in self.k]
        return f"{'; '.join(parts)} ({self.n_targets:,} targets)"


@torch.no_grad()
def evaluate(
    model: Scorer,
    sessions: Sessions,
    k: int | Sequence[int] = (1, 5, 10, 20),
    *,
    ties: str = "conservative",
    batch_size: int = 512,
) -> Evaluation:
    """Rank every click but the first of every session against the whole catalogue.

    Clicks on items that the model does not know are left out first; sessions with fewer than two
    clicks then give no target and are counted as skipped.

    Raises:
        ValueError: unknown `ties`, a cut-off below 1, or no session with two known items.
    """
    cutoffs = tuple(sorted({k} if isinstance(k, int) else set(k)))
    if not cutoffs or cutoffs[0] < 1:
        raise ValueError(f"cut-offs must be 1 or more, got {k!r}")
    known = sessions.with_items(model.item_ids)
    long = known.lengths >= 2
    if not long.any():
        raise ValueError(
            f"none of the {sessions.n_sessions} sessions has 2 clicks on items the model knows"
        )
    known = known.take(long)
    schedule = session_parallel(known, batch_size, getattr(model, "device", "cpu"))
    state, ranks = model.start(batch_size), []
    for batch in schedule:
        size = len(batch.targets)
        inputs, carry = _full_rows(batch.inputs, 0), _full_rows(batch.carry, -1)
        state = model.advance(inputs, state, carry)
        ranks.append(rank_targets(model.scores(state)[:size], batch.targets, ties))
    by_click = np.empty(known.n_clicks)
    by_click[schedule.target_click] = torch.cat(ranks).cpu().numpy()
    click = np.sort(schedule.target_click)
    session = known.session_of_click[click]
    return Evaluation(
        ranks=by_click[click],
        session=session,
        position=click - known.offsets[session] + 1,
        target=known.items[click],
        k=cutoffs,
        n_skipped=sessions.n_sessions - known.n_sessions,
    )
