"""Several models on the same clicks: numbers that can be checked on paper."""

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, compare, evaluate, fit, load_sessions
from gru4rec_lab.baselines import BASELINES, Markov
from tests.test_batches import make
from tests.test_evaluation import Fixed

# Clicks on item 0 are followed by 1, on 2 by 3, on 4 by 5; four sessions with one target each.
SESSIONS = make([[0, 1], [2, 3], [4, 5], [4, 5]])
N_ITEMS = 6


def model(*ranks):
    """Gives the targets after items 0, 2 and 4 these ranks."""
    table = np.zeros((N_ITEMS, N_ITEMS))
    for click, rank in zip((0, 2, 4), ranks, strict=True):
        order = [item for item in range(N_ITEMS) if item != click + 1]
        order.insert(rank - 1, click + 1)
        table[click, order] = np.arange(N_ITEMS, 0, -1)
    return Fixed(table)


@pytest.fixture
def found():
    models = {
        "good": model(1, 2, 1),
        "poor": [model(2, 4, 2), model(1, 2, 4)],
        "same": model(1, 2, 1),
    }
    return compare(models, SESSIONS)


def test_the_table_by_hand(found):
    frame = found.frame()
    assert frame.index.tolist() == ["good", "poor", "same"]
    assert frame["n_targets"].tolist() == [4, 4, 4]
    assert frame["n_models"].tolist() == [1, 2, 1]
    assert frame["recall@20"].tolist() == [1, 1, 1]
    assert frame["recall@1"].tolist() == [0.75, 0.125, 0.75]
    # 1, 1/2, 1, 1; and of the two models 1/2, 1/4, 1/2, 1/2 and 1, 1/2, 1/4, 1/4.
    np.testing.assert_allclose(frame["mrr@20"], [3.5 / 4, (1.75 + 2) / 8, 3.5 / 4])
    by_target = np.array([0.75, 0.375, 0.375, 0.375])
    assert frame["mrr@20_se"]["poor"] == pytest.approx(by_target.std(ddof=1) / 2)
    assert frame["mrr@20_se"]["good"] == pytest.approx(np.std([1, 0.5, 1, 1], ddof=1) / 2)
    assert frame["mrr@20_sd"]["poor"] == pytest.approx(abs(1.75 - 2) / 4 / 2**0.5)
    assert frame["mrr@20_sd"].isna().tolist() == [True, False, True]


def test_the_difference_is_paired_and_has_the_error_of_the_seeds(found):
    (row,) = found.differences("good").loc[["poor"]].itertuples()
    paired = np.array([0.75, 0.375, 0.375, 0.375]) - [1, 0.5, 1, 1]
    assert row.difference == pytest.approx(paired.mean())
    assert row.se == pytest.approx(paired.std(ddof=1) / 2)
    # The two models are 1/16 apart: a variance of (1/16)^2 / 2, and half of that for their mean.
    assert row.seeds_se == pytest.approx(1 / 32)
    assert row.over_error == pytest.approx(row.difference / np.hypot(row.se, row.seeds_se))


def test_models_that_never_differ_have_no_difference_and_no_error(found):
    (row,) = found.differences("good").loc[["same"]].itertuples()
    assert (row.difference, row.se) == (0, 0)
    assert np.isnan([row.seeds_se, row.over_error]).all()


def test_pairing_sees_what_the_errors_of_the_two_hide():
    """Sessions differ far more than the models do, and one model is better in all but one."""
    hard = make([[0, 1], [2, 3], [0, 1], [4, 5]])
    worse, better = model(1, 5, 5), model(1, 4, 5)
    found = compare({"worse": worse, "better": better}, hard)
    row = found.differences("worse").loc["better"]
    assert row["difference"] == pytest.approx((1 / 4 - 1 / 5) / 4)
    assert row["se"] == pytest.approx(np.std([0, 0.05, 0, 0], ddof=1) / 2)
    assert 10 * row["se"] < np.hypot(*found.frame()["mrr@20_se"])


def test_clicks_of_one_session_count_as_one_draw():
    once, twice = make([[0, 1], [2, 3], [4, 5]]), make([[0, 1], [2, 3], [4, 5]] * 2)
    models = {"a": model(1, 2, 5), "b": model(2, 2, 2)}
    few, many = (compare(models, each).differences("a")["se"]["b"] for each in (once, twice))
    # Twice the sessions: the variance goes down by 2, and by (n - 1) / n.
    assert many == pytest.approx(few * (2 / 5 * 6 / 3 / 2) ** 0.5)


def test_another_metric_can_be_asked_for(found):
    assert found.differences("poor", "recall@1")["difference"].tolist() == [0.625, 0.625]


@pytest.fixture(scope="module")
def shop():
    train_set, test_set = load_sessions("world:shop", n_sessions=300).split_last(fraction=0.3)
    models = {name: baseline.fit(train_set) for name, baseline in BASELINES.items()}
    config = Config(layers=(8,), n_sample=16, batch_size=16, n_epochs=1, device="cpu")
    models["GRU4Rec"] = [
        fit(config.with_changes(seed=seed), train_set, progress=False) for seed in (0, 1)
    ]
    return models, test_set


def test_every_baseline_and_a_trained_model_are_compared_as_evaluate_sees_them(shop):
    models, test_set = shop
    found = compare(models, test_set)
    frame = found.frame()
    for name in BASELINES:
        alone = evaluate(models[name], test_set)
        assert frame["mrr@20"][name] == pytest.approx(alone.mrr[20])
        assert frame["recall@1_se"][name] == pytest.approx(alone.standard_error("recall", 1))
    assert frame["n_models"]["GRU4Rec"] == 2
    assert len({tuple(each.target) for group in found.evaluations.values() for each in group}) == 1
    lines = repr(found).splitlines()
    assert len(lines) == 6
    assert lines[0].startswith(f"popularity: recall@20 {frame['recall@20']['popularity']:.3f} ± ")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({}, "there are no models; name some"),
        ({"a": model(1, 1, 1), "b": []}, "'b' is no model that can be evaluated: an empty list"),
        ({"Markov": Markov}, "'Markov' is no model that can be .*Markov'>; train or fit it first"),
        ({"a": model(1, 1, 1), "b": Fixed(torch.eye(4))}, r"'b' and 'a' know different items \(4 "),
    ],
)
def test_what_cannot_be_compared_is_refused(models, message):
    with pytest.raises(ValueError, match=message):
        compare(models, SESSIONS)


def test_unknown_names_are_refused_with_the_known_ones(found):
    with pytest.raises(ValueError, match="no method 'best' here; choose one of good, poor, same"):
        found.differences("best")
    with pytest.raises(ValueError, match="no metric 'ndcg@5' here; choose one of recall@20"):
        found.differences("good", "ndcg@5")
