from itertools import product

import numpy as np
import pytest
import torch

from gru4rec_lab import LOSSES, Config, Sessions, load_sessions, train
from gru4rec_lab.config import CHOICES
from gru4rec_lab.device import generator
from gru4rec_lab.diagnostics import (
    effective_negatives,
    gaussian_scores,
    gradient_by_rank,
    probe_scores,
    ranks,
    score_histogram,
    score_summary,
    seen_by_loss,
    softmax_weights,
    target_gradients,
    target_pulls,
    top_share,
)
from gru4rec_lab.diagnostics.score_shaping import spread_summary
from gru4rec_lab.losses import elu
from gru4rec_lab.score_matrix import split_columns
from gru4rec_lab.training.controls import Settings

from .watching import Watch

# Medians of 60 draws from N(0, 4^2), an independent computation: -dL/dr_i by N, loss and rank.
FIGURE_2 = {
    31: {
        "bpr": {0: 0.013, 1: 0.044, 2: 0.085, 5: 0.184, 10: 0.336, 20: 0.629},
        "bpr-max": {0: 0.164, 1: 0.422, 2: 0.557, 5: 0.634, 10: 0.738, 20: 0.866},
        "top1": {0: 0.010, 1: 0.023, 2: 0.035, 5: 0.064, 10: 0.087, 20: 0.094},
        "top1-max": {0: 0.136, 1: 0.190, 2: 0.160},  # too steep from rank 5 on to compare
        "cross-entropy": {0: 0.307, 1: 0.761, 2: 0.910, 5: 0.989, 10: 0.999, 20: 1.0},
    },
    2079: {
        "bpr": {0: 0.0004, 1: 0.0014, 2: 0.0028, 5: 0.0052, 10: 0.0092, 20: 0.0169},
        "bpr-max": {0: 0.116, 1: 0.283, 2: 0.285, 5: 0.345, 10: 0.398, 20: 0.441},
        "top1": {0: 0.0003, 1: 0.001, 2: 0.002, 5: 0.003, 10: 0.006, 20: 0.010},
        "top1-max": {0: 0.095, 1: 0.158, 2: 0.158, 5: 0.135, 10: 0.089, 20: 0.071},
        "cross-entropy": {0: 0.516, 1: 0.826, 2: 0.909, 5: 0.965, 10: 0.988, 20: 0.995},
    },
}


@pytest.fixture(scope="module")
def model():
    sessions = load_sessions("world:cycle", n_sessions=50, n_items=20)
    config = Config(layers=(8,), n_sample=4, n_epochs=1, batch_size=16)
    return next(train(config, sessions)).model, sessions


def test_rank_counts_the_negatives_above_by_hand():
    target = torch.tensor([1.0, 5.0, 0.0])
    negatives = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [2.0, 1.0, 0.5]])
    assert ranks(target, negatives).tolist() == [1, 0, 3]


def test_bins_hold_the_median_gradient_of_their_targets():
    scores = gaussian_scores(31, 2.0, max_rows=5)
    got = gradient_by_rank(scores.target, scores.negatives, ["bpr"], edges=(0, 1, 10, 100, 1000))
    rank = ranks(scores.target, scores.negatives)
    pull = -LOSSES["bpr"].gradient(scores.target, scores.negatives)[0]
    inside = (rank >= 1) & (rank < 10)
    assert got.curves["bpr"][1] == pytest.approx(np.median(pull[inside].numpy()))
    assert got.badly_ranked["bpr"] == pytest.approx(np.median(pull[rank >= 31 / 4].numpy()))
    assert got.count.tolist() == [(rank < 1).sum(), inside.sum(), (rank >= 10).sum(), 0]
    assert np.isnan(got.curves["bpr"][3])
    assert np.isnan(got.rank[3])


def test_relative_curves_divide_by_badly_ranked_targets():
    scores = gaussian_scores(2079, 4.0)
    raw = gradient_by_rank(scores.target, scores.negatives)
    share = raw.relative()
    for name, curve in raw.curves.items():
        np.testing.assert_allclose(share.curves[name] * raw.badly_ranked[name], curve)
    assert share.curves["bpr"][0] < 0.01 < 0.05 < share.curves["bpr-max"][0]


def test_without_badly_ranked_targets_there_is_nothing_to_be_relative_to():
    curves = gradient_by_rank(torch.tensor([9.0]), torch.zeros(1, 8)).relative().curves
    assert all(np.isnan(curve).all() for curve in curves.values())


