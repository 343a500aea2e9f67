import threading
import time
import tracemalloc
from dataclasses import replace

import pytest
import torch

from gru4rec_lab import LOSSES, Config, load_model, load_sessions
from gru4rec_lab.events import EpochDone, Observed, Report
from gru4rec_lab.widgets import TrainingLab, live_panels

TINY = Config(
    layers=(8,), loss="bpr", n_sample=16, n_epochs=40, batch_size=16, learning_rate=0.1,
    report_every=5, device="cpu",
)  # fmt: skip
SHORT = TINY.with_changes(n_epochs=2)


def training_threads():
    return {t for t in threading.enumerate() if t.name.startswith("gru4rec")}


@pytest.fixture(autouse=True)
def no_thread_or_panel_is_left():
    before = training_threads()
    yield
    for panel in live_panels().values():
        panel.close()
    assert live_panels() == {}
    assert training_threads() - before == set()


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=200, n_items=30)


@pytest.fixture
def lab(sessions):
    return TrainingLab(sessions, TINY, look_every=10)


@pytest.fixture
def short(sessions):
    return TrainingLab(sessions, SHORT, look_every=10)


def until(claim, seconds=30):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def finished(lab):
    lab.start()
    until(lambda: lab.state == "finished")
    lab.update()
    return lab


def numbers(lab):
    """What a run's events say, without seconds."""
    said = []
    for event in lab.history:
        if isinstance(event, Report):
            said.append((event.step, event.loss))
        elif isinstance(event, EpochDone):
            said.append((event.step, event.loss, event.evaluation.ranks.tolist()))
        elif isinstance(event, Observed):
            view = event.value
            said.append((event.step, view.mrr_20, view.recall_1, view.recommended.top))
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
    assert len({ended, alone, short.picture.value}) == 3
    short.unpin()
    assert short.pinned is None
    assert short.compared.value == ""


def test_the_comparison_shows_the_last_epoch_end_and_the_last_look(short):
    finished(short).pin("first")
    result = short.course.epochs[-1].evaluation
    view = short.course.views[-1][1]
    assert short.pinned.quality["recall_20"].ends[-1] == (short.run.steps, result.recall[20])
    for value in (result.recall[1], result.mrr[20], view.recall_1, view.mrr_20):
        assert f">{value:.3f}</td>" in short.compared.value
    assert "pinned: first" in short.compared.value


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


def test_recommendations_change_as_the_model_learns_and_find_the_next_stop(sessions):
    lab = TrainingLab(sessions, TINY.with_changes(n_epochs=8), look_every=10)
    assert lab.recommendations == []
    finished(lab)
    first, last = lab.course.views[0][1].recommended, lab.course.views[-1][1].recommended
    assert len(lab.recommendations) == 10
    assert first.top != last.top
    assert lab.recommendations == last.top
    assert last.answer in [each.item for each in last.top[:3]]
    assert f"next came <b>{last.answer}</b>" in lab.probe.top.value


def test_the_probe_session_can_be_chosen_and_typed(lab):
    lab.probe.number.value = 3
    lab.start()
    until(lambda: len(lab.course.views) > 1)
    chosen = lab.course.views[-1][1].recommended
    lab.probe.items.value = "stop-01, <nowhere> ,stop-02"
    until(lambda: lab.course.views[-1][1].recommended.answer is None)
    lab.stop()
    typed = lab.course.views[-1][1].recommended
    assert chosen.answer is not None
    assert (typed.clicks, typed.unknown) == (["stop-01", "stop-02"], ["<nowhere>"])
    assert "unknown: &lt;nowhere&gt;" in lab.probe.top.value


def test_a_replayed_run_says_the_same_bit_for_bit(short):
    torch.set_num_threads(1)
    short.start()
    until(lambda: short.run.steps > 12)
    short.loss.value = "bpr-max"
    short.n_sample.value = 64
    until(lambda: short.state == "finished")
    short.update()
    first, marks = numbers(short), short.course.marks
    short.replay()
    until(lambda: short.state == "finished")
    short.update()
    assert short.course.marks == marks != []
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
    for item in short.course.views[-1][1].recommended.clicks:
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
    short.files.path.value = str(tmp_path / "curves")
    short.files.buttons["save_picture"].click()
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    svg = short.save_picture(tmp_path / "curves.svg").read_text()
    assert "#009e73" in svg
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert short._lab_picture.show(short.course) == before


