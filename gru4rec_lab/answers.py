"""The best items after a session: which may be recommended, and `recommend` for many sessions."""

import warnings
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .arguments import check_kind, whole
from .data.ids import check_spelling, shortlist, unknown_items
from .data.sessions import MAKE_THEM, Sessions

if TYPE_CHECKING:
    import pandas as pd

N_SCORES = 2**23  # held at once, 32 MB: larger memory is new each time, which takes longer
GROUP = 64


def recommendable(
    index: Mapping[Any, int], *, exclude: Iterable[Any] = (), only: Iterable[Any] | None = None
) -> Bool[Tensor, "items"]:
    """Which items may be recommended: those in `only` (None for all) that are not in `exclude`.

    `index` gives the number of every item. Warns of items that the model does not know; they can be
    recommended in no case.

    Raises:
        ValueError: one text in place of a list; an item that the model knows as another type.
    """
    allowed = np.full(len(index), only is None)
    for name, items, may in (("only", only, True), ("exclude", exclude, False)):
        if isinstance(items, str | bytes) or not isinstance(items, Iterable | None):
            raise ValueError(f"{name} takes several items, got {items!r}; give a list")
        asked = [] if items is None else list(items)
        try:
            # The items in stock may be as many as all: 20,000 of them take a millisecond.
            places = np.fromiter(map(index.get, asked, repeat(-1)), np.int64, len(asked))
        except TypeError:
            raise ValueError(f"{name} takes texts or numbers, got {shortlist(asked)}") from None
        allowed[places[places >= 0]] = may
        unknown = [asked[number] for number in np.flatnonzero(places < 0)]
        if unknown:
            check_spelling(unknown[0], index.get)
            warnings.warn(
                f"{len(unknown):,} of the {len(asked):,} items in {name} are unknown to the "
                f"model: {shortlist(unknown)}",
                stacklevel=4,
            )
    return torch.from_numpy(allowed)


def best(
    scores: Float[Tensor, "rows items"], k: int
) -> tuple[Float[Tensor, "rows k"], Int[Tensor, "rows k"]]:
    """The `k` highest scores of each row (all, if there are fewer), best first, and their places.

    Raises:
        ValueError: scores that are no numbers.
    """
    n_items = scores.shape[1]
    n_groups = n_items // GROUP
    if n_groups <= 2 * k:
        values, places = scores.topk(min(k, n_items))
    else:
        # The k best are in the k groups of columns with the highest maxima, or in the columns that
        # fill no group; to look there alone takes a fifth of the time of topk.
        whole = n_groups * GROUP
        groups = scores[:, :whole].unflatten(1, (n_groups, GROUP)).amax(dim=2).topk(k).indices
        columns = torch.arange(GROUP, device=scores.device)
        inside = (groups[:, :, None] * GROUP + columns).flatten(1)
        rest = torch.arange(whole, n_items, device=scores.device).expand(len(scores), -1)
        candidates = torch.cat([inside, rest], dim=1)
        values, place = scores.gather(1, candidates).topk(k)
        places = candidates.gather(1, place)
    if values.isnan().any():
        raise ValueError("the model's scores are not numbers; train it again, with smaller steps")
    return values, places


