"""Where samples fall, whether one matters, what is recommended: small numbers by hand."""

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, evaluate, fit, load_sessions
from gru4rec_lab.diagnostics import (
    TrainedScores,
    popular_share,
    popularity,
    recommended,
    relevant_drawn,
    relevant_shares,
    sample_shares,
    share_by_popularity,
)

SUPPORT = np.array([1, 9, 0, 4])


@pytest.mark.parametrize(
    ("alpha", "wanted"),
    [
        (0, [1 / 3, 1 / 3, 0, 1 / 3]),
        (0.5, [1 / 6, 3 / 6, 0, 2 / 6]),
        (1, [1 / 14, 9 / 14, 0, 4 / 14]),
    ],
)
def test_samples_fall_on_items_by_their_clicks_to_the_power_alpha(alpha, wanted):
    np.testing.assert_allclose(sample_shares(SUPPORT, alpha), wanted)
    np.testing.assert_allclose(sample_shares(torch.from_numpy(SUPPORT), alpha), wanted)


def test_shares_add_up_from_the_most_popular_item_on():
    counts = np.array([10, 20, 30, 40])
    np.testing.assert_allclose(share_by_popularity(counts, SUPPORT), [0.2, 0.6, 0.7, 1.0])
    assert popular_share(counts, SUPPORT, 2) == pytest.approx(0.6)
    assert popular_share(counts, SUPPORT) == 1, "more than there are: all of them"


def test_of_items_with_equal_clicks_the_first_counts_as_more_popular():
    np.testing.assert_allclose(
        share_by_popularity(np.array([1, 2, 1]), np.array([5, 5, 5])), [0.25, 0.75, 1]
    )


@pytest.fixture
def three_targets(monkeypatch):
    """Above the targets: nothing; items of 0 and of 4 clicks; items of 9 and of 4 clicks."""
    monkeypatch.setattr(popularity, "trained_support", lambda model: torch.from_numpy(SUPPORT))
    rows = [[9.0, 0.0, -1.0, 3.0], [2.0, 1.5, 8.0, 5.0], [2.0, 4.0, 0.5, 3.0]]
    return TrainedScores(torch.tensor(rows), torch.tensor([[0, 1], [0, 2], [0, 3]]))


def test_a_sample_is_relevant_as_often_as_items_above_the_target_are_drawn(three_targets):
    # Of the second target the item above it that nobody clicked is never drawn.
    np.testing.assert_allclose(relevant_shares(three_targets, 1), [0, 4 / 14, 13 / 14])
    np.testing.assert_allclose(relevant_shares(three_targets, 0), [0, 1 / 3, 2 / 3])


@pytest.mark.parametrize("alpha", [0, 0.5, 1])
def test_drawing_finds_a_relevant_sample_as_often_as_the_formula_says(three_targets, alpha):
    share = relevant_shares(three_targets, alpha)
    drawn = relevant_drawn(three_targets, 3, alpha, n_draws=4000)
    np.testing.assert_allclose(drawn, 1 - (1 - share) ** 3, rtol=0, atol=0.03)
    assert drawn[0] == 0
    assert not np.array_equal(drawn, relevant_drawn(three_targets, 3, alpha, n_draws=4000, seed=1))


@pytest.fixture(scope="module")
def shop():
    sessions = load_sessions("world:cycle", n_sessions=30, n_items=12, seed=1)
    config = Config(layers=(4,), n_epochs=1, batch_size=8, device="cpu")
    return sessions, fit(config, sessions, progress=False)


def by_visits(model, sessions, k):
    """The same counts, one session after the other."""
    counts = np.zeros(len(model.item_ids), dtype=int)
    for first, end in zip(sessions.offsets, sessions.offsets[1:], strict=False):
        visit = model.session()
        for item in sessions.items[first : end - 1]:
            visit.click(sessions.item_ids[item])
            counts[[model.index(best.item) for best in visit.top(k)]] += 1
    return counts


@pytest.mark.parametrize("k", [1, 3, 99])
def test_recommended_items_are_those_of_visits_that_click_the_same(shop, k):
    sessions, model = shop
    counts = recommended(model, sessions, k, batch_size=7)
    np.testing.assert_array_equal(counts, by_visits(model, sessions, k))
    assert counts.sum() == evaluate(model, sessions).n_targets * min(k, 12)


def test_fewer_than_one_recommendation_and_unknown_items_are_refused(shop):
    sessions, model = shop
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        recommended(model, sessions, 0)
    strangers = load_sessions("flights").most_recent(0.001)
    with pytest.raises(ValueError, match="there are no sessions"):
        recommended(model, strangers)
