import threading
import time
import tracemalloc
from dataclasses import asdict, replace

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import LOSSES, Config, load_model
from gru4rec_lab.diagnostics import GradientByRank, SoftmaxWeights
from gru4rec_lab.training.controls import ControlChanged, Settings
from gru4rec_lab.training.events import EpochDone, Observed, Report
from gru4rec_lab.widgets import TrainingLab, live_panels
from gru4rec_lab.widgets.controls import Field
from gru4rec_lab.widgets.training_lab import run as lab_run
from gru4rec_lab.widgets.training_lab.comparison import differences
from gru4rec_lab.widgets.training_lab.settings import PAPER
from gru4rec_lab.widgets.training_lab.text import hint, kept

from .labs import TINY, finished, training_threads, until

pytestmark = pytest.mark.usefixtures("no_thread_or_panel_is_left")


@pytest.fixture
def lab(training_lab):
    return training_lab


@pytest.fixture
def short(short_lab):
    return short_lab


def numbers(lab):
    """What a run's events say, without seconds."""
    said = []
    for event in lab.history:
        if isinstance(event, Report):
            said.append((event.step, event.loss))
        elif isinstance(event, EpochDone):
            said.append((event.step, event.loss, event.evaluation.ranks.tolist()))
        elif isinstance(event, Observed):
            seen = event.value
            said.append((event.step, seen.mrr_20, seen.recall_1, seen.recommended.top))
    return said


def test_a_pinned_run_stays_while_a_new_one_trains(short):
    finished(short).pin()
    label, quality = short.pinned.label, short.pinned.quality
    ended = short.picture.value
    assert label == "bpr, 16 extra negatives, layers 8, seed 0"
    short.reset()
    short.loss.value = "top1"
    alone = short.picture.value
    finished(short)
    assert short.pinned.quality is quality
    assert f"pinned: {label}" in short.compared.value
    assert "now: top1, 16 extra negatives, layers 8, seed 0" in short.compared.value
    assert ended != alone != short.picture.value != ended
    short.unpin()
    assert short.pinned is None
    assert short.compared.value == ""


def test_two_runs_are_compared_at_the_same_step_and_epoch_with_what_differs(short):
    finished(short).pin("first")
    short.next_run.elements["seed"].value = 7
    short.next_run.elements["n_epochs"].value = 1
    finished(short)
    epoch, step = short.run.history.epochs[-1], short.run.history.observations[-1].step
    assert epoch.epoch == 1
    rows = short.compared.value.split("<tr>")
    first, second = (row for row in rows if "pinned: first" in row or "now: bpr" in row)
    for metric in (
        epoch.evaluation.recall[1],
        epoch.evaluation.recall[20],
        epoch.evaluation.mrr[20],
    ):
        assert f">{metric:.3f}</td>" in second
    for name in ("recall_1", "recall_20", "mrr_20"):
        curves = short.pinned.quality[name]
        at_step = [share for seen, share in curves.observed if seen <= step][-1]
        assert f">{curves.ends[0][1]:.3f}</td>" in first
        assert f">{at_step:.3f}</td>" in first
    assert f">{curves.ends[1][1]:.3f}</td>" not in first
    assert [
        name
        for name in ("seed", "n_epochs", "loss", "layers")
        if f">{name}</th>" in rows[-2] + rows[-1]
    ] == ["seed", "n_epochs"]


def test_changes_on_the_way_count_as_differing_settings(short):
    finished(short).pin("first")
    pinned = short.pinned
    changed = replace(pinned, changes=[ControlChanged(350, "loss", "bpr", "bpr-max")])
    assert differences(pinned, pinned) == []
    assert differences(pinned, changed) == [("loss", "bpr", "bpr, bpr-max from step 350 on")]


def test_what_was_changed_is_told_before_the_picture_of_it_is_drawn(lab, monkeypatch):
    told = []
    monkeypatch.setattr(lab.picture, "show", lambda *_shown: told.append(lab.formula.value))
    lab.take({"loss": "top1-max"})
    assert told
    assert all("top1-max" in words for words in told)


def test_unpinning_gives_the_picture_without_the_ghost_back(short):
    before = finished(short).picture.value
    short.buttons["pin"].click()
    assert short.picture.value != before
    short.buttons["unpin"].click()
    assert short.picture.value == before
    assert short.error == ""


def test_nothing_to_pin_or_to_repeat_says_so(lab):
    with pytest.raises(ValueError, match="no run to pin yet"):
        lab.pin()
    with pytest.raises(ValueError, match="no run to repeat yet"):
        lab.replay()
    assert lab.buttons["pin"].disabled
    assert lab.buttons["replay"].disabled


def test_recommendations_change_as_the_model_learns_and_find_the_next_stop(stops):
    lab = TrainingLab(stops, TINY.with_changes(n_epochs=8), observe_every=10, speed_limit=0)
    assert lab.recommendations == []
    finished(lab)
    first, last = (
        lab.run.history.observations[0].value.recommended,
        lab.run.history.last_observation.recommended,
    )
    assert len(lab.recommendations) == 10
    assert first.top != last.top
    assert lab.recommendations == last.top
    assert last.answer in [each.item for each in last.top[:3]]
    assert f"next came <b>{last.answer}</b>" in lab.probe.top.value


