import time

import pytest

from gru4rec_lab import LOSSES
from gru4rec_lab.training.controls import ControlChanged
from gru4rec_lab.training.events import Finished, Started
from gru4rec_lab.widgets import LossExplorer, TrainingLab, live_panels
from gru4rec_lab.widgets.training_lab import lab as training_lab

from .labs import TINY, finished, until

pytestmark = pytest.mark.usefixtures("no_thread_or_panel_is_left")


@pytest.fixture
def explorer():
    return LossExplorer()


@pytest.fixture
def lab(training_lab):
    return training_lab


def change(panel, name, value):
    control = getattr(panel, name)
    control.value = value
    return panel.picture.value


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_sample", 512), ("spread", 2.0), ("target_score", 3.0), ("scale", "relative")],
)
def test_every_control_of_the_explorer_changes_the_picture(explorer, name, value):
    before = explorer.picture.value
    assert change(explorer, name, value) != before
    assert explorer.error == ""


@pytest.mark.parametrize("loss", LOSSES)
def test_unticking_a_loss_takes_it_out_of_picture_and_words(explorer, loss):
    before = explorer.picture.value
    explorer.losses[loss].value = False
    assert explorer.picture.value != before
    assert loss not in explorer.numbers["gradient"]
    assert loss not in explorer.curves.curves


def test_no_loss_at_all_is_a_picture_too(explorer):
    for box in explorer.losses.values():
        box.value = False
    assert explorer.error == ""
    assert "none shown" in explorer.words.value


def test_dragging_sends_few_numbers_and_nothing_that_stands_still(explorer):
    described = explorer.picture.picture
    for value in (64, 512, 2048, 32_768):
        explorer.n_sample.value = value
        assert sum(map(len, explorer.picture.numbers.values())) < 12_000
    assert explorer.picture.picture is described


def test_browser_messages_take_the_same_path(explorer):
    before = explorer.picture.value
    explorer.n_sample.set_state({"index": 9})
    explorer.spread.set_state({"value": 1.5})
    assert explorer.n_sample.value == 2048
    assert explorer.numbers["negatives"] == 31 + 2048
    assert explorer.picture.value != before


def test_explorer_shows_what_the_workbench_is_about(explorer):
    explorer.n_sample.value = 2048
    curves = explorer.curves.curves
    assert curves["bpr"][0] < 0.005 < 0.05 < curves["bpr-max"][0]
    explorer.spread.value = 0.2
    assert explorer.numbers["effective"] > 2000


def test_an_exception_in_a_callback_lands_in_the_error_box_and_leaves_again(explorer, monkeypatch):
    def fails(*_, **__):
        raise ZeroDivisionError("a <b>bad</b> day")

    with monkeypatch.context() as broken:
        broken.setattr("gru4rec_lab.widgets.loss_explorer.scores.gaussian_scores", fails)
        explorer.spread.value = 2.0
    assert explorer.error == "ZeroDivisionError: a <b>bad</b> day"
    assert "<b>bad" not in explorer.error_box.value
    explorer.spread.value = 3.0
    assert explorer.error == ""


@pytest.mark.parametrize("css", ["picture", "error", "n-sample", "loss", "loss-bpr", "words"])
def test_elements_of_the_explorer_have_css_classes(explorer, css):
    assert f"g4r-{css}" in classes(explorer)


def classes(widget):
    own = set(getattr(widget, "_dom_classes", ()))
    return own.union(*(classes(child) for child in getattr(widget, "children", ())))


def test_a_panel_with_the_same_key_closes_the_old_one(explorer):
    again = LossExplorer()
    assert explorer.comm is None
    assert explorer.picture.comm is None
    assert live_panels() == {"LossExplorer": again}
    assert set(live_panels()) | {LossExplorer(key="second").key} == {"LossExplorer", "second"}


def test_a_new_lab_ends_the_run_of_the_old_one(lab, stops):
    lab.start()
    until(lambda: lab.run.steps > 3)
    TrainingLab(stops, TINY)
    assert lab.state == "stopped"
    assert lab.comm is None


def test_the_kernels_load_while_a_learner_looks_at_the_panel(stops, monkeypatch):
    asked = []
    monkeypatch.setattr(training_lab, "load_ahead", lambda: asked.append("kernels"))
    TrainingLab(stops, TINY)
    assert asked == ["kernels"]


def test_lab_starts_idle_with_every_element(lab):
    assert lab.state == "idle"
    names = "picture error state start pause step stop reset n-sample alpha loss changes status"
    assert {f"g4r-{name}" for name in names.split()} <= classes(lab)
    assert lab.history == []
    assert lab.model is None


