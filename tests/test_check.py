import dataclasses

import numpy as np
import pandas as pd
import pytest

from gru4rec_lab import Sessions, check_sessions, load_sessions
from gru4rec_lab.data.sessions import DAY

HOUR = 3600


def sessions_of(*sessions, times=None, names=None):
    """Sessions of items; a second between clicks and a day between sessions unless said."""
    rows = [
        (names[k] if names else k, item, k * DAY + place if times is None else times[k][place])
        for k, items in enumerate(sessions)
        for place, item in enumerate(items)
    ]
    return Sessions.from_frame(pd.DataFrame(rows, columns=["SessionId", "ItemId", "Time"]))


def of(findings, name):
    (one,) = [each for each in findings if each.name == name]
    return one


@pytest.fixture(scope="module")
def clean():
    return load_sessions("world:markov", n_sessions=3000, n_items=100).split_last(fraction=0.1)


def test_a_clean_set_and_its_split_in_time_need_no_attention(clean):
    got = check_sessions(*clean)
    assert got.ok
    assert {each.verdict for each in got} == {"fine"}
    assert [each.name for each in got] == [
        "sequential", "sorted", "same time", "duplicates", "giants", "long pauses",
        "same sessions", "future", "unseen",
    ]  # fmt: skip
    assert [each.name for each in check_sessions(clean[0])] == [each.name for each in got[:6]]


@pytest.mark.parametrize("name", ["world:memory", "world:cycle", "world:shop"])
def test_every_world_is_fine_also_where_only_the_click_before_the_last_matters(name):
    assert check_sessions(load_sessions(name, n_sessions=3000)).to_look_at == ()


def test_the_report_has_a_line_for_each_finding_and_the_way_out_below(clean):
    assert len(repr(check_sessions(clean[0])).splitlines()) == 6
    report = repr(check_sessions(sessions_of("abc", times=[[1, 1, 2]])))
    assert "look     same time      50.0% of the steps" in report
    assert 'time=("time", "order")' in report


def test_a_number_is_found_by_its_name(clean):
    got = check_sessions(clean[0])
    assert got.value("giants") == 0
    with pytest.raises(ValueError, match="no finding 'bots'; choose one of sequential, sorted"):
        got.value("bots")


def test_clicks_shuffled_inside_sessions_are_seen_not_to_be_sequential(clean):
    train, _ = clean
    order = np.lexsort((np.random.default_rng(1).random(train.n_clicks), train.session_of_click))
    got = of(check_sessions(dataclasses.replace(train, items=train.items[order])), "sequential")
    assert abs(got.value) < 0.05
    assert got.verdict == "look"
    assert of(check_sessions(train), "sequential").value > 0.1


def test_what_is_foreseen_is_counted_by_hand():
    # Of 10 sessions the last 2 are foreseen: a is followed by b in all 8, which the last does not.
    got = of(check_sessions(sessions_of(*["ab"] * 9, "ac")), "sequential")
    assert got.found.startswith("50.0% of the next clicks are foreseen")


def test_one_click_sessions_cannot_tell_whether_their_order_means_something():
    got = of(check_sessions(sessions_of("a", "b")), "sequential")
    assert got.verdict == "unknown"
    assert check_sessions(sessions_of("a", "b")).ok


@pytest.mark.parametrize(
    ("sessions", "share", "verdict"),
    [
        (("abc", "bcd", "ad"), 1.0, "look"),
        (("cba", "dcb"), 1.0, "look"),
        (("ab", "ba"), 0.5, "fine"),
        (("aab", "ba"), 0.5, "fine"),  # the same item again goes no way
    ],
)
def test_an_order_of_the_items_that_all_steps_keep_to_is_a_sort(sessions, share, verdict):
    got = of(check_sessions(sessions_of(*sessions * 50)), "sorted")
    assert (got.value, got.verdict) == (share, verdict)


def test_a_few_steps_in_one_order_are_no_sort():
    assert of(check_sessions(sessions_of(*["ab"] * 99)), "sorted").verdict == "unknown"
    assert of(check_sessions(sessions_of(*["ab"] * 100)), "sorted").verdict == "look"
    # Each item stands in one session alone: its mean place there is its place.
    rng = np.random.default_rng(0)
    got = of(check_sessions(sessions_of(*rng.permutation(800).reshape(200, 4).tolist())), "sorted")
    assert got.verdict == "fine"
    assert got.value < 0.6