def test_the_probe_session_can_be_chosen_and_typed(lab):
    lab.probe.number.value = 3
    lab.start()
    until(lambda: len(lab.run.history.observations) > 1)
    chosen = lab.run.history.last_observation.recommended
    lab.probe.items.value = "stop-01, <nowhere> ,stop-02"
    until(lambda: lab.run.history.last_observation.recommended.answer is None)
    lab.stop()
    typed = lab.run.history.last_observation.recommended
    assert chosen.answer is not None
    assert (typed.clicks, typed.unknown) == (["stop-01", "stop-02"], ["<nowhere>"])
    assert "unknown: &lt;nowhere&gt;" in lab.probe.top.value


def test_a_replayed_run_says_the_same_bit_for_bit(short):
    torch.set_num_threads(1)
    for _ in range(12):
        short.step()
        until(lambda: short.state == "paused")
    short.loss.value = "bpr-max"
    short.n_sample.value = 64
    short.start()
    until(lambda: short.state == "finished")
    short.update()
    first, changes = numbers(short), short.run.history.changes
    short.replay()
    until(lambda: short.state == "finished")
    short.update()
    assert short.run.history.changes == changes != []
    assert numbers(short) == first
    assert (short.loss.value, short.n_sample.value) == ("bpr-max", 64)
    assert short.error == ""


def test_a_model_saved_while_it_trains_can_be_loaded(lab, tmp_path):
    lab.start()
    until(lambda: lab.run.steps > 3)
    lab.files.path.value = str(tmp_path / "my <run>")
    lab.files.buttons["save"].click()
    assert lab.error == ""
    assert "written: " in lab.files.result.value
    assert "my &lt;run&gt;.safetensors" in lab.files.result.value
    held = lab.run.steps
    until(lambda: lab.run.steps > held)
    assert load_model(tmp_path / "my <run>").config == lab.model.config


def test_a_saved_model_recommends_what_the_panel_shows(short, tmp_path):
    finished(short)
    visit = load_model(short.save(tmp_path / "run"), device="cpu").session()
    for item in short.run.history.last_observation.recommended.clicks:
        visit.click(item)
    assert visit.top(10) == short.recommendations


def test_what_cannot_be_saved_says_why(lab, tmp_path):
    lab.files.buttons["save"].click()
    assert lab.error == "ValueError: there is no model to save yet; press Start first"
    lab.files.path.value = " "
    lab.files.buttons["save_picture"].click()
    assert "no file name" in lab.error
    assert lab.files.result.value == ""
    with pytest.raises(ValueError, match="ends in .png or .svg, got 'a.bmp'"):
        lab.save_picture(tmp_path / "a.bmp")


def test_the_picture_is_written_with_its_curves_and_goes_on_as_before(short, tmp_path):
    before = finished(short).picture.value
    short.loss.value = "bpr-max"
    short.files.path.value = str(tmp_path / "curves")
    short.files.buttons["save_picture"].click()
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    svg = short.save_picture(tmp_path / "curves.svg").read_text()
    assert "#009e73" in svg
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert short.picture.value == before


def test_the_history_is_written_as_a_table(short, tmp_path):
    finished(short)
    short.files.path.value = str(tmp_path / "run")
    short.files.buttons["save_numbers"].click()
    assert short.error == ""
    written = pd.read_csv(tmp_path / "run.csv")
    pd.testing.assert_frame_equal(written, short.frame(), check_dtype=False)


def test_a_change_is_in_words_before_the_step_that_it_acts_on(lab):
    lab.start()
    until(lambda: lab.run.steps > 3)
    lab.pause()
    lab.update()
    old = lab.n_sample.value
    lab.n_sample.value = 64
    lab.loss.value = "top1"
    assert f"next step: n_sample {old} -&gt; 64" in lab.changes.value
    assert "next step: loss bpr -&gt; top1" in lab.changes.value
    lab.n_sample.value = old
    assert "n_sample" not in lab.changes.value
    lab.step()
    until(lambda: lab.run.history.changes)
    lab.update()
    assert f"step {lab.run.history.changes[0].step}: loss bpr -&gt; top1" in lab.changes.value
    assert "next step" not in lab.changes.value


def test_the_history_is_a_table(short):
    assert list(short.frame()["loss"]) == []
    table = finished(short).frame()
    assert list(table[table.event == "report"].loss) == [
        event.loss for event in short.history if isinstance(event, Report)
    ]
    ends, observations = table[table.event == "epoch end"], table[table.event == "observation"]
    assert list(ends["mrr@20"]) == [end.evaluation.mrr[20] for end in short.run.history.epochs]
    assert list(observations["recall@20"]) == [
        seen.value.recall_20 for seen in short.run.history.observations
    ]
    assert set(table["loss name"]) == {"bpr"}
    assert table.step.is_monotonic_increasing


def test_settings_of_the_next_run_wait_for_a_new_run(lab):
    lab.start()
    until(lambda: lab.model is not None)
    next_run = lab.next_run.elements
    next_run["layers"].value, next_run["batch_size"].value, next_run["seed"].value = "12, 6", 8, 3
    next_run["dropout_p_hidden"].value = 0.2
    assert lab.model.config.layers == (8,)
    lab.reset()
    lab.start()
    until(lambda: lab.model is not None)
    config = lab.model.config
    assert (config.layers, config.batch_size, config.seed) == ((12, 6), 8, 3)
    assert config.dropout_p_hidden == 0.2
    assert "layers 12-6, seed 3" in lab.label


