"""Checks for the exercises of the notebooks; a module here is named as its notebook is.

from gru4rec_lab.exercises import check_bpr

def my_bpr(target, negatives):
    raise NotImplementedError

check_bpr(my_bpr)          # prints: bpr: not attempted yet
"""

from .a_step_by_hand import (
    check_adagrad,
    check_batches,
    check_bpr_max_grad,
    check_gru,
    check_step,
    check_training,
)
from .bug_museum import check_first_step, check_honest_ranks, check_mixes_rows
from .check import Check
from .embeddings_and_dropout import check_dropout, check_item_numbers, check_nearest
from .from_model_to_shop import check_last_days, check_unknown_share, check_unseen
from .how_evaluation_lies import check_ranks, check_sampled, check_split
from .how_many_negatives import check_cost, check_enough, check_surely
from .keeping_scores_in_check import (
    check_elu,
    check_score_regulariser,
    check_score_regulariser_grad,
)
from .losses_by_hand import check_bpr, check_bpr_max, check_effective, check_top1_slope
from .newer_losses import check_beta, check_bpr_top, check_own_loss, check_psl_pull
from .one_session_one_score_matrix import check_copies, check_negatives, check_pairs, check_reset
from .reproduce_the_table import check_error, check_leaders, check_needed, check_paired
from .start_here import check_mrr, check_recall
from .training_lab import check_best_epoch, check_n_sample_at
from .vanishing_gradients import check_hard_weight, check_kept, check_pulls
from .which_negatives import check_bias, check_logq, check_popular, check_samples

__all__ = [
    "Check", "check_adagrad", "check_batches", "check_best_epoch", "check_beta", "check_bias",
    "check_bpr", "check_bpr_max", "check_bpr_max_grad", "check_bpr_top", "check_copies",
    "check_cost", "check_dropout", "check_effective", "check_elu", "check_enough", "check_error",
    "check_first_step", "check_gru", "check_hard_weight", "check_honest_ranks",
    "check_item_numbers", "check_kept", "check_last_days", "check_leaders", "check_logq",
    "check_mixes_rows", "check_mrr", "check_n_sample_at", "check_nearest", "check_needed",
    "check_negatives", "check_own_loss", "check_paired", "check_pairs", "check_popular",
    "check_psl_pull", "check_pulls", "check_ranks", "check_recall", "check_reset", "check_sampled",
    "check_samples", "check_score_regulariser", "check_score_regulariser_grad", "check_split",
    "check_step", "check_surely", "check_top1_slope", "check_training", "check_unknown_share",
    "check_unseen",
]  # fmt: skip
