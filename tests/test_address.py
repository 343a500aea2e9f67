import pytest

from gru4rec_lab.widgets import LossExplorer
from gru4rec_lab.widgets.loss_explorer.address import address
from gru4rec_lab.widgets.loss_explorer.controls import ExplorerControls
from gru4rec_lab.widgets.loss_explorer.settings import CONTROLS
from gru4rec_lab.widgets.loss_explorer.tour_steps import STEPS, tour_numbers
from gru4rec_lab.widgets.tour import seen, unmet


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "source=gaussian"),
        ({"n_sample": 512, "losses": ["bpr", "bpr-max"]},
         "source=gaussian&n_sample=512&losses=bpr,bpr-max"),
        ({"spread": 4.0, "epoch": 0, "number": 3}, "source=gaussian"),
        ({"source": "trained", "spread": 2.0, "epoch": 0.3}, "source=trained&epoch=0.3"),
        ({"source": "trained", "model": "e-shop-bpr-max"}, "source=trained&model=e-shop-bpr-max"),
        ({"model": "e-shop-bpr"}, "source=gaussian"),
        ({"source": "pasted", "pasted": "1 2,3&4"}, "source=pasted&pasted=1+2,3%264"),
        ({"temperature": 3.9999999999999996, "losses": []},
         "source=gaussian&temperature=4&losses="),
    ],
)  # fmt: skip
def test_an_address_says_what_differs_and_is_used(settings, text):
    assert address(settings) == text
    assert address(settings, hide=["spread", "seed"]) == f"{text}&hide=spread,seed"


def test_a_panel_that_was_not_touched_has_the_shortest_address():
    panel = LossExplorer()
    assert address(panel.controls.settings()) == "source=gaussian"
    panel.close()


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="unknown setting 'sprad'; choose one of source, n_sample"):
        address({"sprad": 1})


def test_every_control_is_as_its_settings_say():
    elements = ExplorerControls(lambda change: None).elements
    assert elements.keys() == CONTROLS.keys()
    for name, control in CONTROLS.items():
        assert elements[name].value == control["value"]
        assert elements[name].description == control["label"]


def test_every_step_of_the_tour_waits_for_its_control_and_says_numbers():
    ends = {"n_sample": 4096, "spread": 0.3, "target_score": -1.0, "pane": "pushes"}
    panel = LossExplorer()
    usual = {name: control["value"] for name, control in CONTROLS.items()}
    for step in STEPS:
        panel.controls.apply(usual | step["start"])
        before = tour_numbers(panel.numbers, panel.curves)
        assert unmet(step, panel.controls.settings())
        panel.controls.apply({step["control"]: (ends | {"source": "trained"})[step["control"]]})
        assert unmet(step, panel.controls.settings()) is None
        told = seen(step, before, tour_numbers(panel.numbers, panel.curves))
        assert "{" not in told
        assert any(letter.isdigit() for letter in told)
        assert len(step["choices"]) == 3
    panel.close()
    assert len(STEPS) == 5