def test_another_data_set_loads_in_the_next_run(lab):
    lab.next_run.elements["data"].value = "world:shop"
    lab.step()
    until(lambda: lab.state == "paused" and lab.model is not None)
    assert any("boots" in str(item) for item in lab.model.item_ids)


def test_the_menu_offers_the_clicks_of_the_e_shop_once_they_are_here(tmp_path, monkeypatch):
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path))
    lab = TrainingLab()
    assert "e-shop" not in lab.next_run.elements["data"].options
    lab.close()
    with pytest.raises(ValueError, match="'e-shop' is not on this machine; get it: python -m"):
        TrainingLab(settings="data=e-shop", key="not made")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "e-shop clothing 2008.csv").touch()
    lab = TrainingLab(settings="data=e-shop")
    assert lab.next_run.elements["data"].options[:2] == ("flights", "e-shop")
    assert lab.next_run.data == "e-shop"
    lab.close()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("layers", "64; 3", "whole numbers with commas"), ("batch_size", 0, "batch_size must be"),
     ("dropout_p_embed", 1.5, "dropout_p_embed must be"), ("layers", "", "whole numbers")],
)  # fmt: skip
def test_a_bad_setting_of_the_next_run_shows_at_start_and_can_be_put_right(lab, name, value, why):
    good = lab.next_run.elements[name].value
    lab.next_run.elements[name].value = value
    lab.buttons["start"].click()
    assert why in lab.error
    assert lab.state == "idle"
    lab.next_run.elements[name].value = good
    lab.buttons["start"].click()
    until(lambda: lab.run.steps > 0)
    assert lab.error == ""


def test_every_setting_of_the_next_run_says_that_it_needs_a_new_run(lab):
    assert lab.next_run.box.layout.display == "none"
    lab.next_run.header.value = True
    assert lab.next_run.box.layout.display is None
    for element in lab.next_run.elements.values():
        assert "needs a new run" in element.description
        assert element.tooltip


def test_a_speed_limit_changes_nothing_but_the_time(short):
    losses = finished(short).frame()["loss"].dropna().tolist()
    short.speed.value = 500
    # Observations, which tell no loss, come at other steps.
    assert finished(short).frame()["loss"].dropna().tolist() == losses


def test_scores_that_are_not_finite_end_the_run_with_why(lab, monkeypatch):
    monkeypatch.setattr(lab_run, "observe", lambda *_run: None)
    lab.start()
    until(lambda: lab.run.state.startswith("failed"))
    lab.update()
    assert "the model's scores are not finite at step 0 with the bpr loss" in lab.error


def test_stop_does_not_wait_for_a_limit(lab):
    lab.speed.offer(1)
    lab.start()
    until(lambda: lab.run.steps == 1)
    lab.stop(timeout=0.5)
    assert lab.state == "stopped"
    assert lab.run.steps <= 2


def test_pause_holds_before_the_step_that_waits_for_the_limit(lab):
    lab.speed.offer(5)
    lab.start()
    until(lambda: lab.run.steps == 2)
    lab.pause()
    time.sleep(0.6)
    # The step under way when Pause was pressed still counts.
    assert lab.run.steps <= 3
    steps = lab.run.steps
    time.sleep(0.4)
    assert lab.run.steps == steps


def test_the_hint_says_what_the_last_observation_shows(lab):
    assert "Start" in lab.hint.value
    lab.step()
    until(lambda: lab.state == "paused")
    lab.update()
    gradients = lab.run.history.last_observation.gradients
    assert f"<b>{kept(gradients, 'bpr'):.2g}</b> times" in lab.hint.value
    lab.scores_of.value = "reference"
    assert "to this model" in lab.hint.value


@pytest.mark.parametrize(
    ("loss", "n_sample", "at_top", "advice"),
    [
        ("bpr", 0, 0.01, "raise <b>extra negatives</b>"),
        ("bpr", 2048, 0.01, "switch <b>loss</b> to bpr-max"),
        ("bpr-max", 2048, 0.01, "back to bpr"),
        ("bpr-max", 2048, 0.5, "to a trained BPR"),
    ],
)
def test_the_hint_leads_on(loss, n_sample, at_top, advice):
    curves = {"bpr": np.array([at_top, 1.0]), "bpr-max": np.array([0.8, 1.0])}
    gradients = GradientByRank(
        np.array([0.0, 9.0]), np.array([1, 1]), curves, {"bpr": 1.0, "bpr-max": 1.0}
    )
    asked = replace(Settings.of(TINY), loss=loss, n_sample=n_sample)
    assert advice in hint("running", gradients, asked, "model")


def test_the_hint_of_a_run_that_has_ended_leads_to_another(short):
    finished(short)
    assert "<b>Start</b> another" in short.hint.value
    assert "wait" in hint("loading", None, Settings.of(TINY), "model")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("loss=top1 n_sample=-1", "n_sample"),
        ("loss=top1 seed=1 data=nothing", "data cannot be 'nothing'"),
        ("loss=top1 speed=-5", "speed must be a whole number from 0 on"),
    ],
)
def test_a_line_that_cannot_be_taken_changes_nothing(lab, line, why):
    before = lab.settings_string
    lab.restore_box.text.value = line
    assert why in lab.error
    assert lab.settings_string == before
    assert lab.loss.value == "bpr"


