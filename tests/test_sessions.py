import numpy as np
import pandas as pd
import pytest

from gru4rec_lab import Sessions
from gru4rec_lab.data.sessions import DAY, Dropped

COLUMNS = ["SessionId", "ItemId", "Time"]


def sessions_of(*rows):
    """Sessions of (session, item, time) rows."""
    return Sessions.from_frame(pd.DataFrame(rows, columns=COLUMNS))


def as_lists(sessions):
    """Item names of every session."""
    return [ids.tolist() for ids in np.split(sessions.item_ids[sessions.items], sessions.offsets)][
        1:-1
    ]


def random_sessions(seed, n_clicks=400, n_sessions=80, n_items=60):
    rng = np.random.default_rng(seed)
    starts = rng.integers(10 * int(DAY), size=n_sessions)
    session = rng.integers(n_sessions, size=n_clicks)
    frame = pd.DataFrame(
        {
            "SessionId": session,
            "ItemId": rng.geometric(0.1, n_clicks) % n_items,
            "Time": starts[session] + rng.integers(3600, size=n_clicks),
        }
    )
    return Sessions.from_frame(frame)


def assert_same(got, want):
    for field in ("items", "times", "offsets", "item_ids", "session_ids"):
        np.testing.assert_array_equal(getattr(got, field), getattr(want, field), err_msg=field)


seeds = pytest.mark.parametrize("seed", range(5))


# --- from and to a frame


def test_rows_in_any_order_become_sessions_by_start_and_clicks_by_time():
    got = sessions_of((2, "c", 9), (1, "b", 20), (2, "a", 5), (1, "a", 10))
    assert got.session_ids.tolist() == [2, 1]
    assert as_lists(got) == [["a", "c"], ["a", "b"]]
    assert got.times.tolist() == [5, 9, 10, 20]


def test_equal_times_keep_the_order_of_the_frame():
    got = sessions_of((2, "x", 5), (1, "b", 5), (1, "a", 5), (2, "y", 5))
    assert got.session_ids.tolist() == [2, 1]
    assert as_lists(got) == [["x", "y"], ["b", "a"]]


def test_a_frame_in_order_gives_what_its_rows_in_any_order_give():
    frame = random_sessions(0).to_frame()
    mixed = frame.sort_values(["Time", "ItemId"], kind="stable")
    got, want = Sessions.from_frame(mixed), Sessions.from_frame(frame)
    for one, other in zip(as_lists(got), as_lists(want), strict=True):
        assert sorted(one) == sorted(other)
    np.testing.assert_array_equal(got.times, want.times)
    np.testing.assert_array_equal(got.session_ids, want.session_ids)


def test_a_frame_that_changes_later_changes_no_sessions():
    frame = pd.DataFrame([(1, 7, 1.0), (1, 8, 2.0)], columns=COLUMNS)
    got = Sessions.from_frame(frame)
    frame.loc[:, :] = 0
    assert got.times.tolist() == [1, 2]
    assert as_lists(got) == [[7, 8]]


def test_counts_are_those_of_the_frame():
    got = sessions_of((1, "a", 1), (1, "a", 1), (1, "b", 2), (2, "c", 3))
    assert (got.n_sessions, got.n_items, got.n_clicks) == (2, 3, 4)
    assert got.lengths.tolist() == [3, 1]
    assert got.support.tolist() == [2, 1, 1]
    assert got.session_of_click.tolist() == [0, 0, 0, 1]


def test_duplicate_rows_and_sessions_of_one_click_are_kept():
    got = sessions_of((1, "a", 1), (1, "a", 1), (2, "b", 2))
    assert as_lists(got) == [["a", "a"], ["b"]]
    assert got.dropped == ()


def test_columns_may_have_any_name():
    frame = pd.DataFrame({"visit": [1, 1], "product": [5, 6], "when": ["2014-04-07"] * 2})
    got = Sessions.from_frame(frame, session="visit", item="product", time="when")
    assert as_lists(got) == [[5, 6]]


@seeds
def test_times_never_fall_inside_a_session_nor_from_start_to_start(seed):
    whole = random_sessions(seed)
    for got in (whole, whole.filtered(2, 6), *whole.split_last(days=2), whole.most_recent(0.5)):
        inside = np.diff(got.session_of_click) == 0
        assert (np.diff(got.times)[inside] >= 0).all()
        assert (np.diff(got.times[got.offsets[:-1]]) >= 0).all()


@seeds
def test_from_frame_undoes_to_frame(seed):
    first = random_sessions(seed).filtered(2, 3)
    again = Sessions.from_frame(first.to_frame())
    pd.testing.assert_frame_equal(again.to_frame(), first.to_frame())
    np.testing.assert_array_equal(again.offsets, first.offsets)
    assert_same(Sessions.from_frame(again.to_frame()), again)


