import gzip
import os
import shutil
from pathlib import Path

import pytest

from gru4rec_lab import list_datasets, load_sessions, load_split
from gru4rec_lab.data import catalogue, lab_split, recipes
from gru4rec_lab.data.recipes import RECIPES, load_recipe

from .small_shop import CLICKS, HEADER, SMALL

DAY_ONE = 1_207_008_000  # 1 April 2008, 00:00 UTC
DAY = 86_400
DATASETS = Path(__file__).parents[1] / "datasets"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, without any set in it."""
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def put(text, recipe=SMALL):
    recipe.path.parent.mkdir(parents=True, exist_ok=True)
    recipe.path.write_bytes(text.encode())
    return recipe.path


def clicked(sessions):
    """Session to the items clicked in it, in the order of sessions and clicks."""
    ids = sessions.item_ids[sessions.items]
    ends = zip(sessions.offsets, sessions.offsets[1:], strict=False)
    clicks = [" ".join(ids[start:end]) for start, end in ends]
    return dict(zip(sessions.session_ids.tolist(), clicks, strict=True))


# --- the recipe, by hand


def test_clicks_are_in_the_order_of_the_day_and_of_the_column_order():
    put(CLICKS)
    got = load_recipe(SMALL, repeats=True)
    # Session 3 began on the day before; of the two on the first of April 1 comes first.
    assert clicked(got) == {3: "B1", 1: "A1 A1 A1 B1 A1", 2: "A1 C7", 4: "C7 B1 B1"}
    assert got.times.tolist() == [
        DAY_ONE - DAY,
        *[DAY_ONE] * 7,
        *[DAY_ONE + DAY] * 2,
        DAY_ONE + 2 * DAY,
    ]
    assert got.dropped == ()


def test_clicks_on_the_item_clicked_just_before_are_dropped_and_counted():
    put(CLICKS)
    got = load_recipe(SMALL)
    # The A1 of session 2 follows that of session 1, but in another session.
    assert clicked(got) == {3: "B1", 1: "A1 B1 A1", 2: "A1 C7", 4: "C7 B1"}
    (step,) = got.dropped
    assert (step.sessions, step.items, step.clicks) == (0, 0, 3)
    assert "dropped clicks on the item clicked just before: 3 clicks" in got.summary()


@pytest.mark.parametrize(
    "text",
    [
        CLICKS.replace("\n", "\r\n"),
        CLICKS.replace(";order;", ";order(sells);"),
        "\ufeff" + CLICKS,
        CLICKS.replace(";29;", ";9;"),
        "\n".join([HEADER, *reversed(CLICKS.splitlines()[1:])]),
    ],
    ids=[
        "line ends of the publisher",
        "order(sells)",
        "byte order mark",
        "country",
        "order of rows",
    ],
)
def test_copies_with_the_same_clicks_are_the_same_sessions(text):
    put(text)
    assert clicked(load_recipe(SMALL)) == {3: "B1", 1: "A1 B1 A1", 2: "A1 C7", 4: "C7 B1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'small shop.csv' cannot be read as small: .*; get it again with: python -m"),
        ("<html>no such page</html>\n", "no column 'year'; it has <html>no such page</html>"),
        (CLICKS.replace("session ID", "visit"), "no column 'session ID'; it has year, month"),
        (CLICKS.replace(";", ","), "no column 'year'"),
        (CLICKS[: CLICKS.rindex("2008")], "has 10 clicks, not the 11 of small; get it again"),
        (CLICKS.replace(";4;2;B1;", ";5;2;B1;", 1), "has 5 sessions, not the 4 of small"),
        (CLICKS.replace("C7", "C8", 1), "has 4 items, not the 3 of small"),
        (CLICKS.replace("2008;4;1;2;29;2;3;C7", "2008;4;1;2;29;2;3;B1"), "but other ones.*own"),
        (CLICKS.replace("2008;4;1;", "2008;4;41;"), "cannot be read as small: .*; get it again"),
        (CLICKS.replace("2008;4;1;", "2008;x;1;"), "cannot be read as small: .*; get it again"),
        ("\0\1\2" * 99, "cannot be read as small|no column"),
    ],
)  # fmt: skip
def test_a_file_with_other_clicks_is_refused_with_a_way_out(text, message):
    put(text)
    with pytest.raises(ValueError, match=message):
        load_recipe(SMALL)


def test_a_file_that_is_no_text_is_refused():
    put("").write_bytes(b"\xff\xfe\x80" * 50)
    with pytest.raises(ValueError, match="cannot be read as small"):
        load_recipe(SMALL)


# --- where it lies


def test_a_set_that_was_not_fetched_says_how_to_get_it(cache):
    with pytest.raises(FileNotFoundError) as told:
        load_sessions("e-shop")
    said = str(told.value)
    assert "'e-shop' is not on this machine; get it with: python -m gru4rec_lab.data e-shop" in said
    assert "archive.ics.uci.edu/dataset/553" in said
    assert "CC BY 4.0" in said
    assert f"put 'e-shop clothing 2008.csv' into {cache / 'downloads'}" in said
    assert not cache.exists()


def test_it_is_prepared_once_and_kept_apart_by_option(cache, monkeypatch):
    put(CLICKS)
    first, whole = load_recipe(SMALL), load_recipe(SMALL, repeats=True)
    assert len(list(cache.glob("small-*.npz"))) == 2
    monkeypatch.setattr(recipes, "Sessions", None)
    assert clicked(load_recipe(SMALL)) == clicked(first)
    assert clicked(load_recipe(SMALL, repeats=True)) == clicked(whole)


def test_a_folder_that_cannot_be_written_does_not_stop_the_loading(cache, monkeypatch):
    def full(*args, **arrays):
        raise OSError("no space left")

    put(CLICKS)
    monkeypatch.setattr("numpy.savez_compressed", full)
    assert load_recipe(SMALL).n_clicks == 8
    assert [path.name for path in cache.iterdir()] == ["downloads"]


def listed(name="e-shop"):
    return next(each for each in list_datasets() if each.name == name)


def test_the_list_says_what_fetches_a_set_until_it_is_here():
    assert listed().kind == "real"
    assert listed().command == "python -m gru4rec_lab.data e-shop"
    assert f"; get it: {listed().command}" in repr(list_datasets())
    put(CLICKS, RECIPES["e-shop"])
    assert listed().command == ""
    assert f"get it: {RECIPES['e-shop'].command}" not in repr(list_datasets())


def test_the_list_does_without_a_home_folder(monkeypatch):
    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(recipes, "cache_folder", homeless)
    assert listed().command


def test_load_sessions_knows_its_option_and_no_other(monkeypatch):
    with pytest.raises(ValueError, match="'e-shop' has no option 'seed'; choose from repeats"):
        load_sessions("e-shop", seed=1)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_has_a_card_and_a_licence_and_is_in_the_list(recipe):
    name = recipe.name
    card = (DATASETS / f"{name.replace('-', '_')}.md").read_text(encoding="utf-8")
    for said in (recipe.command, recipe.address, recipe.page, recipe.file, recipe.sha256):
        assert said in card, f"{name}: its card does not say {said}"
    for count in (recipe.n_rows, recipe.n_clicks, recipe.n_sessions, recipe.n_items):
        assert count is None or f"{count:,}" in card
    assert recipe.licence.partition(":")[0].partition(",")[0].lower() in card.lower()
    assert listed(name).what == recipe.what
    assert f"`{name}`" in (DATASETS / "README.md").read_text(encoding="utf-8")


def test_the_flights_are_first_in_the_list_and_the_e_shop_is_the_first_to_fetch():
    assert [each.name for each in catalogue.list_datasets()][:2] == ["flights", "e-shop"]


# --- the real file


@pytest.fixture
def e_shop():
    """The recipe, with the file of the development data in its place."""
    recipe = RECIPES["e-shop"]
    if not (folder := os.environ.get("GRU4REC_LAB_DEV_DATA")):
        pytest.skip("needs development data; name their folder in GRU4REC_LAB_DEV_DATA")
    recipe.path.parent.mkdir(parents=True)
    packed = Path(folder) / "data" / "e-shop_clothing_2008.csv.gz"
    with gzip.open(packed) as file, recipe.path.open("wb") as unpacked:
        shutil.copyfileobj(file, unpacked)
    return recipe


def counts(sessions):
    return sessions.n_sessions, sessions.n_items, sessions.n_clicks


def test_the_published_file_has_the_counts_of_its_card(e_shop):
    whole, kept = load_sessions("e-shop", repeats=True), load_sessions("e-shop")
    assert counts(whole) == (24_026, 217, 165_474)
    assert counts(kept) == (24_026, 217, 157_889)
    assert kept.dropped[0].clicks == 7_585
    assert counts(kept.filtered()) == (18_570, 213, 152_427)
    training, test = load_split("e-shop")
    assert counts(training) == (16_713, 213, 136_591)
    assert counts(test) == (1_857, 213, 15_836)


def test_the_published_file_is_known_by_its_clicks_whatever_ends_its_lines(e_shop):
    here = e_shop.path.read_bytes()
    e_shop.path.write_bytes(here.replace(b"\n", b"\r\n"))
    assert counts(load_recipe(e_shop)) == (24_026, 217, 157_889)


def test_the_parts_of_a_split_are_kept_and_loaded_alike(e_shop, monkeypatch):
    first = load_split("e-shop")
    monkeypatch.setattr(lab_split, "load_sessions", None)
    for ours, theirs in zip(load_split("e-shop"), first, strict=True):
        assert ours.to_frame().equals(theirs.to_frame())
        assert ours.summary() == theirs.summary()
    assert counts(load_split("e-shop", recent=0.5)[0])[0] == 8_357
