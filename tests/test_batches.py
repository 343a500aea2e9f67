import tracemalloc
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab.batches import session_parallel
from gru4rec_lab.data.sessions import Sessions


def make(lists):
    lengths = [len(items) for items in lists]
    flat = np.array([item for items in lists for item in items], dtype=np.int64)
    return Sessions(
        items=flat,
        times=np.arange(len(flat), dtype=float),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        item_ids=np.arange(int(flat.max(initial=0)) + 1),
        session_ids=np.arange(len(lists)),
    )


def slow_steps(lists, batch_size):
    """The obvious batcher: one slot at a time, as the paper tells it."""
    waiting = iter(lists)
    slots = [(session, 0, -1) for session in islice(waiting, batch_size)]
    while slots:
        yield (
            [session[at] for session, at, _ in slots],
            [session[at + 1] for session, at, _ in slots],
            [carry for _, _, carry in slots],
        )
        following = []
        for row, (session, at, _) in enumerate(slots):
            if at + 2 < len(session):
                following.append((session, at + 1, row))
            elif (fresh := next(waiting, None)) is not None:
                following.append((fresh, 0, -1))
        slots = following


def steps(schedule):
    return [(b.inputs.tolist(), b.targets.tolist(), b.carry.tolist()) for b in schedule]


some_sessions = st.lists(
    st.lists(st.integers(0, 30), min_size=2, max_size=7), min_size=1, max_size=25
)


def test_two_slots_by_hand():
    got = steps(session_parallel(make([[1, 2, 3, 4], [5, 6, 7], [8, 9]]), 2))
    assert got == [
        ([1, 5], [2, 6], [-1, -1]),
        ([2, 6], [3, 7], [0, 1]),
        ([3, 8], [4, 9], [0, -1]),
    ]


def test_the_tail_moves_rows_up_and_their_state_follows():
    got = steps(session_parallel(make([[1, 2], [3, 4, 5]]), 2))
    assert got[-1] == ([4], [5], [1])


@given(some_sessions, st.integers(1, 8))
@settings(deadline=None)
def test_the_schedule_equals_the_slow_obvious_one(lists, batch_size):
    assert steps(session_parallel(make(lists), batch_size)) == list(slow_steps(lists, batch_size))


@given(some_sessions, st.integers(1, 8))
@settings(deadline=None)
def test_each_click_but_the_first_is_a_target_exactly_once(lists, batch_size):
    sessions = make(lists)
    schedule = session_parallel(sessions, batch_size)
    not_first = np.setdiff1d(np.arange(sessions.n_clicks), sessions.offsets[:-1])
    assert sorted(schedule.target_click.tolist()) == not_first.tolist()
    assert (sessions.items[schedule.target_click] == schedule.targets.numpy()).all()


@given(some_sessions, st.integers(1, 8))
@settings(deadline=None)
def test_carry_goes_on_exactly_while_a_session_does(lists, batch_size):
    sessions = make(lists)
    schedule = session_parallel(sessions, batch_size)
    session_of = sessions.session_of_click[schedule.target_click]
    before, start = None, 0
    for batch in schedule:
        now = session_of[start : start + len(batch.targets)]
        start += len(batch.targets)
        for row, carry in enumerate(batch.carry.tolist()):
            goes_on = before is not None and now[row] in before
            assert (carry >= 0) == goes_on
            assert carry == -1 or before[carry] == now[row]
        before = now


def test_fewer_sessions_than_batch_size_make_smaller_batches():
    assert [len(b.targets) for b in session_parallel(make([[1, 2], [3, 4]]), 50)] == [2]


def test_one_click_sessions_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match="1 sessions have fewer than 2 clicks.*filtered"):
        session_parallel(make([[1, 2], [3]]), 2)


def test_no_sessions_are_refused():
    with pytest.raises(ValueError, match="there are no sessions"):
        session_parallel(make([]), 2)


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1, got 0"):
        session_parallel(make([[1, 2]]), 0)


def test_iterating_gives_every_step_once_and_in_order():
    schedule = session_parallel(make([[1] * length for length in range(2, 50)]), 2)
    assert len(schedule) > 520
    assert steps(schedule) == steps(schedule[number] for number in range(len(schedule)))


def test_a_batch_of_a_cpu_has_arrays_and_makes_tensors_of_them():
    schedule = session_parallel(make([[1, 2, 3, 4], [5, 6, 7], [8, 9]]), 2)
    for cut, batch in zip(schedule, map(schedule.__getitem__, range(3)), strict=True):
        assert len(cut) == len(batch) == 2
        tensors = cut.inputs, cut.targets, cut.carry
        for array, tensor, other in zip(cut.arrays, tensors, batch.arrays, strict=True):
            assert array.tolist() == tensor.tolist() == other.tolist()
        assert cut.inputs.data_ptr() == batch.inputs.data_ptr()  # no copy


def test_the_steps_of_an_epoch_are_made_in_60_bytes_a_target():
    sessions = make([list(range(20))] * 5000)
    tracemalloc.start()
    schedule = session_parallel(sessions, 64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / schedule.n_targets < 60
