"""The picture of a step and the panel around it, driven from code."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from gru4rec_lab import load_sessions
from gru4rec_lab.diagnostics.steps import Replay
from gru4rec_lab.plots.batches import (
    FOLLOWED,
    N_STEPS,
    Labels,
    batch_plot,
    rows_figure,
    step_figure,
)
from gru4rec_lab.plots.live import LivePlot
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


def test_labels_are_where_they_were_put():
    plot = LivePlot(200, 100, scale=1)
    axes = plot.add_axes(0, 0, 200, 100)
    axes.set(xlim=(0, 200), ylim=(0, 100))
    labels = Labels(plot, axes, size=10)
    labels.show([(50, 50, "HHH"), (150, 20, ""), (150, 80, "H")])
    assert labels.texts == ["HHH", "H"]
    inches = labels._shape.get_path().vertices
    left = inches[inches[:, 0] < 1] * 100
    assert (left.min(axis=0) + left.max(axis=0)) / 2 == pytest.approx([50, 50], abs=1)
    empty = plot.png()
    labels.show([])
    assert plot.png() != empty


def test_followed_session_has_a_colour_of_its_own_and_every_cell_its_items(replay):
    plot, rows, _ = batch_plot()
    rows.show(replay.window(0, N_STEPS), replay.sessions.item_ids, step=1, followed=1)
    colours = rows._cells.get_facecolor()[:, :3]
    assert (colours == to_rgb(FOLLOWED)).all(axis=1).tolist() == [False] * 3 + [True] * 2 + [False]
    assert rows._labels.texts == ["step 0", "step 1", "step 2", *"abcefi", *"bcdfgj"]
    assert rows._now.get_bbox().bounds == (1, 0, 1, 2)
    assert np.isfinite(rows._starts.get_ydata()).sum() == 2 * 3, "three sessions start"
    plot.png()


def test_matrix_frames_targets_marks_copies_and_darkens_with_the_score():
    sessions = sessions_of("ab", "cb", "da")
    replay = Replay(untrained(sessions), sessions, 3)
    _, _, matrix = batch_plot()
    view = replay.view(0, 2)
    matrix.show(view, sessions.item_ids, row=1)
    drawn = np.stack([matrix._copies.get_ydata(), matrix._copies.get_xdata()], axis=1)
    columns = [(row, int(x * 5)) for row, x in drawn.astype(float)]
    assert [(int(row), column) for row, column in columns] == view.copies
    brightness = matrix._cells.get_facecolor()[:, :3].sum(axis=1).reshape(3, 5)
    extra = view.scores[:, 3:].numpy()
    assert (np.argsort(extra.ravel()) == np.argsort(-brightness[:, 3:].ravel())).all()


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


def test_steps_end_with_the_sessions_whatever_the_batch_size(explorer):
    explorer.step.value = explorer.step.max
    explorer.batch_size.value = 8
    assert explorer.step.max + 1 == len(explorer._replay)
    assert not explorer.error
