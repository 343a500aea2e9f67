"""The panel that clicks and recommends, driven from code."""

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, Recommender, diagnostics, network_of
from gru4rec_lab.widgets import VisitExplorer

NAMES = {101: "Red boots", 102: "<b>Socks</b>"}
CONFIG = Config(layers=(4,), device="cpu")


def recommender(ids, seed=0):
    network = network_of(CONFIG, len(ids), torch.Generator().manual_seed(seed))
    return Recommender(network, np.array(ids), CONFIG)


@pytest.fixture
def model():
    return recommender(list(range(101, 116)))


@pytest.fixture
def panel_of():
    """A function that makes a panel, which is closed after the test."""
    panels = []

    def make(*args, **settings):
        panels.append(VisitExplorer(*args, **settings))
        return panels[-1]

    yield make
    for panel in panels:
        panel.close()


@pytest.fixture
def panel(panel_of, model):
    return panel_of({"one": model, "other": recommender([101, 103, 999], seed=1)}, NAMES)


def answer(model, clicks, **how):
    visit = model.session()
    for item in clicks:
        visit.click(item)
    return visit.top(10, **how)


def shown(panel):
    return [each.description for each in panel.best if each.layout.display != "none"]


def test_each_click_changes_the_ten_recommendations(panel, model):
    assert panel.found == answer(model, [])
    assert panel.movers == [None] * 10
    for text, clicks in (("103", [103]), ("Red boots", [103, 101]), (" 103 ", [103, 101, 103])):
        panel.item.value = text
        assert panel.clicks == clicks
        assert panel.found == answer(model, clicks)
        assert panel.item.value == ""
    assert not panel.error
    assert "session: 103 &gt; Red boots &gt; 103" in panel.session.value


def test_the_same_item_can_be_typed_twice(panel):
    panel.item.value = "103"
    panel.item.value = "103"
    assert panel.clicks == [103, 103]


def test_a_recommendation_is_clicked_by_its_button(panel):
    wanted = panel.found[3].item
    panel.best[3].click()
    assert panel.clicks == [wanted]


def test_why_is_the_click_without_which_the_score_changes_most(panel, model):
    for item in (103, 101, 110):
        panel.click(item)
    items = [each.item for each in panel.found]
    effects = diagnostics.click_effects(model, [103, 101, 110], items).numpy()
    for column, (item, by) in enumerate(panel.movers):
        row = [103, 101, 110].index(item)
        assert abs(effects[row, column]) == abs(effects[:, column]).max()
        assert by == pytest.approx(effects[row, column])
    item, by = panel.movers[0]
    assert f"{NAMES.get(item, item)} ({by:+.2f})" in panel._why[0].value


def test_an_unknown_item_is_told_below_the_box_and_changes_nothing(panel):
    panel.item.value = "103"
    before = panel.found
    panel.item.value = "Red boot"
    assert "does not know the item 'Red boot'; did you mean 'Red boots'?" in panel.field.note.value
    assert (panel.clicks, panel.found, panel.item.value) == ([103], before, "Red boot")
    assert not panel.error
    panel.exclude_seen.value = True
    assert panel.field.note.value == ""
    panel.item.value = "104"
    with pytest.raises(ValueError, match="does not know the item 7"):
        panel.click(7)
    assert panel.clicks == [103, 104]


def test_undo_and_clear_take_clicks_back(panel, model):
    for item in (103, 101, 110):
        panel.click(item)
    panel.buttons["undo"].click()
    assert (panel.clicks, panel.found) == ([103, 101], answer(model, [103, 101]))
    panel.buttons["clear"].click()
    panel.buttons["undo"].click()
    assert (panel.clicks, panel.found) == ([], answer(model, []))


def test_items_seen_are_left_out_on_demand(panel, model):
    panel.click(panel.found[0].item)
    seen = panel.clicks[0]
    panel.exclude_seen.value = True
    assert panel.found == answer(model, [seen], exclude_seen=True)
    assert seen not in [each.item for each in panel.found]


def test_another_model_answers_for_the_same_session(panel):
    for item in (103, 110):
        panel.click(item)
    panel.model.value = "other"
    assert "unknown to this model, and left out: 110" in panel.session.value
    assert {each.item for each in panel.found} == {101, 103, 999}
    assert len(shown(panel)) == 3
    assert panel.item.options == ("Red boots", "103", "999")
    panel.model.value = "one"
    assert len(shown(panel)) == 10
    assert panel.clicks == [103, 110]


def test_names_are_text_and_no_html(panel):
    panel.item.value = "<b>Socks</b>"
    assert "session: &lt;b&gt;Socks&lt;/b&gt;" in panel.session.value


def test_one_model_needs_no_name(panel_of, model):
    panel = panel_of(model, clicks=[103])
    assert panel.found == answer(model, [103])
    assert panel.model.options == ("model",)


def test_a_panel_begins_with_the_clicks_it_is_given_and_refuses_strangers(panel_of, model):
    assert panel_of({"one": model}, clicks=[103, 104]).clicks == [103, 104]
    with pytest.raises(ValueError, match="but it knows 103"):
        VisitExplorer({"one": model}, clicks=["103"])
    with pytest.raises(ValueError, match="no model to ask"):
        VisitExplorer({})