def test_settings_from_code_are_taken_all_or_none(lab):
    before = lab.settings_string
    for bad in ({"learning_rate": -1.0}, {"bogus": 1}, {"seed": 2.5}, {"layers": "8; 4"},
                {"layers": "0"}):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(bad))):
            lab.take({"loss": "top1"} | bad)
        assert lab.settings_string == before


def test_unusual_settings_are_restored_too(stops):
    first = TrainingLab(stops, TINY.with_changes(n_sample=300), speed_limit=30)
    line = first.settings_string
    second = TrainingLab.restore(line, stops)
    assert second.settings_string == line
    assert (second.n_sample.value, second.speed.value) == (300, 30)
    assert [value for _, value in second.speed.options][-1] == 0
    second.close()


def test_a_step_that_was_none_comes_as_one_change(lab):
    seen = []
    lab.n_sample.observe(lambda change: seen.append((change["old"], change["new"])), "value")
    lab.take({"n_sample": 300})
    assert seen == [(16, 300)]


@pytest.mark.parametrize("limit", [-5, -1])
def test_a_speed_limit_that_is_none_is_refused(stops, limit):
    with pytest.raises(ValueError, match="speed_limit must be 0"):
        TrainingLab(stops, TINY, speed_limit=limit)


def test_thirty_quick_changes_reach_the_running_model(lab):
    lab.start()
    until(lambda: lab.run.steps > 3)
    for number in range(30):
        lab.n_sample.value = (8, 32, 128)[number % 3]
        lab.sample_alpha.value = number / 30
    until(lambda: lab.run.history.changes and lab.run.history.changes[-1].new == 29 / 30)
    assert lab.controls.settings.n_sample == 128
    assert lab.controls.settings.sample_alpha == 29 / 30
    assert lab.state == "running"
    assert lab.error == ""


