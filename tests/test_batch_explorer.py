"""The picture of a step and the panel around it, driven from code."""

import numpy as np
import pytest
import torch

from gru4rec_lab import load_sessions
from gru4rec_lab.diagnostics.steps import Replay
from gru4rec_lab.plots.batches import (
    FOLLOWED,
    N_STEPS,
    batch_picture,
    batch_shown,
    rows_figure,
    step_figure,
)
from gru4rec_lab.plots.picture import colour_number
from gru4rec_lab.widgets import BatchExplorer

from .test_steps import sessions_of, untrained


@pytest.fixture
def replay():
    sessions = sessions_of("abcd", "efg", "ij")
    return Replay(untrained(sessions), sessions, 2)


@pytest.fixture
def explorer():
    sessions = load_sessions("world:markov", n_sessions=200, n_items=40)
    panel = BatchExplorer(untrained(sessions), sessions)
    yield panel
    panel.close()


def shown(replay, step, n_sample=0, followed=-1):
    view = replay.view(step, n_sample)
    return batch_shown(replay.window(0, N_STEPS), view, replay.sessions.item_ids, followed=followed)


def test_followed_session_has_a_colour_of_its_own_and_every_cell_its_items(replay):
    now = shown(replay, 1, followed=1)
    assert now.lines["followed"].tolist() == [
        [0.5, 1.5],
        [1.5, 1.5],
        [*colour_number([FOLLOWED])] * 2,
    ]
    assert now.lines["other sessions"].shape == (3, 4)
    assert now.texts["items"] == [*"abcefi", *"bcdfgj"]
    assert now.texts["followed"][0] == "step 0, row 1: session 1 starts; clicked e, target f"
    frame = now.lines["this step"]
    assert (np.nanmin(frame, 1).tolist(), np.nanmax(frame, 1).tolist()) == ([1, 0], [2, 2])
    assert np.isfinite(now.lines["session starts"][1]).sum() == 2 * 3, "three sessions start"


