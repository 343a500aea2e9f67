import math

import numpy as np
import pytest
import torch

from gru4rec_lab import Config
from gru4rec_lab.diagnostics import (
    GradientByRank,
    gaussian_effective,
    gaussian_scores,
    gradient_by_rank,
    kept_share,
    rank_summary,
    score_summary,
    seen_by_loss,
)
from gru4rec_lab.evaluation import Evaluation
from gru4rec_lab.losses import elu


def test_rank_summary_by_hand():
    ranks = np.array([1.0, 2.0, 6.0, 7.0, 50.0])
    evaluation = Evaluation(ranks, *[np.zeros(5, int)] * 3, k=(20,))
    got = rank_summary(evaluation)
    assert got["first"] == 1 / 5
    assert got["first_six"] == 3 / 5
    assert got["recall_20"] == 4 / 5
    assert got["median_rank"] == 6
    assert got["mrr_20"] == pytest.approx((1 + 1 / 2 + 1 / 6 + 1 / 7) / 5)
    assert got["mrr_20"] == pytest.approx(evaluation.mrr[20])


def test_a_median_rank_that_was_not_counted_out_is_refused():
    evaluation = Evaluation(np.array([3.0, np.inf]), *[np.zeros(2, int)] * 3, k=(20,), limit=20)
    with pytest.raises(ValueError, match=r"beyond 20; evaluate with all_ranks=True"):
        rank_summary(evaluation)


def test_score_summary_by_hand():
    got = score_summary(torch.tensor([[0.0, math.log(3.0)], [2.0, 2.0], [1.0, 1.0]]))
    assert got["negatives"] == 2
    assert got["spread"] == 0
    assert got["effective"] == pytest.approx(2)
    assert got["top_5"] == pytest.approx(1)


def test_effective_negatives_follow_the_theory_for_narrow_gaussian_scores():
    for spread in (0.5, 1.0, 1.4):
        got = score_summary(gaussian_scores(2000, spread).rows)
        assert got["spread"] == pytest.approx(spread, rel=0.05)
        assert got["effective"] == pytest.approx(gaussian_effective(2000, spread), rel=0.1)


@pytest.mark.parametrize(
    ("changes", "bent"),
    [
        ({"loss": "bpr-max"}, True),
        ({"loss": "bpr", "shape_scores": "all"}, True),
        ({"loss": "bpr"}, False),
        ({"loss": "bpr-max", "elu_param": 0}, False),
    ],
)
def test_loss_sees_scores_after_elu_where_elu_acts(changes, bent):
    scores = torch.tensor([-2.0, 1.0]), torch.tensor([[-1.0, 3.0], [0.5, -4.0]])
    got = seen_by_loss(Config(**changes), *scores)
    for linear, seen in zip(scores, got, strict=True):
        torch.testing.assert_close(seen, elu(linear, 0.5) if bent else linear)


def test_kept_is_the_share_of_the_bin_that_holds_the_rank():
    curves = GradientByRank(
        np.array([0.0, 1, 3]), np.array([4, 4, 4]), {"bpr": np.array([0.1, 0.2, 0.4])}, {"bpr": 0.5}
    )
    assert kept_share(curves, "bpr", [0, 2, 4]) == pytest.approx({0: 0.2, 2: 0.8, 4: 0.8})


def test_kept_of_equal_scores_is_all_and_nan_where_no_target_is():
    rows = torch.arange(400.0).flip(0)[None].repeat(2, 1) * 1e-6
    target = torch.tensor([1.0, -1.0]) * 1e-6
    got = kept_share(gradient_by_rank(target + rows.mean(), rows), "bpr", [200, 0])
    assert got[200] == pytest.approx(1, abs=1e-3)
    assert np.isnan(got[0])