def test_stopping_in_an_evaluation_ends_the_run(short, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        go_on.wait(20)

    monkeypatch.setattr("gru4rec_lab.training.loop.evaluate", slow)
    short.start()
    assert begun.wait(20)
    with pytest.raises(TimeoutError, match="stop again later"):
        short.stop(timeout=0.05)
    go_on.set()
    short.stop()
    assert short.state == "stopped"
    assert short.error == ""


def test_making_the_panel_again_while_it_trains_leaves_no_thread(lab, stops):
    lab.start()
    until(lambda: lab.run.steps > 3)
    again = TrainingLab(stops, TINY)
    assert training_threads() == set()
    assert live_panels() == {"TrainingLab": again}


def test_a_failed_run_says_step_loss_and_learning_rate_and_the_panel_starts_again(lab, monkeypatch):
    def not_a_number(parts):
        return parts.target * float("nan"), parts.negatives * float("nan")

    bad = replace(
        LOSSES["bpr"], value_of=lambda parts: not_a_number(parts)[0], gradient_of=not_a_number
    )
    with monkeypatch.context() as broken:
        broken.setattr("gru4rec_lab.training.step.LOSSES", {**LOSSES, "bpr": bad})
        # The compiled step has losses of its own, which cannot be exchanged.
        lab.run.config = lab.run.config.with_changes(step="plain")
        lab.start()
        until(lambda: lab.state.startswith("failed") and lab.error != "")
        for part in ("failed: ", "not finite at step 1 ", "bpr", "learning_rate 0.1"):
            assert part in lab.state
    lab.start()
    until(lambda: lab.state == "running" and lab.run.steps > 20)
    assert lab.error == ""


@pytest.mark.slow
def test_five_hundred_observations_keep_less_than_ten_megabytes(short):
    finished(short).pin()
    last = next(event for event in short.history[::-1] if isinstance(event, Observed))
    seen = last.value
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(500):
            # Weights as long as those of 2048 extra negatives, each observation with its own.
            weights = SoftmaxWeights(*np.full((2, 2111), number / 500))
            short.run._live._events.put(replace(last, value=replace(seen, weights=weights)))
            if number % 25 == 0:
                short.update()
        short.update()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(short.run.history.observations) > 500
    assert after - before < 10e6


def test_the_picture_shows_how_the_effective_negatives_go(short):
    finished(short)
    steps, counts = short.picture.line("that count")
    assert steps.tolist() == [seen.step for seen in short.run.history.observations]
    assert counts.tolist() == pytest.approx(
        [seen.value.effective for seen in short.run.history.observations]
    )
    assert set(short.picture.line("all")[1]) == {31}
    assert all(
        1 <= seen.value.effective <= seen.value.n_negatives == 31
        for seen in short.run.history.observations
    )


def test_the_scores_shown_are_those_the_loss_sees(short):
    short.loss.value, short.elu_param.value = "bpr-max", 0.25
    finished(short)
    scores = short.run.history.last_observation.scores
    assert scores.negatives.sum() == pytest.approx(1)
    # ELU lets no score fall below -elu_param.
    assert scores.negatives[scores.edges[:-1] < -0.5].sum() == 0
    assert scores.targets[scores.edges[:-1] > 0].sum() > 0.3
    weights = short.picture.value
    short.pane.value = "scores"
    assert short.picture.value != weights
    short.pane.value = "weights"
    assert short.picture.value == weights


def pulls_drawn(lab):
    return {name: lab.picture.line(f"pull {name}")[1].tolist() for name in LOSSES}


def test_an_idle_lab_shows_the_losses_on_reference_scores_and_follows_the_negatives(lab):
    before = pulls_drawn(lab), lab.picture.value
    lab.n_sample.value = 2048
    many = pulls_drawn(lab)
    assert many != before[0]
    assert lab.picture.value != before[1]
    assert many["bpr"][0] < 0.1 * many["bpr-max"][0]
    lab.n_sample.value = 16
    assert (pulls_drawn(lab), lab.picture.value) == before


@pytest.fixture
def hinge():
    """A learner's own loss, as a notebook cell adds it."""
    LOSSES.add("hinge", lambda target, negatives: (1 + negatives - target[:, None]).relu().mean(1))
    yield "hinge"
    LOSSES.remove("hinge")


def test_a_learners_own_loss_is_drawn_and_trains_from_the_next_step_on(hinge, stops):
    lab = TrainingLab(stops, TINY, observe_every=10, speed_limit=0)
    assert len(pulls_drawn(lab)[hinge]) > 3
    lab.start()
    until(lambda: lab.run.steps > 3)
    lab.loss.value = hinge
    until(lambda: len(lab.run.history.losses.get(hinge, [])) > 1)
    lab.stop()
    assert lab.run.history.observations[-1].settings.loss == hinge
    assert np.isfinite([loss for _, loss in lab.run.history.losses[hinge]]).all()
    assert hinge in lab.formula.value
    assert lab.error == ""
    # Written again, as when its cell is run twice: drawn as it is now.
    before = pulls_drawn(TrainingLab(stops, TINY))[hinge]
    LOSSES.add(hinge, lambda target, negatives: (2 + negatives - target[:, None]).relu().mean(1))
    assert pulls_drawn(TrainingLab(stops, TINY))[hinge] != before


def test_a_loss_added_since_the_panel_was_made_is_chosen_and_its_curve_drawn(lab, request):
    hinge = request.getfixturevalue("hinge")
    lab.controls.loss = hinge
    lab.update()
    assert lab.loss.value == hinge
    lab.start()
    until(lambda: len(lab.run.history.losses.get(hinge, [])) > 1)
    lab.stop()
    assert lab.picture.line(f"loss {hinge}").shape[1] > 1
    assert len(pulls_drawn(lab)[hinge]) > 1
    assert {f"loss {hinge}", f"pull {hinge}"} <= set(lab.picture.picture["lines"])
    assert lab.error == ""


def test_the_reference_scores_can_be_switched_in_while_a_model_has_its_own(short):
    idle = pulls_drawn(short)
    own = pulls_drawn(finished(short))
    assert own != idle
    short.scores_of.value = "reference"
    assert pulls_drawn(short) == idle
    short.scores_of.value = "model"
    assert pulls_drawn(short) == own
    assert short.error == ""


def test_every_preset_of_the_menu_is_what_the_next_run_takes(lab):
    for preset in PAPER.values():
        lab.paper.value = preset
        assert lab.error == ""
        config = lab.run.config.with_changes(
            **asdict(lab.controls.settings), **lab.next_run.values()
        )
        assert config == Config.preset(preset, report_every=5, device="cpu")


def test_the_menu_holds_every_preset():
    with pytest.raises(ValueError, match=", ".join(PAPER.values())):
        Config.preset("no such")


def test_paper_values_act_at_once_on_a_running_model_all_before_one_step(lab):
    lab.start()
    until(lambda: lab.run.steps > 2)
    lab.paper.value = "retailrocket"
    until(lambda: lab.run.history.changes)
    assert lab.controls.settings == Settings.of(Config.preset("retailrocket"))
    assert len({change.step for change in lab.run.history.changes}) == 1
    assert lab.model.config.layers == (8,)
    lab.stop()
    assert lab.next_run.elements["layers"].value == "224"


def test_a_line_of_text_restores_every_setting(lab, stops):
    lab.loss.value, lab.n_sample.value, lab.learning_rate.value = "top1-max", 64, 0.25
    lab.next_run.elements["layers"].value, lab.next_run.elements["seed"].value = "12, 6", 9
    lab.next_run.elements["embedding"].value = "separate"
    lab.scores_of.value, lab.pane.value = "reference", "scores"
    text = lab.settings_string
    assert lab.restore_box.text.value == text
    again = TrainingLab.restore(text, stops, key="again")
    assert again.settings_string == text
    assert (again.loss.value, again.next_run.values()) == ("top1-max", lab.next_run.values())
    assert (again.pane.value, again.scores_of.value) == ("scores", "reference")
    assert again.restore_box.text.value == text


def test_a_pasted_line_acts_on_the_running_model(lab):
    lab.start()
    until(lambda: lab.run.steps > 2)
    lab.restore_box.text.set_state({"value": "loss=bpr-max n_sample=128 seed=4"})
    assert lab.error == ""
    assert (lab.controls.loss, lab.controls.n_sample) == ("bpr-max", 128)
    assert lab.next_run.elements["seed"].value == 4
    assert lab.restore_box.text.value == lab.settings_string


def test_a_line_that_is_wrong_says_why_and_can_be_put_right(lab):
    for text, why in [
        ("loss=hinge", "unknown loss 'hinge'; choose one of"),
        ("n_sample", "write name=value"),
        ("seeds=3", "unknown setting 'seeds'"),
        ("speed=7.5", "speed must be a whole number from 0 on, got 7.5"),
        ("n_sample=64 learning_rate=-1", "learning_rate must be"),
        ("pane=9", "weights, scores"),
        ("seed=x", "seed must be a whole number of at most 64 bits, got 'x'"),
        ("loss='", "No closing quotation"),
    ]:
        lab.restore_box.text.value = text
        assert why in lab.error
        assert lab.n_sample.value == 16
    lab.restore_box.text.value = "n_sample=64"
    assert (lab.error, lab.n_sample.value) == ("", 64)


def test_two_panels_with_two_keys_train_side_by_side(lab, stops):
    other = TrainingLab(stops, TINY, key="other", speed_limit=0)
    for each in (lab, other):
        each.start()
    until(lambda: min(each.run.steps for each in (lab, other)) > 5)
    lab.loss.value = "top1"
    assert (lab.controls.loss, other.controls.loss) == ("top1", "bpr")
    other.close()
    assert len(training_threads()) == 2
    assert live_panels() == {"TrainingLab": lab}


@pytest.mark.slow
def test_three_hundred_messages_of_wild_dragging_keep_the_panel_and_the_run_alive(lab):
    lab.start()
    until(lambda: lab.run.steps > 3)
    for number in range(100):
        lab.n_sample.set_state({"index": number % 5})
        lab.loss.set_state({"index": number % 5})
        lab.sample_alpha.set_state({"value": number % 20 / 20})
    steps = lab.run.steps
    until(lambda: lab.run.steps > steps + 20)
    assert (lab.state, lab.error) == ("running", "")
    assert lab.controls.loss == lab.loss.value == "cross-entropy"
    lab.update()
    # Observations are kept apart while controls change, so that they do not hold up the training.
    assert len(lab.run.history.observations) < len(lab.run.history.changes)
    lab.stop()
    assert lab.state == "stopped"


def test_a_hopeless_learning_rate_is_explained_and_the_panel_usable_again(lab):
    lab.loss.value, lab.learning_rate.value = "top1", 1e38
    lab.start()
    until(lambda: lab.state.startswith("failed") and lab.error)
    for part in ("not finite", "learning_rate 1e+38", "try a smaller learning_rate"):
        assert part in lab.error
    assert not lab.buttons["start"].disabled
    lab.learning_rate.value = 0.1
    lab.buttons["start"].click()
    until(lambda: lab.state == "running" and lab.run.steps > 5)
    assert lab.error == ""


def test_every_button_and_control_says_what_it_does(lab):
    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)

    for widget in inside(lab):
        if isinstance(widget, widgets.Button):
            assert widget.tooltip, widget.description
        elif isinstance(widget, widgets.ToggleButtons):
            assert len(widget.tooltips) == len(widget.options), widget.description
        elif isinstance(widget, widgets.ValueWidget) and hasattr(widget, "disabled"):
            assert widget.tooltip, widget.description
            # A box for typed numbers stands beside its slider, which has the label.
            assert widget.description or "g4r-typed" in widget._dom_classes