def test_gaussian_targets_have_the_chosen_ranks():
    scores = gaussian_scores(31, 4.0, max_rows=3)
    rank = ranks(scores.target, scores.negatives).reshape(3, -1)
    assert rank.tolist() == [[0, 1, 2, 5, 10, 20]] * 3


def test_spread_only_stretches_the_draws():
    torch.testing.assert_close(gaussian_scores(63, 3.0).rows, 3 * gaussian_scores(63, 1.0).rows)


@pytest.mark.parametrize("n_negatives", [1, 2, 63, 2111, 32_799])
def test_gaussian_scores_exist_at_any_size_and_stay_few(n_negatives):
    scores = gaussian_scores(n_negatives, 4.0)
    assert scores.negatives.numel() <= max(100_000, 13 * n_negatives)
    assert scores.target.shape == scores.negatives.shape[:1]


@pytest.mark.parametrize(("n_negatives", "spread"), [(0, 1.0), (5, 0.0), (5, -1.0)])
def test_gaussian_scores_refuse_what_cannot_be(n_negatives, spread):
    with pytest.raises(ValueError, match="there must be a negative and a spread above 0"):
        gaussian_scores(n_negatives, spread)


@pytest.mark.parametrize(
    ("n", "loss", "rank"),
    [(n, loss, rank) for n, by in FIGURE_2.items() for loss in by for rank in by[loss]],
)
def test_gradients_repeat_the_synthetic_figure_2(n, loss, rank):
    curves = figure_2(n)
    assert curves.curves[loss][[0, 1, 2, 5, 10, 20].index(rank)] == pytest.approx(
        FIGURE_2[n][loss][rank], rel=0.5, abs=6e-4
    )


def figure_2(n, made={}):  # noqa: B006
    if n not in made:
        scores = gaussian_scores(n, 4.0, n_scores=2_000_000)
        made[n] = gradient_by_rank(scores.target, scores.negatives)
    return made[n]


def test_equal_scores_share_the_weight_evenly():
    weights = softmax_weights(torch.zeros(3, 8))
    np.testing.assert_allclose(weights.weight, 1 / 8)
    np.testing.assert_allclose(weights.cumulated, np.arange(1, 9) / 8)
    assert effective_negatives(torch.zeros(3, 8)) == pytest.approx(8)
    assert top_share(torch.zeros(3, 8), k=2) == pytest.approx(1 / 4)


def test_one_score_far_above_takes_all_the_weight():
    negatives = torch.tensor([[1e4, 0.0, -1e4], [1e4, 0.0, -1e4]])
    assert effective_negatives(negatives) == pytest.approx(1)
    assert top_share(negatives, k=1) == pytest.approx(1)
    assert top_share(negatives, k=5) == pytest.approx(1)


def test_weights_are_sorted_within_each_row():
    weights = softmax_weights(torch.tensor([[0.0, 3.0], [3.0, 0.0]])).weight
    assert weights[0] == pytest.approx(torch.sigmoid(torch.tensor(3.0)).item())


def test_scores_are_sorted_and_draws_are_found_without_the_slow_ways_of_torch(model):
    with Watch() as seen:
        _, negatives = probe_scores(*model)
        weights = softmax_weights(negatives)
    assert not {"sort", "searchsorted"} & {each.name for each in seen.operations}
    by_torch = negatives.sort(dim=1, descending=True).values.softmax(dim=1).mean(dim=0)
    assert (weights.weight == by_torch.double().numpy()).all()


def test_spread_scores_leave_few_effective_negatives():
    wide, narrow = (effective_negatives(gaussian_scores(2079, std).rows) for std in (4.0, 0.2))
    assert wide < 60
    assert narrow > 2000


def test_target_gradients_are_the_closed_form():
    gradients = target_gradients(torch.zeros(3), torch.zeros(3, 4))
    half = {name: gradients[name] for name in ("bpr", "bpr-max", "top1", "top1-max")}
    assert half == pytest.approx({"bpr": 0.5, "bpr-max": 0.5, "top1": 0.25, "top1-max": 0.25})
    assert gradients["cross-entropy"] == pytest.approx(0.8)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="unknown loss 'hinge'"):
        gradient_by_rank(torch.zeros(1), torch.zeros(1, 2), ["hinge"])


def test_probe_scores_are_those_of_the_network_by_hand(model):
    recommender, _ = model
    network = recommender.network
    clicks = {"SessionId": [1, 1, 1], "ItemId": recommender.item_ids[[3, 5, 2]], "Time": [1, 2, 3]}
    sessions = one_session(clicks).with_items(recommender.item_ids)
    target, negatives = probe_scores(
        recommender, sessions, n_sample=6, sample_alpha=0.0, batch_size=1
    )
    hidden = network.start(1)
    for row, (item, following) in enumerate([(3, 5), (5, 2)]):
        carry = torch.tensor([-1 if row == 0 else 0])
        hidden = network.advance(torch.tensor([item]), hidden, carry)
        scores = network.scores(hidden)[0].detach()
        torch.testing.assert_close(target[row], scores[following])
        assert all((negative - scores).abs().min() < 1e-6 for negative in negatives[row])