def test_controls_change_the_running_model_and_leave_marks(lab):
    empty = lab.picture.value
    lab.start()
    until(lambda: lab.run.steps > 20)
    lab.loss.value = "bpr-max"
    lab.n_sample.value = 64
    lab.sample_alpha.value = 0.0
    until(lambda: len(lab.run.history.changes) == 3)
    lab.update()
    assert lab.error == ""
    assert lab.picture.value != empty
    assert lab.controls.settings.n_sample == 64
    changed = {event.name for event in lab.history if isinstance(event, ControlChanged)}
    assert changed == {"loss", "n_sample", "sample_alpha"}
    assert "loss bpr -&gt; bpr-max" in lab.changes.value
    assert "steps/s" in lab.status.value


def test_lab_pauses_steps_resumes_and_stops(lab):
    lab.buttons["start"].click()
    until(lambda: lab.run.steps > 5)
    lab.buttons["pause"].click()
    assert lab.state == "paused"
    assert lab.buttons["pause"].description == "Resume"
    time.sleep(0.1)
    held = lab.run.steps
    lab.buttons["step"].click()
    until(lambda: lab.run.steps == held + 1)
    until(lambda: lab.state == "paused")
    lab.buttons["pause"].click()
    until(lambda: lab.run.steps > held + 5)
    lab.buttons["stop"].click()
    assert lab.state == "stopped"
    assert "stopped" in lab.state_label.value
    assert lab.error == ""


def test_step_starts_an_idle_lab_and_pauses(lab):
    lab.step()
    until(lambda: lab.state == "paused")
    assert lab.run.steps == 1


def test_reset_clears_the_picture_and_a_new_run_takes_the_settings_shown(lab):
    empty = lab.picture.value
    lab.start()
    until(lambda: len(lab.run.history.observations) > 1)
    lab.loss.value = "top1"
    lab.reset()
    assert (lab.state, lab.run.history.observations) == ("idle", [])
    lab.loss.value = "bpr"
    assert lab.picture.value == empty
    lab.loss.value = "top1"
    lab.start()
    until(lambda: lab.model is not None)
    assert lab.model.config.loss == "top1"


def test_a_run_ends_finished_with_evaluated_epochs(short_lab):
    lab = finished(short_lab)
    assert isinstance(lab.history[0], Started)
    assert isinstance(lab.history[-1], Finished)
    assert len(lab.run.history.epochs) == 2
    assert set(lab.run.history.last_observation.gradients.curves) == set(LOSSES)
    assert lab.run.history.epochs[-1].evaluation.recall[20] > 0.5


@pytest.mark.parametrize("name", ["learning_rate", "momentum", "bpreg", "elu_param", "logq"])
def test_a_bad_value_shows_and_the_old_one_stays(lab, name):
    lab.start()
    until(lambda: lab.run.steps > 1)
    old = getattr(lab, name).value
    getattr(lab, name).set_state({"value": -1.0})
    assert name in lab.error
    assert getattr(lab, name).value == old
    assert getattr(lab.controls, name) == old


def test_a_loss_that_is_no_number_fails_with_why_in_the_panel(lab):
    lab.loss.value = "top1"
    lab.learning_rate.value = 1e38
    lab.start()
    until(lambda: lab.state.startswith("failed"))
    until(lambda: lab.error != "")
    assert "not finite" in lab.state
    assert "failed: " in lab.state_label.value
    assert lab.error.startswith("NonFiniteLoss")


def test_data_that_does_not_load_fails_with_why_in_the_panel(stops):
    lab = TrainingLab(stops.take(stops.lengths > 99), TINY)
    lab.start()
    until(lambda: lab.error != "")
    assert lab.state.startswith("failed: ")


def test_gradients_are_those_of_shaped_scores_for_bpr_max(lab):
    lab.step()
    until(lambda: lab.state == "paused")
    lab.update()
    lab.loss.value = "bpr-max"
    lab.start()
    until(lambda: lab.run.history.observations[-1].settings.loss == "bpr-max")
    assert lab.run.history.observations[1].settings.loss == "bpr"
    assert lab.run.history.last_observation.effective > 0


def test_a_report_across_a_change_of_loss_is_not_drawn(lab):
    lab.start()
    until(lambda: lab.run.steps > 7)
    lab.loss.value = "cross-entropy"
    until(lambda: len(lab.run.history.losses.get("cross-entropy", [])) > 1)
    lab.stop()
    (change,) = lab.run.history.changes
    assert lab.run.history.losses["bpr"][-1][0] < change.step
    assert lab.run.history.losses["cross-entropy"][0][0] - TINY.report_every >= change.step - 1


def test_a_panel_whose_making_failed_does_not_block_the_next(stops, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("gru4rec_lab.widgets.training_lab.layout.run_buttons", dict.fromkeys)
        with pytest.raises(TypeError):
            TrainingLab(stops, TINY)
    assert live_panels() == {}
    assert TrainingLab(stops, TINY).state == "idle"