def test_elements_follow_what_code_sets_before_there_is_a_run_and_while_it_is_held(lab):
    before = lab.picture.value
    lab.controls.n_sample = 64
    assert (lab.n_sample.value, "n_sample=64" in lab.restore_box.text.value) == (64, True)
    assert lab.picture.value != before
    lab.step()
    until(lambda: lab.state == "paused")
    lab._drawer.stop(timeout=5)  # who is quicker than it must not hide what code has set
    lab.controls.n_sample = 128
    lab.loss.value = "top1"
    assert (lab.n_sample.value, lab.loss.value) == (128, "top1")


def test_what_is_set_while_elements_follow_is_shown_in_the_end(lab, monkeypatch):
    show = lab._elements.controls.show

    def late(settings):
        monkeypatch.undo()
        lab.controls.n_sample = 64
        show(settings)

    monkeypatch.setattr(lab._elements.controls, "show", late)
    lab.controls.loss = "top1"
    lab.update()
    assert (lab.loss.value, lab.n_sample.value, lab.controls.n_sample) == ("top1", 64, 64)


def test_a_sampling_exponent_above_one_is_shown_as_it_is(stops):
    lab = TrainingLab(stops, TINY.with_changes(sample_alpha=1.5))
    assert (lab.sample_alpha.value, lab.controls.sample_alpha) == (1.5, 1.5)


def test_settings_from_code_may_be_numpys_and_are_shown_as_pythons_own(lab):
    for value in (64.0, np.int64(32)):
        lab.take({"n_sample": value, "learning_rate": np.float32(0.25)})
        assert (lab.n_sample.value, lab.controls.n_sample) == (int(value), int(value))
        assert f"n_sample={int(value)} " in lab.settings_string


def test_what_others_have_taken_in_is_drawn_at_the_next_update(lab):
    lab.step()
    until(lambda: lab.state == "paused")
    lab._drawer.stop(timeout=5)
    lab.update()
    before = lab.picture.value
    lab.run.step()
    until(lambda: lab.run.steps == 2 and lab.state == "paused")
    lab.run.poll()
    lab.update()
    assert lab.picture.value != before


