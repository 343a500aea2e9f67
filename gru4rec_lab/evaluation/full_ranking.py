"""`evaluate`: how well a model ranks the next item among all items, at every click of a session.

Any model can be evaluated that is a `Scorer`; its state is whatever it needs to know of the
sessions so far. Of a model that is `Factored` too, a CPU never holds all scores at once.
"""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, SupportsIndex, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ..arguments import check_kind, whole
from ..batches import Batch, Schedule, session_parallel
from ..data.ids import check_spelling, shortlist, unknown_items
from ..data.sessions import MAKE_THEM, Sessions
from .metrics import Evaluation, cutoffs_of
from .ranks import BLOCK, Catalogue, check_ties, rank_targets

ROWS = 16
AT_LEAST = 20  # the cut-off of `Evaluation.by` unless another is asked for
MUCH = 0.1  # share of the clicks


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


@runtime_checkable
class Factored(Scorer, Protocol):
    """A model whose scores are `queries @ items.T + bias.T`."""

    def factors(self, state: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, units], items [items, units] and bias [items, 1]."""


@torch.no_grad()
def evaluate(
    model: Scorer,
    sessions: Sessions,
    k: SupportsIndex | Iterable[SupportsIndex] = (1, 5, 10, 20),
    *,
    ties: str = "conservative",
    batch_size: int = 512,
    all_ranks: bool = False,
) -> Evaluation:
    """Rank every click but the first of every session against the whole catalogue.

    Clicks on items that the model does not know are left out first; sessions with fewer than two
    clicks then give no target. The result counts both, and a warning says when more than a tenth of
    the clicks was left out. A rank beyond 20 and beyond every cut-off is given as inf, unless
    `all_ranks` are asked for: counting them takes longer.

    Raises:
        ValueError: no model or no `Sessions`, unknown `ties`, a cut-off or `batch_size` that is no
            whole number from 1, no session with two known items, or items that the model knows as
            another type.
    """
    check_kind(Scorer, "train or fit one first, and call evaluate(model, sessions)", model=model)
    check_kind(Sessions, MAKE_THEM, sessions=sessions)
    cutoffs = cutoffs_of(k)
    check_ties(ties)
    limit = float("inf") if all_ranks else max(*cutoffs, AT_LEAST)
    known, n_unknown = _with_targets(sessions, model.item_ids)
    batch_size = min(whole("batch_size", batch_size), known.n_sessions)
    device = torch.device(getattr(model, "device", "cpu"))
    schedule = session_parallel(known, batch_size, device)
    in_tiles = device.type == "cpu" and isinstance(model, Factored)
    rank = _ranks_in_tiles if in_tiles else _ranks_from_all_scores
    ranks = torch.cat(list(rank(model, _states(model, schedule, batch_size), ties, limit)))
    by_click = np.empty(known.n_clicks)
    by_click[schedule.target_click] = ranks.where(ranks <= limit, torch.inf).cpu().numpy()
    click = np.sort(schedule.target_click)
    session = known.session_of_click[click]
    return Evaluation(
        ranks=by_click[click],
        session=session,
        position=click - known.offsets[session] + 1,
        target=known.items[click],
        k=cutoffs,
        n_skipped=sessions.n_sessions - known.n_sessions,
        n_unknown=n_unknown,
        limit=limit,
    )


def _with_targets(sessions: Sessions, item_ids: np.ndarray) -> tuple[Sessions, int]:
    """The sessions with two clicks on the model's items, and how many clicks are on others."""
    known = sessions.with_items(item_ids)
    n_unknown = sessions.n_clicks - known.n_clicks
    if n_unknown > MUCH * sessions.n_clicks:
        unknown = unknown_items(sessions, item_ids)
        if not known.n_clicks:
            check_spelling(unknown[0], dict.fromkeys(item_ids.tolist(), 0).get)
        warnings.warn(
            f"{n_unknown:,} of {sessions.n_clicks:,} clicks are on items that the model does not "
            f"know, and are left out: {shortlist(unknown)}; the metrics hold for the others alone",
            stacklevel=4,
        )
    known = known.take(known.lengths >= 2)
    if not known.n_sessions:
        raise ValueError(
            f"none of the {sessions.n_sessions} sessions has 2 clicks on items the model knows"
        )
    return known, n_unknown


def _states(model: Scorer, schedule: Schedule, batch_size: int) -> Iterator[tuple[Batch, Any]]:
    """Each batch and the state after it, which may have spare rows at the end."""
    state = model.start(batch_size)
    for batch in schedule:
        inputs, carry = _full_rows(batch.inputs, 0), _full_rows(batch.carry, -1)
        state = model.advance(inputs, state, carry)
        yield batch, state


def _full_rows(values: Int[Tensor, "rows"], fill: int) -> Int[Tensor, "full"]:
    """The values, filled up to a multiple of 16 rows.

    A matrix product of a few rows is computed in another way and rounded differently, which can
    decide between two nearly equal scores; with full blocks no rank depends on `batch_size`.
    """
    return torch.nn.functional.pad(values, (0, -len(values) % ROWS), value=fill)


def _ranks_from_all_scores(model, states, ties: str, limit: float) -> Iterator[Tensor]:
    for batch, state in states:
        scores = model.scores(state)[: len(batch.targets)]
        yield rank_targets(scores, batch.targets, ties)


def _ranks_in_tiles(model, states, ties: str, limit: float) -> Iterator[Tensor]:
    catalogue, waiting, n_waiting = None, [], 0
    for batch, state in states:
        queries, items, bias = model.factors(state)
        catalogue = catalogue or Catalogue(items, bias)
        waiting.append((queries[: len(batch.targets)], batch.targets))
        n_waiting += len(batch.targets)
        # Each tile of items comes from memory once for all queries that wait.
        if n_waiting >= BLOCK:
            yield catalogue.ranks(*map(torch.cat, zip(*waiting, strict=True)), ties, limit)
            waiting, n_waiting = [], 0
    if waiting:
        yield catalogue.ranks(*map(torch.cat, zip(*waiting, strict=True)), ties, limit)