def test_an_empty_frame_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        Sessions.from_frame(pd.DataFrame(columns=COLUMNS))


# --- filters


def test_short_sessions_go_first_then_rare_items_then_new_short_sessions():
    got = sessions_of(
        *((1, "a", 1), (1, "a", 2), (1, "b", 3)),  # loses b, keeps two clicks
        *((2, "a", 4), (2, "b", 5)),  # loses b, then goes as too short
        (3, "b", 6),  # goes at once, which makes b rare
    ).filtered(min_session=2, min_item=3)
    assert as_lists(got) == [["a", "a"]]
    assert got.item_ids.tolist() == ["a"]
    counts = [(step.sessions, step.items, step.clicks) for step in got.dropped]
    assert counts == [(1, 0, 1), (0, 1, 2), (1, 0, 1)]


@seeds
def test_the_filter_makes_one_pass_as_the_slow_version_does(seed):
    frame = random_sessions(seed).to_frame()

    def longer(frame):
        return frame[frame.groupby("SessionId").ItemId.transform("size") >= 2]

    kept = longer(frame)
    kept = longer(kept[kept.groupby("ItemId").ItemId.transform("size") >= 5])
    got = random_sessions(seed).filtered()
    pd.testing.assert_frame_equal(got.to_frame(), Sessions.from_frame(kept).to_frame())
    assert got.n_items == kept.ItemId.nunique()


def test_a_session_that_loses_its_first_click_moves_to_its_new_start():
    rows = [(1, "rare", 0), (1, "a", 7), (1, "b", 8), (2, "b", 1), (2, "a", 2)]
    whole = sessions_of(*rows)
    assert whole.session_ids.tolist() == [1, 2]
    for part in (whole.filtered(2, 2), whole.with_items(np.array(["a", "b"]))):
        assert part.session_ids.tolist() == [2, 1]
        assert as_lists(part) == [["b", "a"], ["a", "b"]]
        assert part.times.tolist() == [1, 2, 7, 8]


@seeds
def test_kept_and_dropped_clicks_and_sessions_add_up(seed):
    before = random_sessions(seed)
    after = before.filtered(2, 6)
    assert after.n_clicks + sum(step.clicks for step in after.dropped) == before.n_clicks
    assert after.n_sessions + sum(step.sessions for step in after.dropped) == before.n_sessions
    assert after.n_clicks < before.n_clicks


def test_a_filter_that_removes_nothing_records_nothing():
    whole = sessions_of((1, "a", 1), (1, "b", 2))
    got = whole.filtered(1, 1)
    assert got.dropped == ()
    assert_same(got, whole)


def test_a_filter_may_leave_nothing_and_says_what_went():
    got = sessions_of((1, "a", 1), (1, "b", 2)).filtered()
    assert (got.n_sessions, got.n_items, got.n_clicks) == (0, 0, 0)
    assert got.to_frame().empty
    assert got.summary().splitlines()[1:] == [
        "  dropped items with fewer than 5 clicks: 1 sessions, 2 items, 2 clicks"
    ]


# --- splits


def four_days():
    """One session a day, of two clicks; the last one also clicks an item nobody else does."""
    rows = [(day, item, day * DAY + k) for day in range(4) for k, item in enumerate("ab")]
    return sessions_of(*rows, (3, "new", 3 * DAY + 5))


def test_a_fraction_takes_the_last_sessions():
    train, test = four_days().split_last(fraction=0.25)
    assert train.session_ids.tolist() == [0, 1, 2]
    assert test.session_ids.tolist() == [3]


def test_days_count_back_from_the_last_click():
    train, test = four_days().split_last(days=2)
    assert train.session_ids.tolist() == [0, 1]
    assert test.session_ids.tolist() == [2, 3]


def test_a_session_exactly_some_days_before_the_last_click_is_in_the_test_part():
    rows = [(k, item, k * DAY) for k in range(3) for item in "ab"]
    _, test = sessions_of(*rows).split_last(days=1)
    assert test.session_ids.tolist() == [1, 2]


def test_a_session_on_the_border_is_split_by_its_start_or_its_end():
    long = sessions_of(
        *((1, "a", 0), (1, "b", 1)),
        *((2, "a", 2), (2, "b", 3 * DAY)),
        *((3, "a", 3 * DAY - 9), (3, "b", 3 * DAY)),
    )
    assert long.split_last(days=1, by="start")[1].session_ids.tolist() == [3]
    assert long.split_last(days=1, by="end")[1].session_ids.tolist() == [2, 3]


