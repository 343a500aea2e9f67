"""The numbers behind every plot: gradients against rank, and where the softmax weights go.

All of it works on the scores of P targets and of the N negatives of each, whether they come from
a Gaussian or from a model. [H18] explains its losses by two quantities: the gradient that a
target still gets when few negatives score above it, and the softmax weights s_j that decide which
negatives give it.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from .bugs import BUGS, Bug, judged_with, museum, pulls_of_bugs, trained_with
from .by_hand import TargetCurves, loss_table, target_curves
from .clicks import click_effects
from .diagnose import diagnose
from .gradients import (
    EDGES,
    GradientByRank,
    gradient_by_rank,
    ranks,
    target_gradients,
    target_pulls,
)
from .logq import SoftmaxEstimate, softmax_estimates
from .neighbours import agreement, alike_in_use, neighbours
from .popularity import (
    popular_share,
    recommended,
    relevant_drawn,
    relevant_shares,
    sample_shares,
    share_by_popularity,
)
from .pushes import NegativeGradients, negative_gradients
from .score_shaping import (
    flat_share,
    probe_of,
    pull_by_place,
    pull_through,
    spread_by_epoch,
    spread_summary,
)
from .scores import GaussianScores, gaussian_scores, probe_scores, targets_at_ranks
from .steps import Replay
from .stored import (
    RESULT_FOLDER,
    TrainedScores,
    by_method,
    results,
    stored_curves,
    trained_scores,
)
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
    "BUGS", "EDGES", "RESULT_FOLDER", "Bug", "GaussianScores", "GradientByRank",
    "NegativeGradients", "Replay", "ScoreHistogram", "SoftmaxEstimate", "SoftmaxWeights",
    "TargetCurves", "TrainedScores", "agreement", "alike_in_use", "by_method", "click_effects",
    "diagnose", "effective_negatives", "flat_share", "gaussian_effective", "gaussian_scores",
    "gradient_by_rank", "judged_with", "kept_share", "loss_table", "museum", "negative_gradients",
    "neighbours", "popular_share", "probe_of", "probe_scores", "pull_by_place", "pull_through",
    "pulls_of_bugs", "rank_summary", "ranks", "recommended", "relevant_drawn", "relevant_shares",
    "results", "sample_shares", "score_histogram", "score_summary", "seen_by_loss",
    "share_by_popularity", "softmax_estimates", "softmax_weights", "spread_by_epoch",
    "spread_summary", "stored_curves", "target_curves", "target_gradients", "target_pulls",
    "targets_at_ranks", "top_share", "trained_scores", "trained_with",
]  # fmt: skip