def test_matrix_frames_targets_marks_copies_and_darkens_with_the_score():
    sessions = sessions_of("ab", "cb", "da")
    replay = Replay(untrained(sessions), sessions, 3)
    now, view = shown(replay, 0, 2), replay.view(0, 2)
    columns, rows = now.lines["copies"].astype(int)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == view.copies
    assert now.lines["own target"][:2].tolist() == [[0.5, 1.5, 2.5]] * 2
    column, row, colour = now.lines["extra samples"].astype(int)
    brightness = sum(colour // 256**power % 256 for power in range(3))
    by_score = np.argsort(view.scores.numpy()[row, column])
    assert (np.diff(brightness[by_score]) <= 0).all()
    assert brightness.max() > brightness.min() + 100


def test_a_cell_of_the_matrix_says_its_item_role_and_score():
    sessions = sessions_of("ab", "cb", "da")
    now = shown(Replay(untrained(sessions), sessions, 3), 0, 2)
    assert now.texts["own target"][2].startswith("row 2, column 2: a, its own target; score ")
    told = " ".join(now.texts["other targets"] + now.texts["extra samples"])
    assert "row 0, column 1: b, a copy of the row's own target" in told
    assert "row 2, column 1: b, target of row 1" in told
    assert "copies of a row's own target: " in now.about


def test_scores_are_written_where_they_find_room(explorer):
    assert "scores of own target" in explorer.picture.words["texts"]
    explorer.n_sample.value = 24
    assert "scores of own target" not in explorer.picture.words["texts"]


def test_long_names_are_shortened_in_the_picture_and_whole_under_the_pointer(explorer):
    explorer._sessions.item_ids[:] = "a long name"
    explorer.step.value = 1
    texts = explorer.picture.words["texts"]
    assert set(texts["names"]) == {"a long n…"}
    assert "a long name" in texts["own target"][0]


def test_the_row_of_the_followed_session_is_marked(replay):
    window, view = replay.window(0, N_STEPS), replay.view(0, 0)
    pane = batch_picture(window, view, followed=1).panes["matrix"]
    assert [text for _, text in pane.y.ticks] == ["row 0", "▸ row 1"]


def test_figures_of_rows_and_of_a_step_are_pictures(replay):
    assert rows_figure(replay, 1, followed=0)._repr_png_().startswith(b"\x89PNG")
    assert step_figure(replay, 1, 4)._repr_png_().startswith(b"\x89PNG")


def test_following_a_session_goes_to_the_step_where_it_starts(explorer):
    explorer.session.value = 9
    numbers = explorer.numbers
    session = explorer._sessions.items[explorer._sessions.offsets[9] :]
    assert numbers["carry"] == -1
    assert (numbers["input"], numbers["target"]) == tuple(
        map(str, explorer._sessions.item_ids[session[:2]])
    )
    assert explorer.step.value == explorer.view.step == numbers["step"] > 0


def test_item_names_in_the_words_are_escaped(explorer):
    explorer._sessions.item_ids[:] = "<i>"
    explorer.session.value = 3
    assert "<b>&lt;i&gt;</b>" in explorer.words.value
    assert "<i>" not in explorer.words.value


@pytest.mark.parametrize(("name", "value"), [("session", 9), ("batch_size", 2), ("step", 5)])
def test_one_change_is_drawn_once(explorer, monkeypatch, name, value):
    explorer.step.value = 3
    drawn = []
    monkeypatch.setattr(explorer, "update", lambda: drawn.append(explorer.step.value))
    getattr(explorer, name).value = value
    assert drawn == [explorer.step.value]


def test_next_step_goes_on_from_the_same_row(explorer):
    before, explorer.step.value = explorer.numbers, 1
    assert explorer.numbers["row"] == explorer.numbers["carry"] == before["row"]
    assert explorer.numbers["input"] == before["target"]


@pytest.mark.parametrize(("batch_size", "n_sample"), [(1, 0), (2, 1), (8, 24)])
def test_matrix_has_a_row_a_session_and_its_negatives(explorer, batch_size, n_sample):
    before = explorer.picture.value
    explorer.batch_size.value = batch_size
    explorer.n_sample.value = n_sample
    assert explorer.picture.value != before
    assert explorer.view.scores.shape == (batch_size, batch_size + n_sample)
    assert explorer.numbers["negatives"] == batch_size + n_sample - 1
    assert f"= <b>{batch_size + n_sample - 1}</b> negatives" in explorer.words.value
    assert not explorer.error


def test_a_session_that_is_over_is_said_to_take_no_part(explorer):
    explorer.step.value = explorer.step.max
    assert "row" not in explorer.numbers
    assert "Session 0 takes no part" in explorer.words.value


def test_next_copy_stops_where_a_negative_is_the_target(explorer):
    explorer.n_sample.value = 24
    explorer.next_copy.click()
    (row, column), *_ = explorer.numbers["copies"]
    view = explorer.view
    items = torch.cat([view.batch.targets, view.extra])
    assert items[column] == view.batch.targets[row]
    assert f"row {row}, column {column}" in explorer.words.value


def test_next_copy_says_when_there_is_none(explorer):
    explorer.batch_size.value, explorer.n_sample.value = 1, 0
    explorer.next_copy.click()
    assert "no step has a copy" in explorer.error


def test_no_more_rows_are_offered_than_there_are_sessions():
    sessions = sessions_of("abcd", "efg")
    panel = BatchExplorer(untrained(sessions), sessions)
    assert panel.batch_size.max == 2
    assert panel.view.scores.shape[0] == 2
    panel.close()


@pytest.mark.parametrize(("name", "value"), [("batch_size", 9), ("n_sample", 25)])
def test_what_the_sliders_cannot_show_is_refused(name, value):
    sessions = load_sessions("world:markov", n_sessions=200, n_items=40)
    with pytest.raises(ValueError, match=f"{name} must lie between"):
        BatchExplorer(untrained(sessions), sessions, **{name: value})


def test_the_picture_can_be_written(explorer, tmp_path):
    assert explorer.save_picture(tmp_path / "step.svg").stat().st_size > 10_000


def test_steps_end_with_the_sessions_whatever_the_batch_size(explorer):
    explorer.step.value = explorer.step.max
    explorer.batch_size.value = 8
    assert explorer.step.max + 1 == len(explorer._replay)
    assert not explorer.error
