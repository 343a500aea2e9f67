import subprocess
import sys

import pytest

from gru4rec_lab import Sessions, list_datasets, load_sessions

NAMES = ["flights", "world:markov", "world:memory", "world:cycle", "world:shop"]


def test_the_list_is_plain_data():
    assert [each.name for each in list_datasets()] == NAMES
    assert {each.kind for each in list_datasets()} == {"real", "synthetic"}
    assert tuple(list_datasets()[0])[:2] == ("flights", "real")


def test_the_list_shows_a_line_for_each_set_and_one_for_your_own():
    lines = repr(list_datasets()).splitlines()
    assert [line.split()[0] for line in lines] == [*NAMES, "your"]
    assert lines[1] == "world:markov  synthetic  the next item depends on the last one only"
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
