"""The panel of nearest neighbours, driven from code."""

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import Config, Recommender
from gru4rec_lab.recommender import network_of
from gru4rec_lab.widgets import NeighbourFinder

FACTS = pd.DataFrame({"airport": ["JFK", "JFK", "<EWR>"]}, index=["a", "b", "c"])


def recommender(*ids):
    config = Config(layers=(2,))
    model = Recommender(network_of(config, 3), np.array(ids), config)
    with torch.no_grad():
        model.network.items.copy_(torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]]))
    return model


@pytest.fixture
def finder_of():
    """A function that makes a panel, which is closed after the test."""
    panels = []

    def make(*args, **settings):
        panels.append(NeighbourFinder(*args, **settings))
        return panels[-1]

    yield make
    for panel in panels:
        panel.close()


@pytest.fixture
def finder(finder_of):
    return finder_of({"one": recommender("a", "b", "c")}, FACTS, item="a")


def test_finder_shows_neighbours_and_marks_what_they_share(finder):
    finder.k.value = 1
    assert finder.found.index.tolist() == ["b"]
    assert finder.found.airport.tolist() == ["JFK"]
    assert "<b>JFK</b>" in finder.words.value
    finder.item.value = "c"
    assert "&lt;EWR&gt;" in finder.words.value


def test_finder_says_what_is_wrong_and_goes_on(finder):
    finder.item.value = "z"
    assert "does not know the item 'z'" in finder.error
    finder.item.value = "b"
    assert not finder.error


def test_finder_offers_no_more_neighbours_than_any_model_has(finder_of):
    panel = finder_of({"one": recommender("a", "b", "c")})
    assert (panel.k.value, panel.k.max) == (2, 2)


@pytest.mark.parametrize("constrained", [True, False])
def test_finder_says_why_the_table_changes_nothing(finder_of, constrained):
    config = Config(
        layers=(2,), constrained_embedding=constrained, embedding=0 if constrained else 2
    )
    panel = finder_of({"one": Recommender(network_of(config, 3), np.array([*"abc"]), config)})
    assert ("both tables are one" in panel.words.value) == constrained


def test_a_bar_is_as_high_as_its_cosine_and_bears_its_name(finder, tmp_path):
    place, height = finder.picture.line("cosine")
    assert place[::3].tolist() == [1, 2]
    np.testing.assert_allclose(height[::3], finder.found.cosine, rtol=1e-6)
    assert (height[1::3] == 0).all()
    words = finder.picture.words
    assert words["texts"]["names"] == ["b", "c"]
    assert words["about"].startswith(
        "Cosines of the items nearest to a by the output table, one: b 1"
    )
    assert finder.save_picture(tmp_path / "near.svg").stat().st_size > 5000


@pytest.mark.parametrize("item", [None, 0, 214536502, "214536502", " 214536500 "])
def test_items_may_be_numbers(finder_of, item):
    panel = finder_of({"one": recommender(0, 214536500, 214536502)}, item=item)
    assert panel.item.value == str(item or 0)
    assert panel.found.index.dtype == int
    panel.item.value = "214536502"
    assert not panel.error
    assert set(panel.found.index) == {0, 214536500}
    panel.item.value = "7"
    assert "does not know the item '7'" in panel.error


@pytest.mark.parametrize("name", ["class", "first seen", "cosine", "item", "_x", "index", 3])
def test_facts_may_have_any_name(finder_of, name):
    facts = pd.DataFrame({name: [4, 4, 5], "own": [1, 2, 1]}, index=[10, 20, 30])
    panel = finder_of({"one": recommender(10, 20, 30)}, facts, item=10)
    assert panel.found.index.tolist() == [20, 30]
    assert panel.found.cosine.round(2).tolist() == [1.0, 0.0]
    assert panel.found.iloc[:, 1].tolist() == [4, 5]
    assert f">{name}</th>" in panel.words.value
    assert panel.words.value.count("<b>4</b>") == 1
    assert panel.words.value.count("<b>1</b>") == 1


def test_missing_facts_are_empty_and_leave_the_others_as_they_are(finder_of):
    facts = pd.DataFrame(
        {"n": pd.array([4, None], dtype="Int64"), "text": ["x", None]}, index=[*"ab"]
    )
    panel = finder_of({"one": recommender("a", "b", "c")}, facts)
    assert not panel.error
    assert "nan" not in panel.words.value.lower()
    assert "<NA>" not in panel.words.value


def test_facts_of_other_items_or_with_two_rows_for_one_are_refused():
    models = {"one": recommender("a", "b", "c")}
    with pytest.raises(ValueError, match="several rows for item 'a'"):
        NeighbourFinder(models, FACTS.loc[["a", "a", "b"]])
    with pytest.raises(ValueError, match="must hold ids such as 'a'"):
        NeighbourFinder(models, FACTS.set_axis([1, 2, 3]))