def test_a_replay_of_a_run_under_way_is_drawn(lab, monkeypatch):
    make, update = lab.run._make, lab.update

    def slow_make(*run):
        time.sleep(0.4)  # the drawing thread sees that the last run has ended
        make(*run)

    def slow_update():
        if not lab.run.ready:
            time.sleep(0.5)  # and still draws that when the next one begins
        update()

    lab.start()
    until(lambda: lab.run.steps > 3)
    monkeypatch.setattr(lab._drawer, "_update", slow_update)
    monkeypatch.setattr(lab.run, "_make", slow_make)
    lab.replay()
    time.sleep(0.8)
    assert lab._drawer._thread.is_alive()


def test_a_loss_that_is_removed_while_it_trains_ends_the_run_and_leaves_the_panel_usable(stops):
    LOSSES.add("hinge", lambda target, negatives: (1 + negatives - target[:, None]).relu().mean(1))
    try:
        lab = TrainingLab(stops, TINY.with_changes(loss="hinge"), speed_limit=0)
        lab.start()
        until(lambda: lab.run.steps > 3)
    finally:
        LOSSES.remove("hinge")
    until(lambda: lab.error and not lab.buttons["start"].disabled)
    assert "failed: unknown loss 'hinge'" in lab.state_label.value
    lab.loss.value = "top1"
    lab.buttons["start"].click()
    until(lambda: lab.state == "running" and lab.run.steps > 3)
    assert lab.error == ""


def test_the_pull_in_the_picture_is_labelled_with_the_loss_that_trained(lab):
    lab.step()
    until(lambda: lab.state == "paused")
    lab.loss.value = "top1"
    lab.update()
    words = lab.picture.words
    assert words["titles"]["pull"].endswith("scores at step 1 (bpr)")
    assert words["thick"] == "bpr"
    assert words["about"].startswith("pull on the target, scores at step 1 (bpr): bpr ")


def test_panes_say_of_which_step_and_loss_they_are(short):
    assert short.picture.words["titles"]["pull"].endswith("scores of a trained BPR")
    finished(short)
    step = short.run.history.observations[-1].step
    assert short.picture.words["titles"] == {
        "pull": f"pull on the target, scores at step {step:,} (bpr)",
        "quality": f"quality at step {step:,}",
        "loss": f"loss at step {step:,} (bpr)",
        "right": f"softmax weights at step {step:,} (bpr)",
    }
    short.pane.value = "scores"
    assert short.picture.words["titles"]["right"] == f"scores at step {step:,} (bpr)"
    assert "Recall@20" in short.picture.words["about"]


def test_changes_are_marked_over_the_steps_and_part_the_losses(lab):
    for loss in ("bpr", "top1", "bpr"):
        lab.loss.value = loss
        for _ in range(10):
            steps = lab.run.steps
            lab.step()
            until(lambda steps=steps: lab.state == "paused" and lab.run.steps > steps)
    lab.stop()
    changes = [change.step for change in lab.run.history.changes]
    assert changes == [11, 21]
    for pane in ("quality", "loss", "effective"):
        assert lab.picture.line(f"changes of {pane}")[0].tolist() == changes
    steps, losses = lab.picture.line("loss bpr")
    assert np.isnan(losses[(steps > 10) & (steps < 21)]).all()
    assert np.isfinite(losses[steps > 21]).all()


def test_a_pinned_run_lies_below_and_ends_of_epochs_are_marked(short):
    finished(short).pin("first")
    short.next_run.elements["seed"].value = 7
    finished(short)
    line, history = short.picture.line, short.run.history
    assert line("end mrr_20")[0].tolist() == [end.step for end in history.epochs]
    observed = np.array(short.pinned.quality["mrr_20"].observed).T
    np.testing.assert_allclose(line("ghost mrr_20"), observed, rtol=1e-6)
    assert (line("mrr_20") != line("ghost mrr_20")).any()
    drawn = short.figure()
    assert any(axes.get_title(loc="left").startswith("quality at step") for axes in drawn.axes)


def test_a_picture_while_it_trains_sends_numbers_and_not_what_stands_still(lab):
    lab.start()
    until(lambda: len(lab.run.history.observations) > 2)
    lab.update()
    described, seen = lab.picture.picture, len(lab.run.history.observations)
    until(lambda: len(lab.run.history.observations) > seen + 2)
    lab.update()
    assert lab.picture.picture is described
    assert sum(map(len, lab.picture.numbers.values())) < 24_000


def test_a_bad_value_goes_back_to_the_one_before(lab):
    lab.learning_rate.value = -1.0
    assert "learning_rate must be a number above 0, got -1.0" in lab.error
    assert (lab.learning_rate.value, lab.controls.learning_rate) == (0.1, 0.1)
    assert "learning_rate=0.1 " in lab.settings_string


@pytest.mark.parametrize("end", ["idle", "paused", "stopped"])
def test_another_probe_session_is_answered_at_once_in_every_state(lab, end):
    if end != "idle":
        lab.step()
        until(lambda: lab.state == "paused")
        lab.update()
    if end == "stopped":
        lab.stop()
    lab.probe.items.value = "stop-01, stop-02"
    if end == "idle":
        assert "press Start" in lab.probe.top.value
    else:
        assert "after stop-01 &gt; stop-02" in lab.probe.top.value
        assert "at step 1<" in lab.probe.top.value
        assert len(lab.recommendations) == 10
    assert (lab.state, lab.error) == (end, "")


