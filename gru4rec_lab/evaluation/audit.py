"""`audit`: can the number that a set-up reports be trusted?

What the choice of a protocol moves is counted on the model's own ranks; what is wrong with the data
or the split is found by `check_sessions`. [F] describes these flaws and how common they are.

Sources
    [F] Hidasi & Czapp, "Widespread Flaws in Offline Evaluation of Recommender Systems",
        arXiv 2307.14951.
"""

import warnings

from ..arguments import whole
from ..data.check import Finding, Findings, check_sessions
from ..data.sessions import Sessions
from .full_ranking import Scorer, evaluate
from .metrics import Evaluation
from .ranks import TIES

N_SAMPLED = 100  # shown where the set-up ranks among all items
MUCH = 0.01  # of Recall@k


def audit(
    model: Scorer,
    train_set: Sessions,
    test_set: Sessions,
    *,
    k: int = 20,
    n_sampled: int | None = None,
    by_session: bool = False,
) -> Findings:
    """What of this set-up makes its Recall@k say more, or something else, than it seems to.

    The set-up ranks among `n_sampled` other items (all of them, if None) and takes the mean over
    targets, or over sessions if `by_session`. Beside the findings of `check_sessions`:

    ties
        Recall@k with ties counted as worse ("standard") minus that with ties counted as better.
    sampled
        Recall@k among `n_sampled` items, or among 100, minus that among all.
    sessions
        Recall@k with each session counted once minus that with each target counted once.

    Raises:
        ValueError: as of `evaluate`, or a `k` or `n_sampled` that is no whole number from 1.
    """
    k = whole("k", k)
    with warnings.catch_warnings():
        # The finding "unseen" says it, with the way out.
        warnings.filterwarnings("ignore", ".* are on items that the model does not know")
        found = evaluate(model, test_set, k, all_ranks=True)
        by_mode = {ties: evaluate(model, test_set, k, ties=ties).recall[k] for ties in TIES}
    own = [
        _ties(by_mode, k),
        _sampled(found, len(model.item_ids), n_sampled, k),
        _sessions(found, by_session, k),
    ]
    return Findings([*own, *check_sessions(train_set, test_set)])


def _finding(name: str, value: float, found: str, is_fine: bool, way_out: str) -> Finding:
    return Finding(name, value, "fine" if is_fine else "look", found, "" if is_fine else way_out)


def _ties(by_mode: dict[str, float], k: int) -> Finding:
    value = by_mode["standard"] - by_mode["conservative"]
    return _finding(
        "ties",
        value,
        f"Recall@{k} is " + ", ".join(f"{recall:.3f} {ties}" for ties, recall in by_mode.items()),
        value < MUCH,
        "the model gives many items the same score: report the conservative number",
    )


def _sampled(found: Evaluation, n_items: int, n_sampled: int | None, k: int) -> Finding:
    shown = N_SAMPLED if n_sampled is None else n_sampled
    among = found.recall_among(shown, n_items, k)
    value = among - found.recall[k]
    return _finding(
        "sampled",
        value,
        f"Recall@{k} is {found.recall[k]:.3f} among all items, {among:.3f} among {shown:,} drawn",
        n_sampled is None or value < MUCH,
        "rank among all items; a sampled number compares with no other and can turn the order",
    )


def _sessions(found: Evaluation, by_session: bool, k: int) -> Finding:
    once = found.mean_over_sessions("recall", k)
    value = once - found.recall[k]
    return _finding(
        "sessions",
        value,
        f"Recall@{k} is {found.recall[k]:.3f} over clicks, {once:.3f} over sessions",
        not by_session or abs(value) < MUCH,
        "a long session counts as much as a short one: take the mean over clicks, or say so",
    )