def test_a_sort_by_something_else_than_the_names_is_seen_too():
    rng = np.random.default_rng(0)
    names = np.array(list("qhzbxkfo"))  # in the order of the sort
    sessions = [names[np.sort(rng.choice(8, 4, replace=False))] for _ in range(300)]
    got = of(check_sessions(sessions_of(*sessions)), "sorted")
    assert got.value == 1
    assert got.verdict == "look"


def test_equal_times_are_shares_of_steps_to_other_items():
    got = of(check_sessions(sessions_of("abc", "aa", times=[[1, 1, 2], [9, 9]])), "same time")
    assert (got.value, got.verdict) == (1 / 3, "look")


def test_a_file_that_was_read_twice_is_half_duplicates(clean):
    frame = clean[0].to_frame()
    got = of(check_sessions(Sessions.from_frame(pd.concat([frame, frame]))), "duplicates")
    assert (got.value, got.verdict) == (0.5, "look")


def test_duplicates_cannot_be_told_where_all_clicks_have_one_time():
    got = of(check_sessions(sessions_of("aba", times=[[1, 1, 1]])), "duplicates")
    assert got.verdict == "unknown"


def test_a_bot_is_a_giant_among_the_sessions():
    got = of(check_sessions(sessions_of("ab" * 150, *["ab"] * 99)), "giants")
    assert (got.value, got.verdict) == (300 / 498, "look")
    assert "1 giant sessions; the longest has 300" in got.found
    # Long, but all are.
    assert of(check_sessions(sessions_of(*["ab" * 150] * 3)), "giants").verdict == "fine"


def test_users_taken_for_sessions_are_seen_by_their_pauses():
    times = [[0, 7 * HOUR], [0, HOUR], [0, 6 * HOUR], [0, 1], [5]]
    got = of(check_sessions(sessions_of("ab", "ab", "ab", "ab", "a", times=times)), "long pauses")
    assert (got.value, got.verdict) == (1 / 4, "look")
    assert "gap=30" in got.way_out


def test_a_session_in_both_parts_is_a_leak():
    train, test = sessions_of("ab", "ab", names="xy"), sessions_of("ab", "ab", names="yz")
    got = of(check_sessions(train, test), "same sessions")
    assert (got.value, got.verdict) == (0.5, "look")


def test_training_clicks_later_than_test_clicks_are_a_leak():
    train, test = sessions_of("abab", times=[[1, 2, 3, 4]]), sessions_of("ab", times=[[3, 5]])
    got = of(check_sessions(train, test), "future")
    assert (got.value, got.verdict) == (1 / 8, "look")


def test_a_random_split_knows_the_future_in_half_of_the_pairs():
    whole = load_sessions("world:markov", n_sessions=2000)
    in_test = np.random.default_rng(0).random(whole.n_sessions) < 0.1
    got = of(check_sessions(whole.take(~in_test), whole.take(in_test)), "future")
    assert 0.4 < got.value < 0.6
    assert got.verdict == "look"


def test_unseen_items_are_counted_whether_still_there_or_dropped_by_the_split():
    train, test = sessions_of("ab", "ab"), sessions_of("abn", "an")
    got = of(check_sessions(train, test), "unseen")
    assert (got.value, got.verdict) == (2 / 5, "look")
    assert of(check_sessions(train, test.with_items(train.item_ids)), "unseen").value == 2 / 5


def test_a_sample_of_the_test_set_has_its_share_of_unseen_items():
    train, test = sessions_of("ab"), sessions_of(*["abn"] * 50)
    late = test.with_items(train.item_ids)
    for part in (late.sample(10), late.take(np.arange(50) < 2), late.most_recent(0.1)):
        assert part.dropped[-1].reason == "sessions not taken"
        assert of(check_sessions(train, part), "unseen").value == pytest.approx(1 / 3)
    # What was dropped after it, here b, was a click on a known item.
    left = late.filtered(min_item=51)
    assert left.n_clicks == 0
    assert of(check_sessions(train, left), "unseen").value == pytest.approx(1 / 3)


def test_sessions_without_clicks_give_no_error():
    nothing = sessions_of("ab").filtered(min_item=10)
    assert {each.verdict for each in check_sessions(nothing, nothing)} <= {"fine", "unknown"}