def one_session(clicks):
    import pandas as pd

    return Sessions.from_frame(pd.DataFrame(clicks))


def test_every_probe_row_has_the_same_number_of_negatives(model):
    recommender, sessions = model
    target, negatives = probe_scores(recommender, sessions, n_sample=7, sample_alpha=0.5)
    assert len(target) == sessions.n_clicks - sessions.n_sessions
    assert negatives.shape == (len(target), 15 + 7)
    assert not target.requires_grad


def test_probe_scores_repeat_and_stop_where_told(model):
    recommender, sessions = model
    knobs = {"n_sample": 7, "sample_alpha": 0.5, "batch_size": 16}
    first, again = (probe_scores(recommender, sessions, **knobs) for _ in range(2))
    torch.testing.assert_close(first, again)
    few = probe_scores(recommender, sessions, **knobs, max_targets=20)
    assert len(few[0]) == 32


def test_probe_scores_with_logq_take_off_the_log_of_the_support(model):
    recommender, sessions = model
    knobs = {"n_sample": 0, "sample_alpha": 0.5, "batch_size": 16, "max_targets": 1}
    plain, _ = probe_scores(recommender, sessions, **knobs)
    corrected, _ = probe_scores(recommender, sessions, **knobs, logq=1.0)
    support = torch.as_tensor(sessions.support).log()
    assert all((gap - support).abs().min() < 1e-4 for gap in plain - corrected)


WAYS = [CHOICES[name] for name in ("sampler", "collisions", "logq_mode")]


@pytest.fixture
def seen_in_training(monkeypatch):
    """Targets and negatives of each step of a training, as its loss sees them; no weight moves."""

    def seen(config, sessions):
        steps = []

        def record(scores, loss, *, bpreg, elu_param, absent, own):
            target, negatives = split_columns(elu(scores, elu_param), own)
            if absent is not None:
                negatives = negatives.masked_fill(split_columns(absent)[1], -torch.inf)
            steps.append((target, negatives))
            return torch.zeros(len(scores)), torch.zeros_like(scores)

        monkeypatch.setattr("gru4rec_lab.training.step.loss_and_gradient", record)
        events = train(config.with_changes(step="plain", device="cpu"), sessions)
        model = next(events).model
        list(events)
        monkeypatch.undo()
        return model, [torch.cat(parts) for parts in zip(*steps, strict=True)]

    return seen


@pytest.mark.parametrize("n_sample", [9, "all"])
@pytest.mark.parametrize(
    ("sampler", "collisions", "logq_mode"),
    [each for each in product(*WAYS) if {"hard", "exact"} - {*each}],
)
def test_probe_scores_are_those_that_the_loss_of_a_training_step_sees(
    sampler, collisions, logq_mode, n_sample, seen_in_training, monkeypatch
):
    random = np.random.default_rng(0)
    rows = [(session, item) for session in range(4) for item in random.integers(0, 6, 5)]
    frame = {"SessionId": [s for s, _ in rows], "ItemId": [i for _, i in rows], "Time": range(20)}
    sessions = one_session(frame)
    config = Config(layers=(8,), batch_size=4, n_sample=n_sample, n_epochs=1, logq=0.7, seed=3)
    config = config.with_changes(sampler=sampler, collisions=collisions, logq_mode=logq_mode)
    model, (target, negatives) = seen_in_training(config, sessions)
    drawn_as_in_training = lambda seed, _, device: generator(seed, "negatives", device)  # noqa: E731
    monkeypatch.setattr("gru4rec_lab.diagnostics.scores.generator", drawn_as_in_training)
    got = seen_by_loss(config, *probe_scores(model, sessions, seed=3))
    torch.testing.assert_close(got[0], target)
    torch.testing.assert_close(got[1], negatives)
    masked = n_sample != "all" and (collisions == "mask" or logq_mode == "exact")
    assert bool(negatives.isneginf().any()) == masked


