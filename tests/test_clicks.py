"""The click that moved a recommendation, against reading each shorter session by itself."""

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, Recommender, diagnostics, network_of


@pytest.fixture(scope="module")
def model():
    config = Config(layers=(5, 4), device="cpu")
    network = network_of(config, 7, torch.Generator().manual_seed(3))
    return Recommender(network, np.array([*"abcdefg"]), config)


def scores(model, clicks, items):
    visit = model.session()
    for item in clicks:
        visit.click(item)
    found = {each.item: each.score for each in visit.top(7)}
    return [found[item] for item in items]


@pytest.mark.parametrize("clicks", ["a", "abc", "aabca", "gfedcba"])
def test_an_effect_is_what_the_score_falls_by_without_that_click(model, clicks):
    got = diagnostics.click_effects(model, clicks, "bdg")
    whole = np.array(scores(model, clicks, "bdg"))
    less = [scores(model, clicks[:n] + clicks[n + 1 :], "bdg") for n in range(len(clicks))]
    np.testing.assert_allclose(got, whole - np.array(less), atol=1e-6)


def test_without_clicks_there_are_no_effects(model):
    assert diagnostics.click_effects(model, [], "ab").shape == (0, 2)


def test_an_unknown_item_is_named(model):
    for clicks, items in (("az", "b"), ("a", "bz")):
        with pytest.raises(ValueError, match="the model does not know the item 'z'"):
            diagnostics.click_effects(model, clicks, items)
