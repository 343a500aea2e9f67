import gzip

import pytest

from gru4rec_lab import load_sessions

ROWS = [(1, 10, 5), (1, 20, 6), (2, 20, 7), (2, 10, 8)]


def written(path, text, encoding="utf-8"):
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def table(rows=ROWS, separator=",", header=("SessionId", "ItemId", "Time")):
    return "".join(separator.join(map(str, row)) + "\n" for row in [header, *rows])


def items(sessions):
    return sessions.item_ids[sessions.items].tolist()


@pytest.mark.parametrize(
    ("name", "separator"),
    [("a.csv", ","), ("a.tsv", "\t"), ("a.csv.gz", ","), ("a.tsv.gz", "\t"), ("a.csv", ";")],
)
def test_a_file_is_read_whatever_separates_its_cells(tmp_path, name, separator):
    path = written(tmp_path / name, table(separator=separator))
    got = load_sessions(path)
    assert items(got) == [10, 20, 20, 10]
    assert got.session_ids.tolist() == [1, 2]
    assert got.times.tolist() == [5, 6, 7, 8]
    assert repr(got) == f"{name}: 2 sessions, 2 items, 4 clicks"


def test_a_name_reads_the_same_file_as_a_path(tmp_path, monkeypatch):
    path = written(tmp_path / "clicks.CSV", table())
    monkeypatch.chdir(tmp_path)
    for name in ("clicks.CSV", "./clicks.CSV", str(path)):
        assert items(load_sessions(name)) == [10, 20, 20, 10]


def test_a_parquet_file_is_read(tmp_path):
    pytest.importorskip("pyarrow")
    world = load_sessions("world:shop", n_sessions=30)
    world.to_frame().to_parquet(tmp_path / "shop.parquet")
    got = load_sessions(tmp_path / "shop.parquet")
    assert got.to_frame().equals(world.to_frame())


def test_columns_are_named_by_options_and_others_ignored(tmp_path):
    header = ("price", "visit", "product", "when")
    text = table([(9.5, *row) for row in ROWS], header=header)
    path = written(tmp_path / "a.csv", text)
    got = load_sessions(path, session="visit", item="product", time="when")
    assert items(got) == [10, 20, 20, 10]


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        (("1", "20"), [1, 20]),
        (("007", "7"), ["007", "7"]),
        (("1", "b"), ["1", "b"]),
        (("NA", "null"), ["NA", "null"]),
        (('"red, new"', "b"), ["red, new", "b"]),
        ((" 7", "7"), [" 7", "7"]),
        (("1.0", "2.0"), ["1.0", "2.0"]),
        (("9" * 30, "1"), ["9" * 30, "1"]),
    ],
)
def test_ids_stay_as_written_unless_all_are_plain_integers(tmp_path, ids, kept):
    path = written(tmp_path / "a.csv", table([(1, ids[0], 1), (1, ids[1], 2)]))
    assert items(load_sessions(path)) == kept


@pytest.mark.parametrize(
    "text",
    [
        table().replace("\n", "\r\n"),
        "\n" + table() + "\n\n",
        "\ufeff" + table(),
        table().rstrip("\n"),
    ],
    ids=["windows lines", "blank lines", "byte-order mark", "no last newline"],
)
def test_the_quirks_of_exported_files_do_no_harm(tmp_path, text):
    assert items(load_sessions(written(tmp_path / "a.csv", text))) == [10, 20, 20, 10]


def test_moments_in_a_file_become_seconds(tmp_path):
    times = ["2014-04-07T10:51:09.277Z", "2014-04-07T10:51:10Z"]
    path = written(tmp_path / "a.csv", table([(1, 1, times[0]), (1, 2, times[1])]))
    assert load_sessions(path).times.tolist() == [1_396_867_869.277, 1_396_867_870.0]


REFUSED = {
    "an empty file": ("", "'a.csv' is empty"),
    "blank lines only": ("\n\n", "'a.csv' is empty"),
    "a header only": (table([]), "'a.csv' has a header but no rows"),
    "a missing item": (table([(1, "", 1), (1, 2, 2)]), "1 of 2 rows have no ItemId"),
    "a missing time": (table([(1, 1, "NaN"), (1, 2, 2)]), "1 of 2 rows have no Time"),
    "a bad time": (table([*ROWS, (3, 3, "x")]), "1 of 5 rows .* cannot be read, first row 4"),
    "a negative time": (table([*ROWS, (3, 3, -1)]), "1 of 5 rows .* below 0"),
    "a short row": (table([*ROWS, (3, 3)]), "1 of 5 rows have no Time"),
    "a long row": (
        table([*ROWS, (3, "red", " new", 9)]),
        "1 of 5 rows, first row 4, have more cells",
    ),
    "long rows": (
        table([(1, *row) for row in ROWS]),
        "4 of 4 rows, .* more cells",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_holds_no_clicks_is_refused_with_the_reason(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        load_sessions(written(tmp_path / "a.csv", text))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_missing_column_is_named_with_those_found_and_the_way_out(tmp_path, name):
    world = load_sessions("world:shop", n_sessions=30).to_frame()
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
        world.to_parquet(tmp_path / name)
    else:
        world.to_csv(tmp_path / name, index=False)
    with pytest.raises(ValueError, match="no column 'visit'; it has SessionId, ItemId, Time") as e:
        load_sessions(tmp_path / name, session="visit")
    assert f'load_sessions(\'{name}\', session="...", item="...", time="...")' in str(e.value)


@pytest.mark.parametrize("rows", [1, 5_000])
def test_text_that_is_not_utf_8_is_refused_near_and_far(tmp_path, rows):
    text = table(ROWS * rows + [(3, "café", 9)])
    with pytest.raises(ValueError, match="save it as UTF-8"):
        load_sessions(written(tmp_path / "a.csv", text, "latin-1"))


def test_a_time_that_cannot_be_read_is_found_far_into_a_file(tmp_path):
    # pandas reads 2**18 rows at once and looks at each lot apart.
    text = "SessionId,ItemId,Time\n" + "1,1,5\n" * 270_000 + "1,1,5.5\n"
    assert load_sessions(written(tmp_path / "a.csv", text)).times[-1] == 5.5
    with pytest.raises(ValueError, match="1 of 270002 rows .* cannot be read, first row 270001"):
        load_sessions(written(tmp_path / "a.csv", text + "1,1,x\n"))


def test_a_damaged_archive_is_refused(tmp_path):
    whole = gzip.compress(table(ROWS * 5_000).encode())
    for data in (b"no archive", whole[:-30]):
        (tmp_path / "a.csv.gz").write_bytes(data)
        with pytest.raises(ValueError, match=r"'a.csv.gz' cannot be read"):
            load_sessions(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("data", [b"", b"no parquet"])
def test_a_damaged_parquet_file_is_refused(tmp_path, data):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(ValueError, match=r"'a.parquet' is not a parquet file"):
        load_sessions(tmp_path / "a.parquet")


def test_another_kind_of_file_is_refused_with_the_kinds(tmp_path):
    path = written(tmp_path / "a.xlsx", "x")
    with pytest.raises(ValueError, match=r"cannot read 'a.xlsx'; save it as one of .csv, .tsv"):
        load_sessions(path)


def test_an_empty_folder_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder is empty"):
        load_sessions(tmp_path)


def test_a_file_option_nobody_knows_is_refused(tmp_path):
    path = written(tmp_path / "a.csv", table())
    with pytest.raises(ValueError, match="no option 'separator'; choose from session, item"):
        load_sessions(path, separator=",")