def test_the_history_is_a_table(short):
    assert list(short.frame()["loss"]) == []
    table = finished(short).frame()
    assert list(table[table.event == "report"].loss) == [
        event.loss for event in short.history if isinstance(event, Report)
    ]
    ends, looks = table[table.event == "epoch end"], table[table.event == "look"]
    assert list(ends["mrr@20"]) == [end.evaluation.mrr[20] for end in short.course.epochs]
    assert list(looks["recall@20"]) == [view.recall_20 for _, view in short.course.views]
    assert set(table["loss name"]) == {"bpr"}
    assert table.step.is_monotonic_increasing


def test_cold_settings_wait_for_a_new_run(lab):
    lab.start()
    until(lambda: lab.model is not None)
    cold = lab.cold.elements
    cold["layers"].value, cold["batch_size"].value, cold["seed"].value = "12, 6", 8, 3
    cold["dropout_p_hidden"].value = 0.2
    assert lab.model.config.layers == (8,)
    lab.reset()
    lab.start()
    until(lambda: lab.model is not None)
    config = lab.model.config
    assert (config.layers, config.batch_size, config.seed) == ((12, 6), 8, 3)
    assert config.dropout_p_hidden == 0.2
    assert "layers 12-6, seed 3" in lab.label


def test_another_data_set_loads_in_the_next_run(lab):
    lab.cold.elements["data"].value = "world:shop"
    lab.step()
    until(lambda: lab.state == "paused" and lab.model is not None)
    assert any("boots" in str(item) for item in lab.model.item_ids)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("layers", "64; 3", "whole numbers with commas"), ("batch_size", 0, "batch_size must be"),
     ("dropout_p_embed", 1.5, "dropout_p_embed must be"), ("layers", "", "whole numbers")],
)  # fmt: skip
def test_a_bad_cold_setting_shows_at_start_and_can_be_put_right(lab, name, value, why):
    good = lab.cold.elements[name].value
    lab.cold.elements[name].value = value
    lab.buttons["start"].click()
    assert why in lab.error
    assert lab.state == "idle"
    lab.cold.elements[name].value = good
    lab.buttons["start"].click()
    until(lambda: lab.run.steps > 0)
    assert lab.error == ""


def test_every_cold_setting_says_that_it_needs_a_new_run(lab):
    assert lab.cold.selected_index is None
    for element in lab.cold.elements.values():
        assert "needs a new run" in element.description
        assert element.tooltip


def test_thirty_quick_changes_reach_the_running_model(lab):
    lab.start()
    until(lambda: lab.run.steps > 3)
    for number in range(30):
        lab.n_sample.value = (8, 32, 128)[number % 3]
        lab.sample_alpha.value = number / 30
    until(lambda: lab.course.marks and lab.course.marks[-1].new == 29 / 30)
    assert lab.controls.settings.n_sample == 128
    assert lab.controls.settings.sample_alpha == 29 / 30
    assert lab.state == "running"
    assert lab.error == ""


def test_stopping_in_an_evaluation_ends_the_run(short, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        go_on.wait(20)

    monkeypatch.setattr("gru4rec_lab.training.evaluate", slow)
    short.start()
    assert begun.wait(20)
    with pytest.raises(TimeoutError, match="stop again later"):
        short.stop(timeout=0.05)
    go_on.set()
    short.stop()
    assert short.state == "stopped"
    assert short.error == ""


def test_making_the_panel_again_while_it_trains_leaves_no_thread(lab, sessions):
    lab.start()
    until(lambda: lab.run.steps > 3)
    again = TrainingLab(sessions, TINY)
    assert training_threads() == set()
    assert live_panels() == {"TrainingLab": again}


def test_a_failed_run_says_step_loss_and_learning_rate_and_the_panel_starts_again(lab, monkeypatch):
    def not_a_number(target, negatives):
        return target * float("nan"), negatives * float("nan")

    bad = replace(
        LOSSES["bpr"],
        value=lambda target, negatives: target * float("nan"),
        gradient=not_a_number,
    )
    with monkeypatch.context() as broken:
        broken.setattr("gru4rec_lab.step.LOSSES", {**LOSSES, "bpr": bad})
        lab.start()
        until(lambda: lab.state.startswith("failed") and lab.error != "")
        for part in ("failed: ", "not finite at step 1 ", "bpr", "learning_rate 0.1"):
            assert part in lab.state
    lab.buttons["start"].click()
    until(lambda: lab.state == "running" and lab.run.steps > 20)
    assert lab.error == ""


def test_five_hundred_looks_and_fifty_pictures_keep_less_than_ten_megabytes(short):
    finished(short).pin()
    look = next(event for event in short.history[::-1] if isinstance(event, Observed))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(500):
            short.run._seen.put(look)
            if number % 10 == 0:
                short.update()
            else:
                short._tell()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10e6