@torch.no_grad()
def recommend(
    model: Any,
    sessions: "Sessions | pd.DataFrame",
    k: int = 10,
    *,
    exclude: Iterable[Any] = (),
    exclude_seen: bool = False,
    only: Iterable[Any] | None = None,
    names: Mapping[Any, str] | None = None,
    session: str = "SessionId",
    item: str = "ItemId",
    time: str = "Time",
    unit: str | None = None,
) -> "pd.DataFrame":
    """The `k` best items after each session: SessionId, rank, ItemId, score, a row an item.

    `model` is a `Recommender` or a baseline. Of a frame `session`, `item` and `time` name the
    columns, and `unit` says what its times count, as in `load_sessions`; without a column `time`
    the clicks are in order. Clicks on items that the model does not know are left out, and sessions
    without another click with them; a warning says how many.

    Args:
        exclude: items that are not recommended.
        exclude_seen: leave out the items of the session itself.
        only: the items to choose from; None for all.
        names: names of items, for a column `name`.

    Raises:
        ValueError: no model, a `k` that is no whole number from 1, clicks that cannot be read, or
            none on an item the model knows.
    """
    import pandas as pd

    k = whole("k", k)
    if not hasattr(model, "item_ids"):
        raise ValueError(
            f"{model!r} is no model; train, fit or load one, and call recommend(model, sessions)"
        )
    if not isinstance(sessions, Sessions):
        if not hasattr(sessions, "columns"):
            check_kind(Sessions, f"{MAKE_THEM}, or give a frame", sessions=sessions)
        if time not in sessions.columns:
            sessions = sessions.assign(**{time: np.arange(len(sessions))})
        sessions = Sessions.from_frame(sessions, session, item, time, unit=unit)
    index = {each: place for place, each in enumerate(model.item_ids.tolist())}
    known = _with_known_clicks(sessions, model.item_ids, index)
    allowed = recommendable(index, exclude=exclude, only=only)
    order = np.argsort(known.lengths, kind="stable")
    rows = max(1, N_SCORES // len(model.item_ids))
    parts = []
    for chosen in np.split(order, range(rows, len(order), rows)):
        clicks, scores = _scores_after(model, known, chosen)
        # Each makes a copy of all scores, which takes as long as to find the best of them.
        if not allowed.all():
            scores = scores.masked_fill(~allowed.to(scores.device), -torch.inf)
        if exclude_seen:
            scores = scores.scatter(1, clicks, -torch.inf)
        values, places = (each.cpu().numpy() for each in best(scores, k))
        rank = np.broadcast_to(np.arange(1, values.shape[1] + 1), values.shape)
        session_of = np.broadcast_to(chosen[:, None], values.shape)
        parts.append([each.ravel() for each in (session_of, rank, places, values)])
    place, rank, items, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = {"SessionId": known.session_ids[place], "rank": rank}
    table = pd.DataFrame(columns | {"ItemId": model.item_ids[items], "score": values})
    if names is not None:
        table["name"] = table.ItemId.map(lambda each: names.get(each, ""))
    table = table.iloc[np.argsort(place, kind="stable")]
    return table[table.score > -np.inf].reset_index(drop=True)


def _with_known_clicks(
    sessions: Sessions, item_ids: np.ndarray, index: Mapping[Any, int]
) -> Sessions:
    """The sessions over the model's items; warns of what that leaves out."""
    if not sessions.n_clicks:
        raise ValueError("there are no clicks to answer to; give sessions of one click or more")
    unknown = unknown_items(sessions, item_ids)
    if not unknown:
        return sessions.with_items(item_ids)
    known = sessions.with_items(item_ids)
    if not known.n_sessions:
        check_spelling(unknown[0], index.get)
        raise ValueError(f"the model knows no item of these sessions: {shortlist(unknown)}")
    warnings.warn(
        f"{sessions.n_clicks - known.n_clicks:,} of {sessions.n_clicks:,} clicks are on items "
        f"unknown to the model and left out ({shortlist(unknown)}); "
        f"{sessions.n_sessions - known.n_sessions:,} of {sessions.n_sessions:,} sessions have no "
        "other click, and get no recommendation",
        stacklevel=4,
    )
    return known


def _scores_after(
    model: Any, sessions: Sessions, chosen: Int[np.ndarray, "rows"]
) -> tuple[Int[Tensor, "rows clicks"], Float[Tensor, "rows items"]]:
    """Clicks of the chosen sessions and the scores after their last ones.

    All end with the last column; in front of a shorter session its first click is repeated, which
    adds no item to it, and it starts afresh at its own first click.
    """
    device = torch.device(getattr(model, "device", "cpu"))
    lengths = sessions.lengths[chosen]
    steps = np.arange(lengths.max()) - (lengths.max() - lengths)[:, None]
    place = sessions.offsets[:-1][chosen][:, None] + steps.clip(min=0)
    clicks = torch.from_numpy(sessions.items[place]).to(device)
    rows = np.arange(len(chosen))[:, None]
    carry = torch.from_numpy(np.where(steps > 0, rows, -1)).to(device)
    state = model.start(len(chosen))
    for inputs, goes_on in zip(clicks.T, carry.T, strict=True):
        state = model.advance(inputs, state, goes_on)
    return clicks, model.scores(state)