def test_both_parts_of_a_fraction_by_end_keep_the_order_of_starts():
    long = sessions_of(
        *((1, "a", 0), (1, "b", 90)),
        *((2, "a", 10), (2, "b", 20)),
        *((3, "a", 30), (3, "b", 40)),
        *((4, "a", 50), (4, "b", 95)),
    )
    train, test = long.split_last(fraction=0.5, by="end")
    assert train.session_ids.tolist() == [2, 3]
    assert test.session_ids.tolist() == [1, 4]


def test_unknown_test_items_are_dropped_and_counted():
    train, test = four_days().split_last(days=1)
    assert test.item_ids.tolist() == train.item_ids.tolist() == ["a", "b"]
    assert as_lists(test)[-1] == ["a", "b"]
    assert [str(step) for step in test.dropped] == [
        "clicks on items outside the vocabulary: 1 items, 1 clicks"
    ]


def test_test_sessions_left_with_one_click_are_dropped_and_counted():
    rows = [(1, "a", 1), (1, "b", 2), (2, "a", 3), (2, "new", 4), (3, "a", 5), (3, "b", 6)]
    _, test = sessions_of(*rows).split_last(fraction=0.6)
    assert test.session_ids.tolist() == [3]
    assert sum(step.clicks for step in test.dropped) == 2


@seeds
@pytest.mark.parametrize("by", ["start", "end"])
@pytest.mark.parametrize("size", [{"days": 2}, {"fraction": 0.3}])
def test_both_parts_and_the_dropped_clicks_are_all_clicks(seed, by, size):
    whole = random_sessions(seed)
    train, test = whole.split_last(by=by, **size)
    dropped = sum(step.clicks for step in test.dropped)
    assert train.n_clicks + test.n_clicks + dropped == whole.n_clicks
    assert not set(train.session_ids) & set(test.session_ids)
    assert train.support.min() > 0
    np.testing.assert_array_equal(train.item_ids, test.item_ids)


def test_training_never_starts_after_the_test_part():
    train, test = random_sessions(0).split_last(fraction=0.2)
    assert train.times[train.offsets[:-1]].max() <= test.times[test.offsets[:-1]].min()


@pytest.mark.parametrize("size", [{}, {"days": 1, "fraction": 0.1}])
def test_a_split_needs_exactly_one_size(size):
    with pytest.raises(ValueError, match="either days= or fraction="):
        four_days().split_last(**size)


@pytest.mark.parametrize("size", [{"fraction": 0}, {"fraction": 1}, {"days": 99}, {"days": -1}])
def test_a_split_that_leaves_a_part_empty_is_refused(size):
    with pytest.raises(ValueError, match="training and .* test sessions.*choose another"):
        four_days().split_last(**size)


def test_a_split_that_leaves_nothing_says_how_far_the_sessions_are_spread():
    with pytest.raises(ValueError, match="whose starts are spread over 3 days"):
        four_days().split_last(days=99)


@pytest.mark.parametrize("fraction", [-0.1, 1.5, 10, float("nan")])
def test_a_fraction_that_is_no_share_is_refused(fraction):
    with pytest.raises(ValueError, match=f"between 0 and 1, got {fraction}"):
        four_days().split_last(fraction=fraction)


def test_milliseconds_split_like_seconds_once_they_are_told():
    rng = np.random.default_rng(0)
    start = 1_661_200_000 + np.sort(rng.integers(0, 30 * int(DAY), 300))
    frame = pd.DataFrame({"SessionId": range(300), "ItemId": 1, "Time": start})
    frame = pd.concat([frame, frame.assign(Time=start + 60)])
    want = [part.n_sessions for part in Sessions.from_frame(frame).split_last(days=7)]
    for unit, count in (("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        told = Sessions.from_frame(frame.assign(Time=frame.Time * count), unit=unit)
        assert [part.n_sessions for part in told.split_last(days=7)] == want


def test_a_test_part_of_unknown_items_only_is_refused():
    rows = [(1, "a", 1), (1, "b", 2), (2, "c", 3), (2, "d", 4)]
    with pytest.raises(ValueError, match="1 training and 0 test sessions"):
        sessions_of(*rows).split_last(fraction=0.5)


@pytest.mark.parametrize("size", [{"days": 1}, {"fraction": 0.1}])
def test_sessions_without_clicks_cannot_be_split(size):
    with pytest.raises(ValueError, match="0 training and 0 test sessions"):
        four_days().filtered(min_item=99).split_last(**size)


def test_a_split_by_anything_else_is_refused():
    with pytest.raises(ValueError, match="'middle'; choose start or end"):
        four_days().split_last(days=1, by="middle")


# --- parts


def test_the_most_recent_part_has_the_last_sessions_and_only_their_items():
    got = sessions_of((1, "a", 1), (1, "b", 2), (2, "c", 3), (2, "d", 4)).most_recent(0.5)
    assert as_lists(got) == [["c", "d"]]
    assert got.item_ids.tolist() == ["c", "d"]


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1])
def test_the_most_recent_part_is_a_share(fraction):
    with pytest.raises(ValueError, match=f"got {fraction}"):
        four_days().most_recent(fraction)


