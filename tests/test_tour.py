"""The guided tours: what a step waits for and says; the whole tour of the lab, headless."""

import re
import threading

import pytest

from gru4rec_lab.widgets.tour import Tour, seen, unmet
from gru4rec_lab.widgets.training_lab.tour_steps import STEPS

from .labs import until

pytestmark = pytest.mark.usefixtures("no_thread_or_panel_is_left")
STEP = {
    "start": {"n": 0},
    "predict": "More <n>?",
    "choices": ["yes", "no"],
    "control": "n",
    "until": [["n", ">=", 2], ["name", "==", "b"]],
    "seen": "From {before.a.b-c} to {a.b-c}. {share%} of {n} in {name}. Fine.",
}


@pytest.fixture
def lab(training_lab):
    return training_lab


def text(lab):
    return re.sub("<[^>]*>", "", lab.tour.told.value)


def pointed(lab):
    known = lab._elements.settings.elements | lab.buttons
    return [name for name, element in known.items() if "g4r-pointed" in element._dom_classes]


def walk(lab, step):
    """Take the lab's tour to this step, done."""
    lab.tour.next.click()
    lab.start()
    until(lambda: lab.tour.done)
    for number, (name, value) in enumerate(
        [("n_sample", 512), ("loss", "bpr-max"), ("sample_alpha", 1.0)][: step - 1], 2
    ):
        lab.tour.next.click()
        assert (lab.tour.step, lab.tour.done) == (number, False)
        getattr(lab, name).value = value
        lab.pause()
        until(lambda: lab.tour.done)


def test_a_step_waits_for_one_setting_after_the_other():
    assert unmet(STEP, {"n": 1, "name": "a"}) == ("n", 2)
    assert unmet(STEP, {"n": 2, "name": "a"}) == ("name", "b")
    assert unmet(STEP, {"n": 3, "name": "b"}) is None


def test_numbers_are_filled_in_and_sentences_without_theirs_left_out():
    numbers = {"a": {"b-c": 0.12345}, "share": 0.256, "n": 1234, "name": "x"}
    whole = "From 2 to 0.123. 26% of 1,234 in x. Fine."
    assert seen(STEP, {"a": {"b-c": 2}}, numbers) == whole
    assert seen(STEP, {}, numbers) == "26% of 1,234 in x. Fine."
    assert seen(STEP, {}, {}) == "Fine."


def test_words_and_control_are_told_only_when_they_change():
    settings, points = {"n": 0, "name": "b"}, []
    how = {"guarded": lambda act: act, "lock": threading.RLock()}
    tour = Tour(
        [STEP], begin=settings.update, read=lambda: (settings, {}), point=points.append, **how
    )
    told = []
    tour.told.observe(lambda change: told.append(change["new"]), "value")
    tour.follow()
    assert (tour.step, told, points) == (0, [], [])
    tour.next.click()
    for _ in range(5):
        tour.follow()
    assert (len(told), points) == (1, ["n"])
    assert "More &lt;n&gt;?" in tour.told.value
    settings["n"] = 2
    for _ in range(5):
        tour.follow()
    assert (tour.done, len(told), points) == (True, 2, ["n", ""])
    assert 'aria-live="polite"' in tour.told.value
    tour.close()


def test_the_whole_tour_says_what_the_run_observed(lab):
    walk(lab, 1)
    until(lambda: lab.state == "paused")
    seen = {each.step: each.value for each in lab.run.history.observations}
    step = int(re.search(r"At step ([\d,]+)", text(lab))[1].replace(",", ""))
    assert step >= 200
    assert (
        f"Recall@1 is {round(seen[step].recall_1, 3):.3g}, MRR@20 {round(seen[step].mrr_20, 3):.3g}"
        in text(lab)
    )
    lab.reset()
    lab.tour.go(1)
    lab.tour.leave.click()
    walk(lab, 4)
    lab.tour.next.click()
    assert (lab.loss.value, lab.n_sample.value, lab.sample_alpha.value) == ("bpr-max", 512, 0.5)
    assert pointed(lab) == ["pin"]
    lab.pin()
    assert pointed(lab) == ["reset"]
    lab.reset()
    assert pointed(lab) == ["start"]
    lab.start()
    until(lambda: lab.tour.done)
    assert "began with bpr-max" in text(lab)
    assert "The pinned one began with bpr and had" in text(lab)
    lab.tour.next.click()
    assert (lab.tour.step, lab.tour.next.description) == (0, "Guided tour: predict, then drag")
    assert lab.error == ""


def test_a_change_counts_only_once_it_was_trained_and_observed(lab):
    walk(lab, 1)
    lab.tour.next.click()
    lab.n_sample.value = 8
    lab.n_sample.value = 512
    assert not lab.tour.done
    assert text(lab).endswith("Press Resume.")
    assert pointed(lab) == ["pause"]
    lab.pause()
    until(lambda: lab.tour.done)
    before, now = (
        int(each.replace(",", ""))
        for each in re.search(r"From step ([\d,]+) to ([\d,]+)", text(lab)).groups()
    )
    (first, *_) = lab.run.history.changes
    assert before < first.step
    assert now >= lab.run.history.changes[-1].step + 99


def test_the_tour_says_what_to_press_in_every_state(lab):
    lab.tour.next.click()
    assert text(lab).endswith("Press Start.")
    assert pointed(lab) == ["start"]
    lab.tour.next.click()
    assert (lab.tour.step, pointed(lab)) == (2, ["start"])
    lab.start()
    until(lambda: pointed(lab) == ["n_sample"])
    lab.pause()
    assert text(lab).endswith("The run is held meanwhile; then press Resume.")
    lab.stop()
    assert text(lab).endswith("This run has ended. Press Start.")
    lab.reset()
    assert pointed(lab) == ["start"]
    lab.tour.leave.click()
    assert (pointed(lab), lab.tour.told.layout.display) == ([], "none")
    assert lab.tour.next.description == "Go on with the tour (step 2)"
    lab.tour.next.click()
    assert lab.tour.step == 2


def test_the_tour_goes_on_through_a_replay_and_a_failed_run(lab):
    walk(lab, 2)
    said = lab.tour.told.value
    lab.replay()
    until(lambda: lab.run.history.changes)
    lab.update()
    assert lab.tour.told.value == said
    lab.tour.go(2)
    lab.learning_rate.value = 1e30
    lab.n_sample.value = 512
    (lab.pause if lab.state == "paused" else lab.start)()
    until(lambda: lab.state.startswith("failed"))
    lab.update()
    assert pointed(lab) == ["start"]
    lab.learning_rate.value = 0.1
    lab.start()
    until(lambda: lab.tour.done)
    assert lab.error == ""


def test_a_step_holds_a_running_training_and_leaving_changes_nothing(lab):
    lab.start()
    until(lambda: lab.run.history.observations)
    lab.tour.go(3)
    assert lab.state == "paused"
    steps = lab.run.steps
    lab.tour.go(0)
    assert lab.state == "paused"
    lab.pause()
    until(lambda: lab.run.steps > steps + 20)
    assert lab.run.history.settings.n_sample == 512


def test_a_control_in_a_fold_is_shown_when_it_is_pointed_at(lab):
    more = lab._elements.folds[0]
    assert not more.header.value
    lab._elements.point("momentum")
    assert more.header.value
    assert pointed(lab) == ["momentum"]
    lab._elements.point("")
    assert pointed(lab) == []


def test_every_step_asks_waits_and_says_numbers():
    assert len(STEPS) == 5
    for step in STEPS:
        assert len(step["choices"]) == 3
        assert step["until"]
        assert "{" in step["seen"]
