"""A frozen set of scores to compare losses on, whatever the model at hand does to its own.

A BPR-max model with ELU and score regularisation keeps its scores so narrow that all pairwise
losses pull alike on them. On the wide scores of a trained BPR model the difference shows.
"""

from functools import lru_cache

from ..diagnostics import GradientByRank, gradient_by_rank, trained_scores
from ..diagnostics.trained import EPOCHS

MOST_NEGATIVES = 2079


@lru_cache(maxsize=32)
def reference_gradients(n_negatives: int) -> GradientByRank:
    """Gradients of all losses on shipped scores of a fully trained BPR model, linear, no ELU.

    Each test target has `n_negatives` negatives, at most as many as were stored (2079).
    """
    rows = trained_scores(EPOCHS[-1], min(max(n_negatives, 1), MOST_NEGATIVES))
    return gradient_by_rank(rows.target, rows.negatives)