def test_all_of_it_is_the_most_recent_part_of_fraction_1():
    assert_same(four_days().most_recent(1), four_days())


def test_a_sample_has_its_size_keeps_the_order_and_depends_on_the_seed():
    whole = random_sessions(0)
    got = whole.sample(20, seed=1)
    assert got.n_sessions == 20
    assert (np.diff(got.times[got.offsets[:-1]]) >= 0).all()
    assert_same(got, whole.sample(20, seed=1))
    assert got.session_ids.tolist() != whole.sample(20, seed=2).session_ids.tolist()


def test_what_a_sample_or_another_part_leaves_out_is_counted():
    whole = random_sessions(0)
    for part in (whole.sample(20), whole.most_recent(0.5), whole.take(whole.lengths > 5)):
        (gone,) = part.dropped
        assert gone.sessions == whole.n_sessions - part.n_sessions
        assert gone.clicks == whole.n_clicks - part.n_clicks
    assert whole.sample(10**6).dropped == ()


def test_a_sample_of_more_sessions_than_there_are_is_everything():
    assert_same(four_days().sample(99), four_days())


@seeds
def test_a_sample_holds_its_sessions_whole(seed):
    whole = random_sessions(seed)
    sample = whole.sample(10, seed=seed)
    wanted = whole.to_frame().query("SessionId in @sample.session_ids").reset_index(drop=True)
    pd.testing.assert_frame_equal(sample.to_frame(), wanted)


def test_another_vocabulary_renumbers_items_and_counts_the_clicks_it_lacks():
    got = sessions_of((1, "a", 1), (1, "b", 2), (2, "b", 3)).with_items(np.array(["z", "a"]))
    assert as_lists(got) == [["a"]]
    assert got.items.tolist() == [1]
    assert got.item_ids.tolist() == ["z", "a"]
    assert [str(step) for step in got.dropped] == [
        "clicks on items outside the vocabulary: 1 sessions, 1 items, 2 clicks"
    ]


def test_the_same_vocabulary_changes_nothing():
    whole = four_days()
    assert whole.with_items(whole.item_ids) is whole


def test_a_permuted_vocabulary_names_the_same_items():
    whole = random_sessions(0)
    permuted = whole.with_items(whole.item_ids[::-1])
    assert as_lists(permuted) == as_lists(whole)
    assert permuted.dropped == ()


# --- what it says about itself


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda sessions: sessions.take(np.array([0, 1, 2, 3])), "a bool for each of the 4.*int64"),
        (lambda sessions: sessions.take(np.array([True])), "a bool for each of the 4.*\\(1,\\)"),
        (lambda sessions: sessions.sample(-1), "n_sessions must be .* at least 0, got -1"),
        (lambda sessions: sessions.with_items(np.array(["a", "b", "a"])), "1 items .* than once"),
    ],
    ids=["numbers", "another length", "a negative sample", "an item twice"],
)
def test_parts_that_make_no_sense_are_refused(what, message):
    with pytest.raises(ValueError, match=message):
        what(four_days())


def test_the_repr_counts_with_thousands_and_ends_with_the_note():
    frame = pd.DataFrame({"SessionId": [0] * 1_200, "ItemId": 5, "Time": 1})
    got = Sessions.from_frame(frame, name="shop", note="synthetic")
    assert repr(got) == "shop: 1 sessions, 1 items, 1,200 clicks (synthetic)"


def test_the_name_and_the_note_follow_every_part():
    frame = four_days().to_frame()
    whole = Sessions.from_frame(frame, name="shop", note="synthetic")
    parts = [whole.filtered(2, 1), *whole.split_last(days=1), whole.most_recent(0.5)]
    assert {(part.name, part.note) for part in parts} == {("shop", "synthetic")}


def test_the_summary_has_a_line_for_every_dropped_step():
    got = random_sessions(0).filtered(3, 6)
    assert len(got.summary().splitlines()) == 1 + len(got.dropped) == 4


def test_a_dropped_step_reads_as_a_sentence_without_zeros():
    assert str(Dropped("rare items", items=1_200, clicks=3)) == "rare items: 1,200 items, 3 clicks"


def test_sessions_cannot_be_changed():
    with pytest.raises(AttributeError):
        four_days().name = "other"


def test_between_says_when_there_are_no_clicks_at_all():
    nothing = random_sessions(0).filtered(min_item=10**6)
    with pytest.raises(ValueError, match="there are no clicks to choose from"):
        nothing.between(since=5)
