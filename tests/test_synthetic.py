import time

import numpy as np
import pytest

from gru4rec_lab import load_sessions
from gru4rec_lab.data.sessions import DAY
from gru4rec_lab.data.synthetic import CATEGORIES, FIRST_DAY, WORLDS, load_world, whole

every_world = pytest.mark.parametrize("name", WORLDS)


def steps(sessions, back=1):
    """Items `back` clicks before a click of the same session, and the item of that click."""
    same = sessions.session_of_click[back:] == sessions.session_of_click[:-back]
    return sessions.items[:-back][same], sessions.items[back:][same]


def most_common_next(before, after, n_items):
    """How often the most frequent follower of `before` is right, on the same clicks."""
    counts = np.zeros((int(before.max()) + 1, n_items), dtype=int)
    np.add.at(counts, (before, after), 1)
    return counts.max(axis=1).sum() / len(after)


# --- every world


@every_world
def test_the_same_options_give_the_same_sessions(name):
    first, again = load_sessions(name, seed=3), load_sessions(name, seed=3)
    for field in ("items", "times", "offsets", "item_ids", "session_ids"):
        np.testing.assert_array_equal(getattr(first, field), getattr(again, field))


@every_world
def test_another_seed_gives_other_sessions(name):
    first, other = load_sessions(name, n_sessions=50), load_sessions(name, n_sessions=50, seed=1)
    assert first.items.tolist() != other.items.tolist()


@every_world
def test_a_world_says_that_it_is_synthetic(name):
    got = load_sessions(name, n_sessions=50)
    assert repr(got).startswith(f"{name}: 50 sessions, ")
    assert repr(got).endswith("(synthetic)")


@every_world
def test_sessions_have_2_to_20_clicks_and_every_item_is_clicked(name):
    got = load_sessions(name)
    assert got.n_sessions == 10_000
    assert (got.lengths.min(), got.lengths.max()) == (2, 20)
    assert got.support.min() > 0
    assert len(set(got.item_ids)) == got.n_items <= WORLDS[name].n_items


@every_world
def test_starts_rise_strictly_over_four_weeks_and_clicks_within_a_session(name):
    got = load_sessions(name)
    starts = got.times[got.offsets[:-1]]
    assert (np.diff(starts) > 0).all()
    assert starts[0] >= FIRST_DAY
    assert 27 * DAY < starts[-1] - starts[0] < 29 * DAY
    inside = np.diff(got.session_of_click) == 0
    assert (np.diff(got.times)[inside] >= 5).all()
    assert (got.times == np.round(got.times)).all()


@every_world
def test_a_split_by_days_keeps_the_whole_vocabulary_after_the_filter(name):
    train, test = load_sessions(name).filtered().split_last(days=2)
    assert 0.05 < test.n_sessions / (train.n_sessions + test.n_sessions) < 0.10
    assert sum(step.clicks for step in test.dropped if "vocabulary" in step.reason) < 20


@every_world
def test_a_world_goes_through_a_frame_unchanged(name):
    got = load_sessions(name, n_sessions=100)
    again = type(got).from_frame(got.to_frame())
    assert again.to_frame().equals(got.to_frame())


@every_world
def test_the_smallest_catalogue_and_a_single_session_work(name):
    got = load_sessions(name, n_sessions=1, n_items=WORLDS[name].fewest)
    assert got.n_sessions == 1


@every_world
def test_ten_thousand_sessions_take_well_under_a_second(name):
    started = time.perf_counter()
    load_world(name)
    assert time.perf_counter() - started < 1.0


