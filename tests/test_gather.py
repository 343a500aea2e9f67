import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab import Sessions
from gru4rec_lab.data.gather import gather, without_repeats
from gru4rec_lab.data.raw_logs import Part


def frame(*clicks):
    return pd.DataFrame(clicks, columns=["SessionId", "ItemId", "Time"])


def parts(*clicks, size=2, **dropped):
    return [Part(frame(*clicks[at : at + size]), dropped) for at in range(0, len(clicks), size)]


def same(ours, theirs):
    return ours.to_frame().equals(theirs.to_frame())


clicks = st.lists(
    st.tuples(st.integers(1, 5), st.integers(-3, 3), st.integers(0, 30).map(float)), min_size=1
)


@given(clicks, st.integers(1, 9))
@settings(deadline=None)
def test_it_makes_the_sessions_of_from_frame_whatever_the_parts(log, size):
    # from_frame puts sessions that start in one moment in the order of their first rows.
    known = pd.DataFrame(sorted(log, key=lambda click: click[0]), columns=frame().columns)
    got = gather(parts(*log, size=size))
    assert same(got, Sessions.from_frame(known))
    assert got.items.dtype == np.int64
    assert got.item_ids[0] == log[0][1]


def test_a_gap_cuts_and_numbers_sessions_by_their_starts():
    log = [(7, "a", 0.0), (7, "b", 10.0), (5, "a", 11.0), (7, "c", 20.5)]
    got = gather(parts(*log), gap=10)
    assert got.session_ids.tolist() == [1, 2, 3]
    assert got.lengths.tolist() == [2, 1, 1]
    assert got.item_ids[got.items].tolist() == ["a", "b", "a", "c"]


def test_sessions_named_by_text_are_numbered_and_found_again_in_later_parts():
    log = [("x", 1, 5.0), ("y", 2, 1.0), ("x", 3, 2.0), ("z", 1, 9.0), ("y", 4, 8.0)]
    got = gather(parts(*log))
    assert got.session_ids.tolist() == [1, 2, 3]
    assert got.item_ids[got.items].tolist() == [2, 4, 3, 1, 1]
    assert got.lengths.tolist() == [2, 2, 1]


def test_what_was_left_out_is_added_up_over_the_parts():
    got = gather(parts((1, 1, 1.0), (1, 2, 2.0), (2, 1, 3.0), bots=3, others=0))
    assert [(step.reason, step.clicks) for step in got.dropped] == [("bots", 6)]


@pytest.mark.parametrize("time", [float("nan"), -1.0, float("-inf")])
def test_a_time_that_is_none_is_refused(time):
    with pytest.raises(ValueError, match="a time that is missing or before 1970"):
        gather(parts((1, 1, 1.0), (1, 2, time)))


def test_no_click_at_all_is_refused():
    with pytest.raises(ValueError, match="no clicks"):
        gather([Part(frame())])


def test_repeats_go_but_the_first_click_of_a_session_stays():
    got = without_repeats(gather(parts(*[(s, i, float(t)) for t, (s, i) in enumerate(
        [(1, 8), (1, 8), (1, 9), (1, 9), (1, 8), (2, 8), (2, 8)])])))  # fmt: skip
    assert got.item_ids[got.items].tolist() == [8, 9, 8, 8]
    assert got.offsets.tolist() == [0, 3, 4]
    assert got.times.tolist() == [0.0, 2.0, 4.0, 5.0]
    assert got.dropped[-1].clicks == 3
