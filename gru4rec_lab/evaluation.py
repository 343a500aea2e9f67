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
    each ("median").
    """
    if ties not in TIES:
        raise ValueError(f"unknown ties {ties!r}; choose one of {', '.join(TIES)}")
    target = scores.gather(1, targets[:, None])
    better = (scores > target).sum(dim=1)
    equal = (scores == target).sum(dim=1)
    if ties == "standard":
        return (1 + better).double()
    if ties == "conservative":
        return (better + equal).double()
    return better + (1 + equal) / 2.0


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Ranks of all targets of a test set, and the metrics they give.

    Attributes:
        ranks: [targets] rank of each target, 1 = best, session after session.
        session: [targets] index of the session of each target.
        k: the cut-offs.
        n_skipped: sessions that gave no target: fewer than two known items.
    """

    ranks: np.ndarray
    session: np.ndarray
    k: tuple[int, ...]
    n_skipped: int = 0

    @property
    def n_targets(self) -> int:
        """Number of ranked targets."""
        return len(self.ranks)

    @cached_property
    def recall(self) -> dict[int, float]:
        """Recall@k: share of targets with rank <= k."""
        return {k: float((self.ranks <= k).mean()) for k in self.k}

    @cached_property
    def mrr(self) -> dict[int, float]:
        """MRR@k: mean of 1 / rank, 0 beyond rank k."""
        return {k: float(np.where(self.ranks <= k, 1 / self.ranks, 0).mean()) for k in self.k}

    def frame(self) -> "pd.DataFrame":
        """One cut-off a row: k, recall, mrr."""
        import pandas as pd

        rows = [(k, self.recall[k], self.mrr[k]) for k in self.k]
        return pd.DataFrame(rows, columns=["k", "recall", "mrr"]).set_index("k")

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
        state = model.advance(batch.inputs, state, batch.carry)
        ranks.append(rank_targets(model.scores(state), batch.targets, ties))
    by_click = np.empty(known.n_clicks)
    by_click[schedule.target_click] = torch.cat(ranks).cpu().numpy()
    order = np.sort(schedule.target_click)
    skipped = sessions.n_sessions - known.n_sessions
    return Evaluation(by_click[order], known.session_of_click[order], cutoffs, skipped)
