import subprocess
import sys

import pytest

from gru4rec_lab import Sessions, claims_of, list_datasets, load_sessions, load_split
from gru4rec_lab.data.lab_split import lab_data
from gru4rec_lab.data.recipes import RECIPES

NAMES = [
    "flights",
    *RECIPES,
    "world:markov",
    "world:memory",
    "world:intent",
    "world:cycle",
    "world:shop",
]


def test_the_list_is_plain_data():
    assert [each.name for each in list_datasets()] == NAMES
    assert {each.kind for each in list_datasets()} == {"real", "synthetic"}
    assert tuple(list_datasets()[0])[:2] == ("flights", "real")


def test_the_list_shows_a_line_for_each_set_and_one_for_your_own():
    lines = repr(list_datasets()).splitlines()
    assert [line.split()[0] for line in lines] == [*NAMES, "your"]
    assert lines[-6] == "world:markov  synthetic  the next item depends on the last one only"
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("world:")])
def test_every_world_of_the_list_loads(name):
    got = load_sessions(name, n_sessions=20)
    assert isinstance(got, Sessions)
    assert got.name == name


@pytest.mark.parametrize("name", ["flight", "Flights", "", "world:"])
def test_an_unknown_name_is_refused_with_the_choices(name):
    with pytest.raises(ValueError, match=f"choose one of {', '.join(NAMES)}"):
        load_sessions(name)


@pytest.mark.parametrize("name", ["clicks.csv", "no/such/folder", "CLICKS.TSV.GZ"])
def test_a_missing_file_is_named_with_the_built_in_sets(name):
    with pytest.raises(FileNotFoundError, match=f"{name}.*built-in.*{', '.join(NAMES)}"):
        load_sessions(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flights", "'flights' has no option 'colour'; it takes none"),
        ("world:shop", "'colour'; choose from n_sessions, n_items, seed"),
    ],
)
def test_an_unknown_option_is_refused_with_those_there_are(name, message):
    with pytest.raises(ValueError, match=message):
        load_sessions(name, colour="red")


def test_importing_the_data_sets_loads_no_pandas():
    code = "import sys, gru4rec_lab.data; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def same(ours, theirs):
    return (ours.item_ids[ours.items] == theirs.item_ids[theirs.items]).all()


def test_lessons_and_lab_train_on_the_most_recent_fifth_of_the_flights_before_the_last_tenth():
    past, later = load_sessions("flights").filtered().split_last(fraction=0.1)
    training, test = load_split("flights")
    assert same(training, past.most_recent(0.2))
    assert same(test, later)
    lab = lab_data(None, None)
    assert same(lab.training, training)
    assert set(lab.validation.session_ids) <= set(test.session_ids)
    assert same(load_split("flights", recent=0.02)[0], training.most_recent(0.1))


def test_a_world_is_split_but_not_shortened():
    past, later = load_sessions("world:memory").filtered().split_last(fraction=0.1)
    training, test = load_split("world:memory")
    assert same(training, past)
    assert same(test, later)


def test_the_last_tenth_of_sessions_of_ones_own_validates_and_is_not_trained_on():
    sessions = load_sessions("world:cycle", n_sessions=100, n_items=20)
    past, later = sessions.split_last(fraction=0.1)
    lab = lab_data(sessions, None)
    assert set(lab.training.session_ids) == set(past.session_ids)
    assert set(lab.validation.session_ids) <= set(later.session_ids)


def test_a_public_set_is_split_as_is_usual_for_it(monkeypatch):
    whole = load_sessions("world:markov", n_sessions=2000)
    monkeypatch.setattr("gru4rec_lab.data.lab_split.load_sessions", lambda name: whole)
    sessions = whole.filtered()
    past, later = sessions.split_last(days=1, by="end")
    training, test = load_split("yoochoose")
    assert same(training, past.most_recent(1 / 64))
    assert same(test, later)
    assert same(load_split("yoochoose", recent=1 / 4)[0], past.most_recent(1 / 4))
    assert same(load_split("e-shop")[0], sessions.split_last(fraction=0.1)[0])


def test_a_claim_that_fails_elsewhere_says_where_it_was_found():
    here, elsewhere = claims_of("flights", "flights"), claims_of("flights", "e-shop")
    assert [here(claim) for claim in (True, False)] == ["True", "False"]
    assert elsewhere(True) == "True"
    assert elsewhere(False) == "found on the flights, does not hold on e-shop"
