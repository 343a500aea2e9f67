"""What one step sees: rows, columns, roles, and scores as training would compute them."""

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, Sessions
from gru4rec_lab.batches import session_parallel
from gru4rec_lab.device import generator
from gru4rec_lab.diagnostics.steps import Replay, Role, column_roles
from gru4rec_lab.recommender import Recommender, network_of


def sessions_of(*words):
    """A session a word, an item a letter."""
    items = "".join(words)
    ids = np.array(sorted(set(items)))
    return Sessions(
        items=np.searchsorted(ids, list(items)),
        times=np.arange(len(items), dtype=float),
        offsets=np.cumsum([0, *map(len, words)]),
        item_ids=ids,
        session_ids=np.arange(len(words)),
    )


def untrained(sessions, seed=0):
    config = Config(layers=(6,))
    network = network_of(config, sessions.n_items, generator(seed, "test"))
    return Recommender(network, sessions.item_ids, config)


@pytest.fixture
def replay():
    sessions = sessions_of("abcd", "efg", "ij")
    return Replay(untrained(sessions), sessions, 2)


def test_roles_by_hand():
    roles = column_roles(torch.tensor([5, 7, 5]), torch.tensor([7, 1]))
    assert roles.tolist() == [
        [Role.TARGET, Role.OTHER_TARGET, Role.COPY, Role.EXTRA, Role.EXTRA],
        [Role.OTHER_TARGET, Role.TARGET, Role.OTHER_TARGET, Role.COPY, Role.EXTRA],
        [Role.COPY, Role.OTHER_TARGET, Role.TARGET, Role.EXTRA, Role.EXTRA],
    ]


def test_rows_of_a_window_are_those_of_the_papers_figure(replay):
    # step      0  1  2
    # row 0     a  b  c     session 0
    # row 1     e  f  i     session 1, then 2
    window = replay.window(0, 4)
    assert window.session.tolist() == [[0, 0, 0, -1], [1, 1, 2, -1]]
    assert window.click.tolist() == [[0, 1, 2, -1], [0, 1, 0, -1]]
    named = np.append(replay.sessions.item_ids, "-")  # -1 is the last
    assert ["".join(row) for row in named[window.inputs]] == ["abc-", "efi-"]
    assert ["".join(row) for row in named[window.targets]] == ["bcd-", "fgj-"]


def test_every_session_starts_in_its_first_step(replay):
    assert [replay.first_step(session) for session in range(3)] == [0, 0, 2]


def test_rows_of_a_schedule_hold_every_target_once():
    schedule = session_parallel(sessions_of("abcd", "efg", "ij"), 2)
    places = [place for step in range(len(schedule)) for place in range(100)[schedule.rows(step)]]
    assert places == list(range(schedule.n_targets))


def test_scores_are_those_of_reading_each_session_alone(replay):
    model, names = replay._model, replay.sessions.item_ids
    view = replay.view(2, 4)
    columns = torch.cat([view.batch.targets, view.extra])
    for row, clicks in enumerate(["abc", "i"]):
        visit = model.session()
        for click in clicks:
            visit.click(click)
        score = {item.item: item.score for item in visit.top(len(names))}
        alone = [score[name] for name in names[columns]]
        torch.testing.assert_close(view.scores[row], torch.tensor(alone))


def test_a_step_may_be_looked_at_before_those_that_lead_to_it(replay):
    late = replay.view(2, 3).scores
    replay.view(0)
    torch.testing.assert_close(replay.view(2, 3).scores, late, rtol=0, atol=0)


def test_more_extra_samples_keep_those_there_were(replay):
    few, many = replay.view(1, 3), replay.view(1, 9)
    assert many.extra[:3].tolist() == few.extra.tolist()
    assert many.scores.shape == (2, 11)
    torch.testing.assert_close(many.scores[:, :5], few.scores)


def test_extra_samples_are_drawn_by_the_support_given():
    sessions = sessions_of("abcd", "efg", "ij")
    support = torch.zeros(sessions.n_items, dtype=torch.int64)
    support[3] = 1
    view = Replay(untrained(sessions), sessions, 2, support=support).view(0, 5)
    assert view.extra.tolist() == [3] * 5


def test_copies_and_ranks_of_a_step_by_hand():
    sessions = sessions_of("ab", "cb", "da")
    view = Replay(untrained(sessions), sessions, 3).view(0)
    assert view.copies == [(0, 1), (1, 0)]
    for row in range(3):
        assert view.ranks[row] == sum(view.scores[row] > view.scores[row, row])


def test_sessions_of_other_items_and_too_many_samples_are_refused(replay):
    with pytest.raises(ValueError, match=r"2 items, the model 9; .*with_items"):
        Replay(replay._model, sessions_of("ab"), 1)
    with pytest.raises(ValueError, match="n_sample must be 0 to 32, got 33"):
        replay.view(0, 33)
