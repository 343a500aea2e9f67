"""A frozen set of scores to compare losses on, whatever the model at hand does to its own.

A BPR-max model with ELU and score regularisation keeps its scores so narrow that all pairwise
losses pull alike on them. On the wide scores of a trained BPR model the difference shows.
"""

from functools import lru_cache

from ..diagnostics import GradientByRank, gradient_by_rank, trained_scores
from ..diagnostics.trained import EPOCHS, MOST_EXTRA


@lru_cache(maxsize=32)
def reference_gradients(n_sample: int, sample_alpha: float) -> GradientByRank:
    """Gradients of all losses on shipped scores of a fully trained BPR model, linear, no ELU.

    Each test target has the 31 others of its batch as negatives, and `n_sample` extra ones drawn
    by popularity^`sample_alpha`, at most 32,768.
    """
    scores = trained_scores(EPOCHS[-1])
    return gradient_by_rank(scores.target, scores.rows(min(n_sample, MOST_EXTRA), sample_alpha))
