import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab import Sessions
from gru4rec_lab.data import gather
from gru4rec_lab.data.gather import Part, picked


def frame(*clicks):
    return pd.DataFrame(clicks, columns=["SessionId", "ItemId", "Time"])


def parts(*clicks, size=2, **dropped):
    tables = [frame(*clicks[at : at + size]) for at in range(0, len(clicks), size)]
    return [Part(t.SessionId, t.ItemId, t.Time.to_numpy(), dropped=dropped) for t in tables]


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
    got = Sessions.from_parts(parts(*log, size=size), numbered=True)
    assert same(got, Sessions.from_frame(known))
    assert got.items.dtype == np.int64
    assert got.item_ids[0] == log[0][1]


def slow(log):
    """Session to its clicks, by plain Python, as `from_frame` promises."""
    visits = {}
    for session, item, time in log:
        visits.setdefault(session, []).append((item, time))
    visits = {name: sorted(each, key=lambda click: click[1]) for name, each in visits.items()}
    return dict(sorted(visits.items(), key=lambda visit: visit[1][0][1]))


@given(clicks, st.integers(1, 9), st.integers(1, 3), st.sampled_from([int, "v{}".format, float]))
@settings(deadline=None)
def test_an_unsorted_log_in_parts_becomes_what_plain_python_makes_of_it(log, size, block, name):
    log = [(name(session), item, time) for session, item, time in log]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "BLOCK", block)
        got = Sessions.from_parts(parts(*log, size=size))
    want = slow(log)
    assert got.session_ids.tolist() == list(want)
    flat = [click for visit in want.values() for click in visit]
    assert list(zip(got.item_ids[got.items].tolist(), got.times.tolist(), strict=True)) == flat
    assert got.lengths.tolist() == [len(visit) for visit in want.values()]
    assert got.item_ids.tolist() == list(dict.fromkeys(item for _, item, _ in log))
    assert same(got, Sessions.from_frame(frame(*log)))


def test_64_bit_ids_of_sessions_stay_what_they_are():
    ids = np.array([2**63 + 1, 5, 2**63 + 1], np.uint64)
    got = Sessions.from_parts([Part(ids, np.array([1, 2, 3]), np.array([3.0, 2.0, 1.0]))])
    assert got.session_ids.dtype == np.uint64
    assert got.session_ids.tolist() == [2**63 + 1, 5]


def most_bytes_per_click(make):
    """What `make` needs at its peak, in bytes for each of the clicks that it leaves."""
    tracemalloc.start()
    made = make()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / made.n_clicks


def test_an_unsorted_log_takes_42_bytes_a_click_and_filters_34_more(monkeypatch):
    monkeypatch.setattr(gather, "BLOCK", 1000)
    rng = np.random.default_rng(0)
    session, item = rng.integers(30_000, size=200_000), rng.integers(500, size=200_000)
    clicks = pd.DataFrame({"session": session, "item": item, "time": rng.random(200_000)})
    cut = [part for _, part in clicks.groupby(np.arange(200_000) // 2000)]

    def read():
        return Sessions.from_parts(Part(p.session, p.item, p.time.to_numpy()) for p in cut)

    assert most_bytes_per_click(read) < 42
    sessions = read()
    for fewer in (sessions.filtered, lambda: sessions.split_last(fraction=0.1)[0]):
        assert most_bytes_per_click(fewer) < 34


def test_clicks_are_picked_by_session_and_those_kept_within():
    values, offsets = np.arange(10, 16), np.array([0, 2, 2, 3, 6])
    assert picked(values, offsets, np.array([3, 1, 0])).tolist() == [13, 14, 15, 10, 11]
    kept = np.array([False, True, True, True, False, True])
    assert picked(values, offsets, np.array([3, 0]), kept).tolist() == [13, 15, 11]


def test_a_gap_cuts_and_numbers_sessions_by_their_starts():
    log = [(7, "a", 0.0), (7, "b", 10.0), (5, "a", 11.0), (7, "c", 20.5)]
    got = Sessions.from_parts(parts(*log), numbered=True, gap=10)
    assert got.session_ids.tolist() == [1, 2, 3]
    assert got.lengths.tolist() == [2, 1, 1]
    assert got.item_ids[got.items].tolist() == ["a", "b", "a", "c"]


def test_sessions_named_by_text_are_numbered_and_found_again_in_later_parts():
    log = [("x", 1, 5.0), ("y", 2, 1.0), ("x", 3, 2.0), ("z", 1, 9.0), ("y", 4, 8.0)]
    got = Sessions.from_parts(parts(*log), numbered=True)
    assert got.session_ids.tolist() == [1, 2, 3]
    assert got.item_ids[got.items].tolist() == [2, 4, 3, 1, 1]
    assert got.lengths.tolist() == [2, 2, 1]


def test_what_was_left_out_is_added_up_over_the_parts():
    got = Sessions.from_parts(parts((1, 1, 1.0), (1, 2, 2.0), (2, 1, 3.0), bots=3, others=0))
    assert [(step.reason, step.clicks) for step in got.dropped] == [("bots", 6)]


@pytest.mark.parametrize("time", [float("nan"), -1.0, float("-inf")])
def test_a_time_that_is_none_is_refused(time):
    with pytest.raises(ValueError, match="a time that is missing or before 1970"):
        Sessions.from_parts(parts((1, 1, 1.0), (1, 2, time)))


def test_no_click_at_all_is_refused():
    with pytest.raises(ValueError, match="no clicks"):
        Sessions.from_parts([Part(np.empty(0), np.empty(0), np.empty(0))])


def test_repeats_go_but_the_first_click_of_a_session_stays():
    log = [(1, 8), (1, 8), (1, 9), (1, 9), (1, 8), (2, 8), (2, 8)]
    log = [(session, item, float(time)) for time, (session, item) in enumerate(log)]
    got = Sessions.from_parts(parts(*log)).without_repeats()
    assert got.item_ids[got.items].tolist() == [8, 9, 8, 8]
    assert got.offsets.tolist() == [0, 3, 4]
    assert got.times.tolist() == [0.0, 2.0, 4.0, 5.0]
    assert got.dropped[-1].clicks == 3