@every_world
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_sessions": 0}, "n_sessions must be at least 1, got 0"),
        ({"n_items": 1}, r"n_items must be at least \d+, got 1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_an_impossible_option_is_refused_with_its_value(name, options, message):
    with pytest.raises(ValueError, match=message):
        load_sessions(name, **options)


@pytest.mark.parametrize("value", [1.5, "many", None])
def test_what_is_no_whole_number_is_refused_with_its_value(value):
    with pytest.raises(ValueError, match=f"seed must be a whole number, got {value!r}"):
        whole("seed", value, at_least=0)


def test_numpy_integers_are_whole_numbers():
    assert load_sessions("world:cycle", n_sessions=np.int64(7)).n_sessions == 7


# --- the idea of each


def test_in_the_cycle_every_item_has_one_successor_and_the_ring_closes():
    got = load_sessions("world:cycle")
    before, after = steps(got)
    successor = dict(zip(before.tolist(), after.tolist(), strict=True))
    assert all(successor[a] == b for a, b in zip(before.tolist(), after.tolist(), strict=True))
    place, seen = 0, set()
    while place not in seen:
        seen.add(place)
        place = successor[place]
    assert len(seen) == got.n_items == 100


def test_in_the_markov_world_nine_steps_of_ten_go_to_five_successors():
    got = load_sessions("world:markov", n_items=50, n_sessions=20_000)
    before, after = steps(got)
    counts = np.zeros((50, 50))
    np.add.at(counts, (before, after), 1)
    top_five = np.sort(counts, axis=1)[:, -5:].sum() / counts.sum()
    assert 0.9 < top_five < 0.96
    assert got.item_ids[got.support.argmax()] in {f"item-{k:02d}" for k in range(1, 6)}


def test_in_the_markov_world_the_click_before_the_last_adds_nothing():
    got = load_sessions("world:markov", n_items=20, n_sessions=20_000)
    two_back, after = steps(got, back=2)
    last = got.items[1:-1][got.session_of_click[2:] == got.session_of_click[:-2]]
    by_one = most_common_next(last, after, 20)
    by_two = most_common_next(two_back * 20 + last, after, 20)
    assert by_two - by_one < 0.02


def test_in_the_memory_world_theme_and_hub_take_turns_within_one_theme():
    got = load_sessions("world:memory", n_sessions=500)
    words = [name.split("-")[:2] for name in got.item_ids[got.items]]
    for start, end in zip(got.offsets[:-1], got.offsets[1:], strict=True):
        kinds = [word[0] for word in words[start:end]]
        assert kinds == ["theme" if k % 2 == 0 else "hub" for k in range(end - start)]
        assert len({word[1] for word in words[start:end:2]}) == 1


def test_in_the_memory_world_the_last_item_says_nothing_and_the_one_before_nearly_all():
    got = load_sessions("world:memory", n_items=80, n_sessions=20_000)
    two_back, after = steps(got, back=2)
    last = got.items[1:-1][got.session_of_click[2:] == got.session_of_click[:-2]]
    is_hub = np.array([name.startswith("hub") for name in got.item_ids])
    asked = is_hub[last]
    assert most_common_next(last[asked], after[asked], got.n_items) < 0.05
    assert 0.8 < most_common_next(two_back[asked], after[asked], got.n_items) < 0.88


def test_in_the_world_of_intent_half_of_the_later_clicks_are_told_by_the_first_and_its_distance():
    got = load_sessions("world:intent", n_items=60, n_sessions=20_000)
    for back in (1, 2, 5):
        at = got.offsets[:-1][got.lengths > back]
        first, later = (got.item_ids[got.items[place]] for place in (at, at + back))
        wanted = [f"{name[:-1]}{'abcdef'[('abcdef'.index(name[-1]) + back) % 6]}" for name in first]
        told = np.mean(later == wanted)
        # Half of them by plan, and a sixtieth of the strays by chance.
        assert 0.49 < told < 0.53


def test_in_the_world_of_intent_a_later_click_tells_less_than_the_first():
    got = load_sessions("world:intent", n_items=60, n_sessions=20_000)
    third = got.offsets[:-1][got.lengths > 3] + 3
    by_first = most_common_next(got.items[third - 3], got.items[third], 60)
    by_last = most_common_next(got.items[third - 1], got.items[third], 60)
    assert by_last < by_first - 0.15


def test_in_the_shop_a_session_stays_on_a_shelf_or_goes_to_its_complement():
    got = load_sessions("world:shop")
    shelf = np.array([name.rsplit("-", 1)[0] for name in got.item_ids])
    before, after = steps(got)
    stays = shelf[before] == shelf[after]
    assert 0.78 < stays.mean() < 0.82
    moved = zip(shelf[before[~stays]], shelf[after[~stays]], strict=True)
    assert all(CATEGORIES[here] == there for here, there in moved)


def test_in_the_shop_names_are_readable_and_low_numbers_popular():
    got = load_sessions("world:shop")
    assert {"boots-07", "sleeping-bags-20"} < set(got.item_ids)
    first = got.item_ids == "boots-01"
    assert got.support[first][0] > got.support[got.item_ids == "boots-10"][0]


def test_in_the_shop_nobody_clicks_the_same_item_twice_in_a_row():
    before, after = steps(load_sessions("world:shop", n_items=52))
    assert (before != after).all()


def test_in_the_shop_any_catalogue_size_fills_the_shelves_evenly():
    got = load_sessions("world:shop", n_items=100, n_sessions=20_000)
    assert got.n_items == 100
    shelves = [name.rsplit("-", 1)[0] for name in got.item_ids]
    sizes = {shelf: shelves.count(shelf) for shelf in CATEGORIES}
    assert set(sizes.values()) == {7, 8}


def test_every_category_completes_one_that_exists():
    assert set(CATEGORIES.values()) == set(CATEGORIES)