def test_the_preset_in_force_is_shown_and_controls_go_back_to_the_beginning(lab):
    before = lab.settings_string
    assert lab.paper.value == ""
    lab.paper.value = "retailrocket"
    assert lab.paper.value == "retailrocket"
    lab.n_sample.value = 64
    assert lab.paper.value == ""
    lab._elements.as_before.click()
    assert (lab.settings_string, lab.error) == (before, "")
    assert lab.controls.n_sample == 16


def test_a_drag_acts_on_release_while_the_model_trains(lab):
    sliders = lab.n_sample, lab.sample_alpha
    assert all(slider.continuous_update for slider in sliders)
    lab.start()
    assert not any(slider.continuous_update for slider in sliders)
    lab.stop()
    assert all(slider.continuous_update for slider in sliders)


def test_this_model_is_not_offered_before_it_was_observed(lab):
    assert lab.scores_of.options[0] == ("until Start a trained BPR", "model")
    lab.step()
    until(lambda: lab.state == "paused")
    lab.update()
    assert lab.scores_of.options[0] == ("this model", "model")
    lab.scores_of.value = "reference"
    lab.reset()
    assert lab.scores_of.value == "reference"
    assert "this model" not in dict(lab.scores_of.options)


def test_a_pinned_run_on_other_data_is_not_laid_over(short):
    finished(short).pin("first")
    short.run.pinned = replace(short.pinned, data="world:shop")
    short.update()
    short._show_chosen()
    assert short.picture.line("ghost mrr_20").size == 0
    assert "not laid over" in short.compared.value


def test_a_control_without_effect_says_why_beside_it(lab):
    notes = {name: field.note for name, field in lab._elements.controls.fields.items()}
    assert "no effect on bpr: acts on bpr-max" in notes["bpreg"].value
    assert "no effect on bpr: acts on cross-entropy" in notes["logq"].value
    assert notes["sample_alpha"].value == ""
    lab.loss.value, lab.n_sample.value = "bpr-max", 0
    assert notes["bpreg"].value == ""
    assert "no extra negatives" in notes["sample_alpha"].value


def test_a_wrong_value_is_told_beside_its_element_until_a_good_one(lab):
    note = lab._elements.controls.fields["learning_rate"].note
    lab.learning_rate.value = -1
    assert "must be a number above 0" in note.value
    lab.learning_rate.value = 0.2
    assert note.value == ""


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("layers", "64, x", "64"),
        ("batch_size", 0, 8),
        ("n_epochs", -1, 2),
        ("dropout_p_embed", 1.5, 0.5),
    ],
)
def test_a_wrong_setting_of_the_next_run_is_told_at_its_field(lab, name, wrong, right):
    field = lab.next_run.fields[name]
    assert field.note.value == ""
    field.element.value = wrong
    assert name in field.note.value
    assert str(wrong) in field.note.value
    assert 'role="alert"' in field.note.value
    field.element.value = right
    assert field.note.value == ""


def test_any_number_of_extra_negatives_and_any_speed_limit_can_be_typed(lab):
    controls = lab._elements.controls
    negatives = controls.fields["n_sample"]
    assert negatives.typed.value == negatives.element.label
    negatives.typed.value = "1,234"
    assert lab.n_sample.value == 1234 == lab.controls.settings.n_sample
    for nonsense in ("many", "-1", "1.5", ""):
        negatives.typed.value = nonsense
        assert "extra negatives must be a whole number from 0" in negatives.note.value
        assert repr(nonsense) in negatives.note.value or nonsense in negatives.note.value
        assert negatives.typed.value == "1,234"
    for word in ("all", "all items"):
        negatives.element.value = 32
        assert negatives.typed.value == "32"
        negatives.typed.value = word
        assert (lab.n_sample.value, negatives.typed.value) == ("all", "all items")
    negatives.typed.value = "33"
    assert negatives.note.value == ""
    speed = next(each for each in fields_of(lab) if each.element is lab.speed)
    speed.typed.value = "75"
    assert (lab.speed.value, lab.run.limit.steps_per_second) == (75, 75)
    assert speed.typed.value == "75 steps/s"
    speed.typed.value = "no limit"
    assert lab.speed.value == 0


def test_a_wrong_line_of_settings_is_told_at_its_box_until_a_right_one(lab):
    box = lab.restore_box
    box.text.value = "loss=bpr n_sample=-5"
    assert "n_sample" in box.field.note.value
    assert "n_sample" in lab.error
    box.text.value = "loss=bpr n_sample=5"
    assert box.field.note.value == ""
    assert not lab.error
    assert lab.n_sample.value == 5


def test_a_loss_that_was_taken_away_is_refused_in_words(lab):
    LOSSES.add("short-lived", lambda target, negatives: negatives.sum(dim=1) - target)
    try:
        lab._elements.controls._offer_losses()
    finally:
        LOSSES.remove("short-lived")
    before = lab.loss.value
    lab.loss.value = "short-lived"
    assert "short-lived" in lab.error
    assert "ValueError" in lab.error
    assert lab.loss.value == before


def fields_of(widget):
    """All fields in a panel."""
    for child in getattr(widget, "children", ()):
        yield from [child] if isinstance(child, Field) else fields_of(child)
