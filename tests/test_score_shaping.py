"""What ELU and score regularisation do to scores."""

import numpy as np
import pytest
import torch

from gru4rec_lab import LOSSES, Config, fit, load_sessions
from gru4rec_lab.diagnostics import gaussian_scores, probe_scores
from gru4rec_lab.diagnostics.score_shaping import (
    flat_share,
    probe_of,
    pull_by_place,
    pull_through,
    spread_by_epoch,
    spread_summary,
)
from gru4rec_lab.losses import elu

NARROW = torch.tensor([[1.0, 0.0, -1.0, -2.0, -3.0]])


@pytest.fixture(scope="module")
def world():
    sessions = load_sessions("world:markov", n_sessions=200, n_items=40)
    return sessions.filtered().split_last(fraction=0.3)


def test_elu_is_flat_where_its_slope_is_below_a_tenth():
    # alpha e^r < .1 for r < log(.1 / .5) = -1.61
    assert flat_share(NARROW, 0.5) == pytest.approx(2 / 5)
    assert flat_share(NARROW, 0.0) == 0


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("elu_param", [0.0, 0.5])
def test_pull_is_the_gradient_by_the_linear_score(loss, elu_param):
    target = torch.tensor([2.0, -1.5], dtype=torch.float64, requires_grad=True)
    negatives = gaussian_scores(30, 2.0).rows[:2].double()
    value = LOSSES[loss](elu(target, elu_param), elu(negatives, elu_param)).sum()
    (wanted,) = torch.autograd.grad(value, target)
    pull = pull_through(loss, target.detach(), negatives, elu_param=elu_param)
    torch.testing.assert_close(pull, -wanted)


def test_a_target_below_zero_loses_the_share_that_elu_keeps_back():
    target, negatives = torch.tensor([-3.0]), torch.tensor([[-3.0]])
    straight, bent = (
        pull_through("bpr", target, negatives, elu_param=alpha) for alpha in (0.0, 0.5)
    )
    torch.testing.assert_close(bent / straight, 0.5 * target.exp())


def test_pull_by_place_puts_targets_at_the_ranks_it_names():
    curves = pull_by_place(gaussian_scores(31, 2.0).rows[:3])
    assert curves.rank.tolist() == [0, 1, 2, 5, 10, 20]
    assert (np.diff(curves.curves["bpr"]) > 0).all()
    assert curves.count.tolist() == [3] * 6


def test_summary_looks_at_scores_after_elu_only_where_it_acts():
    target, negatives = torch.tensor([0.5]), NARROW
    plain = spread_summary(Config(loss="bpr"), target, negatives)
    shaped = spread_summary(Config(loss="bpr-max"), target, negatives)
    assert plain["linear_spread"] == plain["spread"] == pytest.approx(2**0.5)
    assert shaped["linear_spread"] == plain["spread"] > shaped["spread"]
    assert plain["flat"] == 0 < shaped["flat"]


def test_pull_in_the_summary_is_that_of_well_ranked_targets():
    config = Config(loss="bpr")
    negatives = torch.zeros(2, 9)
    top = spread_summary(config, torch.tensor([3.0, -3.0]), negatives)["pull"]
    assert top == pytest.approx(float(torch.sigmoid(torch.tensor(-3.0))))
    assert np.isnan(spread_summary(config, torch.tensor([-1.0, -3.0]), negatives)["pull"])


def test_probe_draws_as_training_does_and_leaves_unknown_items_out(world):
    past, later = world
    recent = past.most_recent(0.3)
    config = Config.preset("lab", layers=(4,), batch_size=8, n_sample=12, n_epochs=0)
    model = fit(config, recent, progress=False)
    support = torch.from_numpy(recent.support)
    target, negatives = probe_of(model, later, support, max_targets=40)
    assert negatives.shape[1] == 8 - 1 + 12
    known = later.with_items(model.item_ids)
    wanted = probe_scores(
        model, known.take(known.lengths >= 2), n_sample=12, sample_alpha=0.5, support=support,
        batch_size=8, max_targets=40,
    )  # fmt: skip
    assert torch.equal(target, wanted[0])
    assert torch.equal(negatives, wanted[1])


def test_table_has_a_row_for_each_variant_and_moment(world):
    past, later = world
    base = Config.preset("lab", layers=(8,), batch_size=8, n_sample=30, n_epochs=1)
    variants = {"bpr": base, "bpr + bpreg": base.with_changes(shape_scores="all", elu_param=0.0)}
    table = spread_by_epoch(variants, past, later, (0, 1))
    assert table[["model", "epoch"]].to_numpy().tolist() == [
        ["bpr", 0], ["bpr", 1], ["bpr + bpreg", 0], ["bpr + bpreg", 1],
    ]  # fmt: skip
    end = table[table.epoch == 1].set_index("model")
    assert end.spread["bpr"] > 2 * end.spread["bpr + bpreg"]
    assert end.pull["bpr"] < end.pull["bpr + bpreg"]
    assert {"first", "mrr_20", "spread", "effective", "flat", "pull"} <= set(table)
