"""The numbers behind every plot: gradients against rank, and where the softmax weights go.

All of it works on the scores of P targets and of the N negatives of each, whether they come from
a Gaussian or from a model. [H18] explains its losses by two quantities: the gradient that a
target still gets when few negatives score above it, and the softmax weights s_j that decide which
negatives give it.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from .gradients import (
    EDGES,
    GradientByRank,
    gradient_by_rank,
    ranks,
    target_gradients,
    target_pulls,
)
from .logq import SoftmaxEstimate, softmax_estimates
from .pushes import NegativeGradients, negative_gradients
from .scores import GaussianScores, gaussian_scores, probe_scores, targets_at_ranks
from .stored import RESULT_FOLDER, TrainedScores, results, stored_curves, trained_scores
from .summaries import kept_share, rank_summary, score_summary, seen_by_loss
from .weights import (
    ScoreHistogram,
    SoftmaxWeights,
    effective_negatives,
    gaussian_effective,
    score_histogram,
    softmax_weights,
    top_share,
)

__all__ = [
    "EDGES",
    "RESULT_FOLDER",
    "GaussianScores",
    "GradientByRank",
    "NegativeGradients",
    "ScoreHistogram",
    "SoftmaxEstimate",
    "SoftmaxWeights",
    "TrainedScores",
    "effective_negatives",
    "gaussian_effective",
    "gaussian_scores",
    "gradient_by_rank",
    "kept_share",
    "negative_gradients",
    "probe_scores",
    "rank_summary",
    "ranks",
    "results",
    "score_summary",
    "seen_by_loss",
    "score_histogram",
    "softmax_estimates",
    "softmax_weights",
    "stored_curves",
    "target_gradients",
    "target_pulls",
    "targets_at_ranks",
    "top_share",
    "trained_scores",
]