@pytest.mark.parametrize("loss", ["bpr-max", "cross-entropy"])
def test_probe_scores_go_by_the_settings_in_force(loss, model):
    recommender, sessions = model
    settings = Settings.of(Config(loss=loss, n_sample=3, sample_alpha=1.0, logq=1.0, elu_param=0.2))
    got = probe_scores(recommender, sessions, settings=settings)
    logq = 1.0 if loss == "cross-entropy" else 0.0
    wanted = probe_scores(recommender, sessions, n_sample=3, sample_alpha=1.0, logq=logq)
    torch.testing.assert_close(got, wanted)
    bent = seen_by_loss(recommender.config, *got, settings=settings)
    assert torch.equal(bent[0], elu(got[0], 0.2) if loss == "bpr-max" else got[0])


def test_a_target_all_of_whose_negatives_are_masked_is_left_out():
    sessions = one_session({"SessionId": [1, 1, 2, 2], "ItemId": [0, 1, 0, 1], "Time": range(4)})
    config = Config(layers=(4,), n_sample=1, batch_size=2, n_epochs=0, collisions="mask", seed=1)
    recommender = next(train(config, sessions)).model
    kept = [probe_scores(recommender, sessions, seed=seed) for seed in range(20)]
    assert {len(target) for target, _ in kept} == {0, 2}
    assert all(negatives.isneginf().sum() == len(negatives) for _, negatives in kept)


def test_absent_negatives_do_not_count():
    random = torch.Generator().manual_seed(0)
    target = torch.randn(8, generator=random) - 1
    present = torch.randn(8, 6, generator=random)
    negatives = torch.cat([present, torch.full((8, 3), -torch.inf)], dim=1)
    assert score_summary(negatives) == pytest.approx(score_summary(present))
    for shaped in ({"loss": "bpr"}, {"loss": "bpr-max"}):
        config = Config(**shaped)
        got, wanted = (spread_summary(config, target, each) for each in (negatives, present))
        assert got == pytest.approx(wanted, nan_ok=True)
    got, wanted = (gradient_by_rank(target, each) for each in (negatives, present))
    assert got.badly_ranked == pytest.approx(wanted.badly_ranked)
    for name, curve in got.curves.items():
        np.testing.assert_allclose(curve, wanted.curves[name], rtol=1e-5)
    np.testing.assert_allclose(
        softmax_weights(negatives).weight[:6], softmax_weights(present).weight, rtol=1e-6
    )
    got, wanted = (score_histogram(target, each, low=-3, high=3) for each in (negatives, present))
    np.testing.assert_allclose(got.weight, wanted.weight, rtol=1e-5)
    np.testing.assert_allclose(got.negatives, wanted.negatives)


def test_histogram_counts_by_hand_and_its_end_bins_hold_what_lies_beyond():
    negatives = torch.tensor([[-9.0, 0.5, 0.6, 1.5], [1.5, 9.0, -torch.inf, -torch.inf]])
    got = score_histogram(torch.tensor([1.0, 5.0]), negatives, low=0, high=3, n_bins=3)
    assert got.edges.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(got.negatives, [3 / 6, 2 / 6, 1 / 6])
    np.testing.assert_allclose(got.targets, [0, 0.5, 0.5])
    weight = negatives.softmax(dim=1)
    np.testing.assert_allclose(got.weight[2], weight[1, 1] / 2, rtol=1e-6)
    assert got.weight.sum() == pytest.approx(1)


def test_weight_lies_further_up_than_the_negatives_do():
    scores = gaussian_scores(2079, 4.0)
    got = score_histogram(scores.target, scores.rows, low=-20, high=30)
    middle = (got.edges[1:] + got.edges[:-1]) / 2
    assert middle @ got.negatives == pytest.approx(0, abs=0.1)
    assert middle @ got.weight > 9


@pytest.mark.parametrize("bins", [{"low": 1, "high": 1}, {"low": 0, "high": 1, "n_bins": 0}])
def test_histogram_without_a_bin_is_refused(bins):
    with pytest.raises(ValueError, match="a bin from low to high"):
        score_histogram(torch.zeros(1), torch.zeros(1, 2), **bins)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("size", [1e-3, 3.0, 1e4])
def test_pulls_are_those_of_the_gradients_in_the_registry(loss, size):
    source = torch.Generator().manual_seed(0)
    target, negatives = (
        size * torch.randn(*shape, generator=source, dtype=torch.float64)
        for shape in ((40,), (40, 25))
    )
    negatives[::3, 4:] = -torch.inf
    wanted = -LOSSES[loss].gradient(target, negatives)[0]
    torch.testing.assert_close(target_pulls(target, negatives)[loss], wanted)


def test_pulls_of_an_unknown_loss_are_refused():
    with pytest.raises(ValueError, match="unknown loss 'hinge'"):
        target_pulls(torch.zeros(1), torch.zeros(1, 2), ["hinge"])
