"""A learner's own clicks: the options of `load_sessions`, one by one, counted by hand."""

import bz2
import datetime
import decimal
import gzip
import json
import uuid
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab import Config, Recommender, Sessions, load_model, load_sessions, network_of
from gru4rec_lab.data import files
from gru4rec_lab.data.cache import cached

MONDAY = 1_396_828_800  # 7 April 2014, 00:00 UTC
COLUMNS = ["SessionId", "ItemId", "Time"]
TEXT = "SessionId,ItemId,Time\n1,10,5\n1,20,6\n2,20,7\n2,10,8\n"


def frame_of(*rows, columns=COLUMNS):
    return pd.DataFrame(rows, columns=columns)


def written(path, text, encoding="utf-8"):
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def clicked(sessions):
    """Session to the items clicked in it."""
    ids = np.split(sessions.item_ids[sessions.items], sessions.offsets[1:-1])
    return dict(zip(sessions.session_ids.tolist(), [each.tolist() for each in ids], strict=True))


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return path


def zst(text):
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.Codec("zstd").compress(text.encode(), asbytes=True)


# --- what it is read from


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".txt", ".dat"])
@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("", str.encode),
        (".gz", lambda text: gzip.compress(text.encode())),
        (".bz2", lambda text: bz2.compress(text.encode())),
        (".zst", zst),
        (".GZ", lambda text: gzip.compress(text.encode())),
    ],
)
def test_text_is_read_whatever_it_is_called_and_packed_in(tmp_path, kind, ending, pack):
    for sep in ",\t;|":
        path = written(tmp_path / f"a{kind}{ending}", pack(TEXT.replace(",", sep)))
        assert clicked(load_sessions(path)) == {1: [10, 20], 2: [20, 10]}


@pytest.mark.parametrize("name", ["a.csv.zip", "a.zip"])
def test_a_zip_with_one_file_is_read(tmp_path, name):
    path = zipped(tmp_path / name, clicks_csv=TEXT)
    assert clicked(load_sessions(str(path))) == {1: [10, 20], 2: [20, 10]}


def test_a_parquet_file_is_read_packed_too_and_by_its_row_names(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"SessionId": [1, 1], "ItemId": [10, 20], "Time": [5, 6]})
    frame.set_index("SessionId").to_parquet(tmp_path / "a.parquet")
    packed = written(
        tmp_path / "b.parquet.gz", gzip.compress((tmp_path / "a.parquet").read_bytes())
    )
    for path in (tmp_path / "a.parquet", packed):
        assert clicked(load_sessions(path)) == {1: [10, 20]}


def test_json_lines_are_read_with_ids_as_they_are(tmp_path):
    records = [
        {"SessionId": 2**63 + 4097, "ItemId": "007", "Time": 5, "more": [1]},
        {"Time": 6, "SessionId": 2**63 + 4097, "ItemId": " b 😀"},
    ]
    text = "\n".join(json.dumps(record) for record in records) + "\n\n"
    got = load_sessions(written(tmp_path / "a.jsonl.gz", gzip.compress(text.encode())))
    assert clicked(got) == {2**63 + 4097: ["007", " b 😀"]}


def test_a_json_line_with_a_list_of_records_is_as_many_clicks(tmp_path):
    otto = [
        {"session": 42, "events": [{"aid": 0, "ts": 1661200010000, "type": "clicks"},
                                   {"aid": 1, "ts": 1661200020000, "type": "carts"}]},
        {"session": 43, "events": [{"aid": 1, "ts": 1661200010000, "type": "clicks"}]},
    ]  # fmt: skip
    path = written(tmp_path / "train.jsonl", "\n".join(map(json.dumps, otto)))
    options = {"session": "session", "item": "aid", "time": "ts", "unit": "ms"}
    assert clicked(load_sessions(path, **options)) == {42: [0, 1], 43: [1]}
    only_clicks = load_sessions(path, **options, only={"type": "clicks"})
    assert clicked(only_clicks) == {42: [0], 43: [1]}


def json_lines(path, *records):
    return written(path, "\n".join(map(json.dumps, records)))


def test_a_json_click_stays_one_click_whatever_lists_it_holds(tmp_path):
    click = {"SessionId": 1, "ItemId": 7, "Time": 5}
    lists = [[], [{"colour": "red"}, {"size": 38}], ["new"]]
    path = json_lines(tmp_path / "a.jsonl", *[click | {"tags": each} for each in lists])
    assert clicked(load_sessions(path)) == {1: [7, 7, 7]}
    visit = {"seen": [{"page": 1}] * 3, "SessionId": 1, "tags": [], "clicks": [click, click]}
    assert clicked(load_sessions(json_lines(path, visit))) == {1: [7, 7]}
    empty = {"SessionId": 2, "clicks": []}
    assert clicked(load_sessions(json_lines(path, visit, empty))) == {1: [7, 7]}
    nobody = {"ItemId": 7, "Time": 5, "tags": []}
    with pytest.raises(ValueError, match="1 of 2 rows have no SessionId, first row 1"):
        load_sessions(json_lines(path, click, nobody))


@pytest.mark.parametrize("item", [{"ItemId": None}, {}], ids=["null", "no such field"])
def test_whole_numbers_beside_missing_ones_in_json_stay_exact(tmp_path, item):
    first = {"SessionId": 1, "Time": 5, "event": "view", "ItemId": 2**60 + 1}
    search = {"SessionId": 1, "Time": 6, "event": "search"} | item
    path = json_lines(tmp_path / "a.jsonl", search, first, first | {"ItemId": 2**60 + 3})
    got = load_sessions(path, only={"event": "view"})
    assert clicked(got) == {1: [2**60 + 1, 2**60 + 3]}
    assert got.item_ids.dtype == np.int64
    with pytest.raises(ValueError, match="1 of 3 rows have no ItemId, first row 0"):
        load_sessions(path)


def test_whole_numbers_beside_missing_ones_in_parquet_stay_exact_in_every_part(tmp_path):
    pytest.importorskip("pyarrow")
    ids = pd.array([2**60 + 1, None, 2**60 + 3], dtype="Int64")
    log = frame_of((1, 0, 1), (2, 0, 2), (1, 0, 3)).assign(ItemId=ids, SessionId=[2**60, None, 1])
    log = log.assign(SessionId=pd.array([2**60, None, 2**60 + 2], dtype="Int64"), kind=list("xyx"))
    log.to_parquet(tmp_path / "0.parquet")
    rest = log.dropna().astype({"ItemId": "int64", "SessionId": "int64"}).assign(Time=[8, 9])
    rest.to_parquet(tmp_path / "1.parquet")
    want = {2**60: [2**60 + 1] * 2, 2**60 + 2: [2**60 + 3] * 2}
    got = load_sessions(tmp_path, only={"kind": "x"})
    assert clicked(got) == want
    assert got.item_ids.dtype == got.session_ids.dtype == np.int64
    with pytest.raises(ValueError, match="'0.parquet': 1 of 3 rows have no SessionId, first row 1"):
        load_sessions(tmp_path)
    log.assign(SessionId=7, ItemId=7, kind=[1, None, 2]).to_parquet(tmp_path / "0.parquet")
    with pytest.raises(ValueError, match="1 of 3 rows have a kind that is not finite, first row 1"):
        load_sessions(tmp_path / "0.parquet", time=("Time", "kind"))


def test_parts_of_parquet_with_categories_of_their_own_are_read_together(tmp_path):
    pytest.importorskip("pyarrow")
    for k, users in enumerate((["u1", "u2"], ["u2", "u3"])):
        log = pd.DataFrame({"SessionId": users, "ItemId": [k, 5], "Time": [k, k]})
        log.astype({"SessionId": "category", "ItemId": "category"}).to_parquet(
            tmp_path / f"{k}.parquet"
        )
    assert clicked(load_sessions(tmp_path)) == {"u1": [0], "u2": [5, 1], "u3": [5]}


def test_a_file_or_folder_that_is_there_is_no_unknown_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clicks").mkdir()
    written(tmp_path / "clicks" / "a.csv", TEXT)
    assert load_sessions("clicks").n_clicks == 4
    written(tmp_path / "a.json", "{}")
    with pytest.raises(ValueError, match="cannot read 'a.json'; save it as one of"):
        load_sessions("a.json")


def test_only_takes_values_in_any_kind_of_list():
    for values in (np.array(["view"]), pd.Series(["view"]), {"view": 1}, frozenset(["view"])):
        got = load_sessions(SHOP, only={"event": values})
        assert got.dropped == load_sessions(SHOP, only={"event": "view"}).dropped


def test_columns_may_be_named_by_numbers(tmp_path):
    frame = frame_of((7, "a", 1), (7, "b", 1), columns=[0, 1, 2]).assign(rank=[2, 1])
    assert clicked(load_sessions(frame, session=0, item=1, time=2)) == {7: ["a", "b"]}
    assert clicked(load_sessions(frame, session=0, item=1, time=[2, "rank"])) == {7: ["b", "a"]}
    path = written(tmp_path / "a.csv", TEXT)
    with pytest.raises(ValueError, match="'a.csv' has no column 0; it has SessionId, ItemId, Time"):
        load_sessions(path, session=0, item=1, time=2)


def test_a_folder_or_a_list_is_read_in_parts_and_a_session_may_go_on_in_the_next(tmp_path):
    (tmp_path / "parts").mkdir()
    written(tmp_path / "parts" / "part-0.csv", "SessionId,ItemId,Time\n1,10,5\n2,A7,6\n")
    written(tmp_path / "parts" / "part-1.csv", "SessionId,ItemId,Time\n1,20,7\n")
    written(tmp_path / "parts" / "_SUCCESS", "")
    # Ids are numbers in all parts or in none.
    want = {1: ["10", "20"], 2: ["A7"]}
    got = load_sessions(tmp_path / "parts")
    assert clicked(got) == want
    assert got.name == "parts"
    listed = load_sessions([tmp_path / "parts" / f"part-{k}.csv" for k in (0, 1)])
    assert clicked(listed) == want
    assert listed.name == "part-0.csv and 1 more"


def test_parquet_parts_are_read_one_at_a_time_and_counted_together(tmp_path):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    events = rng.choice(["view", "cart"], 300)
    events[100:150] = "cart"  # the third part holds no view
    clicks = {name: rng.integers(n, size=300) for name, n in zip(COLUMNS, (40, 9, 99), strict=True)}
    log = pd.DataFrame(clicks | {"event": events})
    for k in range(6):  # a folder a day, as Spark writes them
        (tmp_path / f"day={k}").mkdir()
        log[k * 50 : k * 50 + 50].to_parquet(tmp_path / f"day={k}" / "part-0.parquet", index=False)
    written(tmp_path / "_temporary.parquet", "no Parquet")
    options = {"only": {"event": "view"}, "since": 5, "gap": 0.5, "repeats": False, "longest": 3}
    got, want = load_sessions(tmp_path, **options), load_sessions(log, **options)
    assert got.to_frame().equals(want.to_frame())
    assert got.dropped == want.dropped
    columns = files.Columns(COLUMNS[:2], COLUMNS[2:])
    parts = files.read_files(files.find_parts(tmp_path), columns, files.Layout())
    assert [len(rows) for _, rows in parts] == [50] * 6


def test_what_is_wrong_in_a_part_is_said_of_that_part(tmp_path):
    written(tmp_path / "part-0.csv", TEXT)
    written(tmp_path / "part-1.csv", "SessionId,ItemId,Time\n3,30,7\n3,10,\n")
    with pytest.raises(ValueError, match="'part-1.csv': 1 of 2 rows have no Time, first row 1"):
        load_sessions(tmp_path)
    with pytest.raises(ValueError, match="no row has 40 in column 'ItemId'; it has '30', '10'"):
        load_sessions(tmp_path, only={"ItemId": 40})


def test_a_frame_is_read_with_the_same_options(tmp_path):
    frame = frame_of((7, "a", 1), (7, "b", 2), columns=["visit", "product", "when"])
    got = load_sessions(frame, session="visit", item="product", time="when")
    assert clicked(got) == {7: ["a", "b"]}


def test_a_file_without_a_header_is_read_by_names(tmp_path):
    rows = "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n"
    path = written(tmp_path / "yoochoose-clicks.dat", rows)
    got = load_sessions(path, names=["SessionId", "Time", "ItemId", "category"])
    assert clicked(got) == {1: [214536502, 214536500]}
    assert got.times.tolist() == [1_396_867_869.277, 1_396_868_049.868]


def test_only_the_columns_that_are_asked_for_are_read(tmp_path, monkeypatch):
    wide = frame_of((1, 10, 5), (1, 20, 6)).assign(text="long " * 100, other="x")
    wide.to_csv(tmp_path / "wide.csv", index=False)
    wide.to_parquet(tmp_path / "wide.parquet")
    seen = []

    def read_files(*arguments):
        for path, table in files.read_files(*arguments):
            seen.append(list(table.columns))
            yield path, table

    monkeypatch.setattr("gru4rec_lab.data.own.read_files", read_files)
    for name in ("wide.csv", "wide.parquet"):
        load_sessions(tmp_path / name)
    assert seen == [COLUMNS, COLUMNS]


def test_another_encoding_is_read_when_told(tmp_path):
    text = "SessionId,ItemId,Time\n1,Käse,1\n1,b,2\n"
    for encoding in ("latin-1", "utf-16"):
        path = written(tmp_path / "a.csv", text, encoding)
        assert clicked(load_sessions(path, encoding=encoding)) == {1: ["Käse", "b"]}


# --- quotes, and lines that do not become clicks


def songs(sep):
    title = {5: '"Heroes', 50: '"Untitled"'}
    rows = [f"{k // 3}{sep}{title.get(k, f'song{k % 7}')}{sep}{k}\n" for k in range(60)]
    return sep.join(COLUMNS) + "\n" + "".join(rows)


def test_a_quote_in_a_tsv_is_a_letter_and_no_click_is_lost(tmp_path):
    got = load_sessions(written(tmp_path / "songs.tsv", songs("\t")))
    assert (got.n_clicks, got.n_sessions) == (60, 20)
    assert {'"Heroes', '"Untitled"'} <= set(got.item_ids)


def test_a_quote_in_a_csv_that_swallows_lines_is_told_and_can_be_read_as_a_letter(tmp_path):
    path = written(tmp_path / "songs.csv", songs(","))
    message = "has 60 lines below its header but gave 15 clicks.*quotes=False"
    with pytest.warns(UserWarning, match=message):
        load_sessions(path)
    assert load_sessions(path, quotes=False).n_clicks == 60


def test_blank_lines_are_no_lost_clicks(tmp_path):
    path = written(tmp_path / "a.csv", TEXT.replace("\n", "\r\n\r\n"))
    assert load_sessions(path).n_clicks == 4


def test_a_tsv_with_quotes_around_tabs_is_read_when_told(tmp_path):
    path = written(tmp_path / "a.tsv", 'SessionId\tItemId\tTime\n1\t"a\tb"\t1\n1\tc\t2\n')
    with pytest.raises(ValueError, match="more cells than the header.*quotes=True"):
        load_sessions(path)
    assert clicked(load_sessions(path, quotes=True)) == {1: ["a\tb", "c"]}


def test_blanks_after_separators_are_skipped_where_the_header_has_them_too(tmp_path):
    path = written(tmp_path / "a.csv", "SessionId, ItemId, Time\n1, a , 1\n1, b, 2\n")
    assert clicked(load_sessions(path)) == {1: ["a ", "b"]}


# --- ids

IDS = {
    "64-bit hashes": np.array([2**63 + 4096, 2**63 + 4097, 77], dtype=np.uint64),
    "negative numbers": [-5, 5, 0],
    "zeros in front": ["007", "07", "7"],
    "emoji": ["👟", "👟 ", "é"],
    "blanks": [" a", "a", "a "],
    "NA": ["NA", "null", "nan"],
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_ids_stay_what_they_are_in_every_kind_of_file(tmp_path, ids, ending):
    frame = pd.DataFrame({"SessionId": 1, "ItemId": ids, "Time": [1, 2, 3]})
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    assert clicked(load_sessions(path)) == {1: list(ids)}


def test_whole_numbers_too_large_for_64_bits_stay_text(tmp_path):
    ids = [str(2**64), "1"]
    frame_of((1, ids[0], 1), (1, ids[1], 2)).to_csv(tmp_path / "a.csv", index=False)
    assert clicked(load_sessions(tmp_path / "a.csv")) == {1: ids}


PLAIN = st.one_of(
    st.lists(st.text(min_size=1), min_size=1, max_size=20),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20),
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20).map(
        lambda ids: np.array(ids, dtype=np.uint64)
    ),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=20),
    st.lists(st.booleans(), min_size=1, max_size=20),
)


@st.composite
def frames(draw):
    """Clicks in any order with ids of one type each, and times in whole seconds."""
    items, sessions = draw(PLAIN), draw(PLAIN)
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, len(sessions) - 1), st.integers(0, len(items) - 1),
                st.integers(0, 10_000_000),
            ),
            min_size=1, max_size=40,
        )
    )  # fmt: skip
    session, item, time = map(list, zip(*rows, strict=True))
    ids = {"SessionId": pd.Series(sessions)[session], "ItemId": pd.Series(items)[item]}
    return pd.DataFrame({name: each.to_numpy() for name, each in ids.items()} | {"Time": time})


@given(frames())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_what_goes_in_comes_out_of_to_frame(frame):
    before = frame.copy()
    got = Sessions.from_frame(frame).to_frame()
    pd.testing.assert_frame_equal(frame, before)

    def rows(each):
        return sorted(map(repr, each[COLUMNS].itertuples(index=False, name=None)))

    assert rows(got.astype({"Time": "int64"})) == rows(frame)
    again = Sessions.from_frame(got).to_frame()
    pd.testing.assert_frame_equal(again, got)


@pytest.mark.parametrize("ids", [*IDS.values(), ["a\0", "a", "b"], [1.5, 2.5, 1e300]], ids=str)
def test_saving_and_loading_a_model_changes_no_id(tmp_path, ids):
    got = Sessions.from_frame(pd.DataFrame({"SessionId": 1, "ItemId": ids, "Time": [1, 2, 3]}))
    config = Config(layers=(2,), device="cpu")
    model = Recommender(network_of(config, 3), got.item_ids, config)
    loaded = load_model(model.save(tmp_path / "model"), device="cpu")
    assert loaded.item_ids.tolist() == list(ids)
    assert list(map(type, loaded.item_ids.tolist())) == list(map(type, got.item_ids.tolist()))
    assert [loaded.index(each) for each in got.item_ids.tolist()] == [0, 1, 2]


def test_a_cache_changes_no_id(tmp_path, monkeypatch):
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path))
    frame = pd.DataFrame({"SessionId": 1, "ItemId": IDS["64-bit hashes"], "Time": [1, 2, 3]})
    for _ in range(2):
        got = cached("own", lambda: Sessions.from_frame(frame))
        assert got.item_ids.tolist() == IDS["64-bit hashes"].tolist()


# --- sessions out of users, time and order

CLICKS = frame_of(
    ("u", "a", 0), ("u", "b", 600), ("u", "a", 600 + 1801), ("v", "c", 10), ("v", "c", 1810),
    columns=["who", "ItemId", "Time"],
)  # fmt: skip


def test_more_than_a_gap_of_silence_ends_a_session_and_the_summary_says_what_it_did():
    got = load_sessions(CLICKS, user="who", gap=30)
    # 30 minutes and a second end a session of u; 30 minutes do not end that of v.
    assert clicked(got) == {"u-1": ["a", "b"], "v-1": ["c", "c"], "u-2": ["a"]}
    note = "cut where 30 minutes pass without a click: 2 became 3 sessions; "
    assert note + "15 minutes would make 4, 60 make 2" in got.summary()


def test_a_gap_also_cuts_the_sessions_that_there_are():
    sessions = Sessions.from_frame(CLICKS, session="who").cut(gap=5)
    assert clicked(sessions) == {
        "u-1": ["a"], "v-1": ["c"], "u-2": ["b"], "v-2": ["c"], "u-3": ["a"],
    }  # fmt: skip
    assert (np.diff(sessions.times[sessions.offsets[:-1]]) >= 0).all()


def test_a_second_column_of_time_orders_clicks_of_one_day():
    day = pd.Timestamp(MONDAY, unit="s")
    frame = pd.DataFrame(
        {"SessionId": 1, "ItemId": list("cab"), "day": [day] * 3, "order": [10, 2, 9]}
    )
    got = load_sessions(frame, time=("day", "order"))
    assert clicked(got) == {1: ["a", "b", "c"]}
    assert got.times.tolist() == [MONDAY] * 3


UNITS = {
    "s": (None, [MONDAY, MONDAY + 1]),
    "s told": ("s", [MONDAY, MONDAY + 1]),
    "ms": ("ms", [MONDAY * 10**3, (MONDAY + 1) * 10**3]),
    "us": ("us", [MONDAY * 10**6, (MONDAY + 1) * 10**6]),
    "ns": ("ns", [MONDAY * 10**9, (MONDAY + 1) * 10**9]),
    "ms as text": ("ms", [f"{MONDAY}000", f"{MONDAY + 1}000"]),
    "minutes": ("%Y%m%d%H%M%S", [20140407000000, 20140407000001]),
    "German dates": ("%d.%m.%Y %H:%M:%S", ["07.04.2014 00:00:00", "07.04.2014 00:00:01"]),
}


@pytest.mark.parametrize(("unit", "times"), UNITS.values(), ids=UNITS)
def test_times_are_converted_when_their_unit_is_told(unit, times):
    got = load_sessions(frame_of((1, "a", times[0]), (1, "b", times[1])), unit=unit)
    assert got.times.tolist() == [MONDAY, MONDAY + 1]


def test_dates_as_numbers_are_days():
    frame = frame_of((1, "a", 20140407), (2, "a", 20140408))
    assert load_sessions(frame, unit="%Y%m%d").times.tolist() == [MONDAY, MONDAY + 86_400]
    assert load_sessions(frame.astype({"Time": float}), unit="%Y%m%d").times[0] == MONDAY


@pytest.mark.parametrize(("unit", "factor"), [("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_numbers_too_large_for_seconds_are_refused_with_the_suspicion(unit, factor):
    frame = frame_of((1, "a", 5), (1, "b", MONDAY * factor))
    with pytest.raises(ValueError, match=f"1 of 2 rows.*row 1.*unit='{unit}' for 2014-04-07"):
        Sessions.from_frame(frame)
    assert Sessions.from_frame(frame, unit="s").times[1] == MONDAY * factor


@pytest.mark.parametrize("first", [20140407, 201404070000, 20140407000000, 20140407.0, "20140407"])
def test_numbers_that_are_all_dates_are_refused_with_the_suspicion(first):
    frame = pd.DataFrame({"SessionId": 1, "ItemId": ["a"], "Time": [first]})
    with pytest.raises(ValueError, match="as dates, the first, 20140407.*2014-04-07.*unit='%Y%m%d"):
        Sessions.from_frame(frame)


def test_a_counter_between_dates_is_none():
    times = [20140431, 20140432, 20140433]
    assert (
        Sessions.from_frame(
            pd.DataFrame({"SessionId": 1, "ItemId": list("abc"), "Time": times})
        ).times.tolist()
        == times
    )


def test_a_unit_that_makes_odd_years_of_plain_seconds_is_questioned():
    frame = frame_of((1, "a", MONDAY), (1, "b", MONDAY + 1))
    with pytest.warns(UserWarning, match="unit='ms' makes 1970-01-17.*'s' would make 2014-04-07"):
        Sessions.from_frame(frame, unit="ms")


# --- steps

SHOP = frame_of(
    (1, "a", 1, "view"), (1, "a", 2, "view"), (1, "b", 3, "cart"), (1, "c", 4, "view"),
    (2, "b", 5, "view"), (2, "d", 6, "buy"),
    columns=[*COLUMNS, "event"],
)  # fmt: skip
STEPS = {
    "one type of event": (
        {"only": {"event": "view"}}, {1: ["a", "a", "c"], 2: ["b"]},
        "dropped rows with another event than view: 2 clicks",
    ),
    "two types": (
        {"only": {"event": ["view", "cart"]}}, {1: ["a", "a", "b", "c"], 2: ["b"]},
        "dropped rows with another event than view, cart: 1 clicks",
    ),
    "by number": (
        {"only": {"Time": ["1", "2"]}}, {1: ["a", "a"]},
        "dropped rows with another Time than 1, 2: 4 clicks",
    ),
    "since": ({"since": 4}, {1: ["c"], 2: ["b", "d"]}, "before 4: 1 items, 3 clicks"),
    "until": (
        {"until": "1970-01-01T00:00:03"}, {1: ["a", "a"]},
        "clicks from 1970-01-01T00:00:03 on: 1 sessions, 3 items, 4 clicks",
    ),
    "repeats": (
        {"repeats": False}, {1: ["a", "b", "c"], 2: ["b", "d"]},
        "dropped clicks on the item clicked just before: 1 clicks",
    ),
    "longest": (
        {"longest": 2}, {1: ["a", "a"], 2: ["b", "d"]},
        "dropped clicks beyond the first 2 of a session: 1 items, 2 clicks",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "left", "counted"), STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("as_file", [False, True], ids=["frame", "file"])
def test_a_step_drops_what_it_says_and_counts_it(tmp_path, options, left, counted, as_file):
    SHOP.to_csv(tmp_path / "shop.csv", index=False)
    got = load_sessions(tmp_path / "shop.csv" if as_file else SHOP, **options)
    assert clicked(got) == left
    assert counted in got.summary()
    assert set(got.item_ids) == set(sum(left.values(), []))


def test_repeats_are_dropped_after_events_and_before_the_cap():
    got = load_sessions(SHOP, only={"event": "view"}, repeats=False, longest=2)
    assert clicked(got) == {1: ["a", "c"], 2: ["b"]}
    assert [step.clicks for step in got.dropped] == [2, 1]
    assert SHOP.shape == (6, 4)


def test_rows_without_an_item_may_go_with_their_event(tmp_path):
    path = written(
        tmp_path / "a.csv", "SessionId,ItemId,Time,kind\n1,,1,page\n1,a,2,item\n1,b,3,item\n"
    )
    assert clicked(load_sessions(path, only={"kind": "item"})) == {1: ["a", "b"]}


# --- what is refused, and how

HEAD = "SessionId,ItemId,Time\n"
MISSING_COLUMN = "has no column 'SessionId'"
# name of the file, its text, options, and what is said; sorted as `load_sessions` meets them.
MALFORMED = {
    "empty": ("a.csv", "", {}, "is empty"),
    "blank lines": ("a.txt", " \n\t\n\n", {}, "is empty"),
    "only a header": ("a.csv", HEAD, {}, "has a header but no rows"),
    "no header": ("a.dat", "1,2,3\n1,3,4\n", {}, f"{MISSING_COLUMN}.*names=\\[...\\]"),
    "no header, named by its first click": (
        "a.csv", "1,2,2014-04-07\n1,3,2014-04-08\n",
        {"session": "1", "item": "2", "time": "2014-04-07"}, "is a click, no header.*names=",
    ),
    "names beside a header": ("a.csv", TEXT, {"names": COLUMNS}, "row 0: .*Time='Time'"),
    "too few names": ("a.csv", TEXT[22:], {"names": COLUMNS[:2]}, "no column 'Time'"),
    "fewer names than cells": (
        "a.csv", "1,2,3,4\n", {"names": COLUMNS}, "1 of 1 rows, first row 0, have more cells",
    ),
    "a header twice": ("a.csv", TEXT + TEXT, {}, "1 of 9 rows.* row 4: SessionId='SessionId'"),
    "a column twice": ("a.csv", "SessionId,ItemId,ItemId,Time\n1,a,b,1\n", {}, "several columns"),
    "another case": ("a.csv", TEXT.lower(), {}, f"{MISSING_COLUMN}; it has sessionid, itemid"),
    "one column for two things": ("a.csv", TEXT, {"session": "ItemId"}, "more than once"),
    "three columns of time": ("a.csv", TEXT, {"time": ("Time", "ItemId", "x")}, "no column 'x'"),
    "a short row": ("a.csv", TEXT + "3,30\n", {}, "1 of 5 rows have no Time"),
    "a long row": ("a.csv", TEXT + "3,red, new,9\n", {}, "1 of 5 rows, first row 4, have more"),
    "long in the second column": (
        "a.csv", "SessionId,ItemId,price,Time\n1,red, new,9.5,12\n", {}, "have more cells",
    ),
    "an open quote": ("a.csv", TEXT + '3,"red,9\n', {}, "EOF inside string.*quotes=False"),
    "two letters to separate": ("a.dat", "1::2::3\n", {}, MISSING_COLUMN),
    "a separator of two letters": (
        "a.dat", TEXT, {"sep": "::"}, "sep must be one character, got '::'",
    ),
    "decimal commas": ("a.csv", "SessionId;ItemId;Time\n1;a;1,5\n", {}, "Time='1,5'"),
    "day before month": ("a.csv", HEAD + "1,a,07/04/2014\n", {}, 'unit="%d/%m/%Y"'),
    "a date that is none": (
        "a.csv", HEAD + "1,a,20140431\n", {"unit": "%Y%m%d"}, "a Time that cannot be read",
    ),
    "latin-1": ("a.csv", (HEAD + "1,Käse,1\n").encode("latin-1"), {}, 'encoding="latin-1"'),
    "utf-16": ("a.csv", TEXT.encode("utf-16"), {}, "save it as UTF-8 text, or say how"),
    "utf-16 without a mark": ("a.csv", TEXT.encode("utf-16-le"), {}, "it is no text in UTF-8"),
    "an encoding nobody knows": ("a.csv", TEXT, {"encoding": "utf8mb4"}, "unknown encoding"),
    "gzip, not named so": ("a.csv", gzip.compress(TEXT.encode()), {}, "cannot be read"),
    "named gzip, but none": ("a.csv.gz", TEXT, {}, "cannot be read: Not a gzipped file"),
    "half of a gzip": ("a.csv.gz", gzip.compress(TEXT.encode())[:-9], {}, "cannot be read"),
    "named bz2, but none": ("a.csv.bz2", TEXT, {}, "cannot be read"),
    "named zip, but none": ("a.csv.zip", TEXT, {}, "cannot be read: File is not a zip file"),
    "named zst, but none": ("a.csv.zst", TEXT, {}, "cannot be read"),
    "an Excel file": ("a.xlsx", "PK", {}, "cannot read 'a.xlsx'; save it as one of .csv, .tsv"),
    "no parquet": ("a.parquet", TEXT, {}, "is not a parquet file"),
    "names for parquet": ("a.parquet", "", {"names": COLUMNS}, "are for text, not for"),
    "half a line of JSON": ("a.jsonl", '{"SessionId": 1, ', {}, "line 1 is no JSON record"),
    "a number for a line": ("a.jsonl", "7\n", {}, "line 1 is no JSON record"),
    "a JSON record without a time": ("a.jsonl", '{"SessionId": 1, "ItemId": 2}', {}, "no column"),
    "JSON of mixed ids": (
        "a.jsonl",
        '{"SessionId": 1, "ItemId": 2, "Time": 3}\n{"SessionId": 1, "ItemId": "b", "Time": 4}\n',
        {}, "1 of 2 rows have a ItemId that is no int",
    ),
    "milliseconds": ("a.csv", HEAD + "1,a,1433221332117\n", {}, "unit='ms' for 2015-06-02"),
    "dates as numbers": ("a.csv", HEAD + "1,a,20140407\n", {}, "unit='%Y%m%d'"),
    "a unit nobody knows": ("a.csv", TEXT, {"unit": "millis"}, "unknown unit 'millis'; choose one"),
    "a unit for moments": (
        "a.csv", HEAD + "1,a,2014-04-07\n", {"unit": "ms"}, "unit='ms' is for numbers",
    ),
    "a user without a gap": ("a.csv", TEXT, {"user": "SessionId"}, "give both, without session="),
    "a user and a session": (
        "a.csv", TEXT, {"user": "ItemId", "gap": 30, "session": "SessionId"}, "without session=",
    ),
    "no gap": ("a.csv", TEXT, {"gap": 0}, "gap must be a number of minutes above 0, got 0"),
    "a gap without an end": ("a.csv", TEXT, {"gap": float("inf")}, "above 0, got inf"),
    "nothing allowed": ("a.csv", TEXT, {"longest": 0}, "longest must be a whole number of at"),
    "half a click": ("a.csv", TEXT, {"longest": 2.5}, "longest must be a whole number of at"),
    "no such event": ("a.csv", TEXT, {"only": {"ItemId": 30}}, "no row has 30 in column 'ItemId'"),
    "no such column": ("a.csv", TEXT, {"only": {"event": "view"}}, "has no column 'event'"),
    "only without a column": ("a.csv", TEXT, {"only": "view"}, "only= takes a column and"),
    "a window beside the clicks": ("a.csv", TEXT, {"since": "2014-04-07"}, "all clicks are before"),
    "a moment nobody can read": ("a.csv", TEXT, {"since": "soon"}, "cannot read 'soon' as a mome"),
    "an option nobody knows": ("a.csv", TEXT, {"seperator": ","}, "no option 'seperator'; choose"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "options", "said"), MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, name, text, options, said):
    with pytest.raises(ValueError, match=said):
        load_sessions(written(tmp_path / name, text), **options)


def test_an_archive_of_several_files_names_them(tmp_path):
    path = zipped(tmp_path / "a.zip", a_csv=TEXT, b_csv=TEXT)
    with pytest.raises(ValueError, match="'a.zip' holds a.csv, b.csv; unpack it"):
        load_sessions(path)


def test_parts_that_do_not_fit_together_are_refused(tmp_path):
    a, b = tmp_path / "a.parquet", tmp_path / "b.parquet"
    frame_of((1, 1, 1)).to_parquet(a)
    frame_of((1, 2**63 + 1, 1)).astype({"ItemId": "uint64"}).to_parquet(b)
    with pytest.raises(ValueError, match="ItemId is int64 in 'a.parquet' but uint64 in 'b.parq"):
        load_sessions([a, b])
    with pytest.raises(ValueError, match="'a.parquet' is named twice"):
        load_sessions([a, b, a])
    written(tmp_path / "c.csv", TEXT)
    with pytest.raises(ValueError, match="several kinds .a.parquet, b.parquet, c.csv"):
        load_sessions(tmp_path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([], "the list of files is empty"),
        (None, "unknown data set None"),
        (5, "unknown data set 5"),
        ("https://example.com/clicks.csv", "is an address; download the file"),
        ("s3://bucket/clicks.csv", "is an address"),
        (frame_of(), "no rows"),
    ],
    ids=str,
)
def test_what_is_no_source_of_clicks_is_refused(source, said):
    with pytest.raises(ValueError, match=said):
        load_sessions(source)


def test_a_frame_takes_no_options_of_files():
    with pytest.raises(ValueError, match="are for files, not for a frame"):
        load_sessions(SHOP, names=COLUMNS)


NOT_SAVED = {
    "UUIDs": [uuid.UUID(int=1), uuid.UUID(int=2)],
    "decimals": [decimal.Decimal(1), decimal.Decimal(2)],
    "pairs": pd.Series([(1, 2), (1, 3)]),
    "bytes": [b"a", b"b"],
    "moments": pd.to_datetime(["2024-01-01", "2024-01-02"]),
    "dates": [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)],
    "categories of dates": pd.Categorical([datetime.date(2024, 1, k) for k in (1, 2)]),
    "numpy numbers in a list": pd.Series([np.int64(1), np.int64(2)], dtype=object),
    "complex numbers": [1j, 2j],
}


@pytest.mark.parametrize("ids", NOT_SAVED.values(), ids=NOT_SAVED)
def test_ids_that_no_model_can_be_saved_with_are_refused_at_the_door(ids):
    frame = pd.DataFrame({"SessionId": 1, "ItemId": ids, "Time": [1, 2]})
    with pytest.raises(ValueError, match="2 of 2 ids in ItemId cannot be saved.*astype"):
        Sessions.from_frame(frame)
    assert Sessions.from_frame(frame.assign(ItemId=frame.ItemId.astype(str))).n_items == 2


def test_categories_of_numbers_are_numbers():
    frame = frame_of((1, 10, 5), (1, 20, 6)).astype({"ItemId": "category"})
    assert clicked(Sessions.from_frame(frame)) == {1: [10, 20]}


def test_ids_of_sessions_may_be_anything():
    frame = pd.DataFrame({"SessionId": NOT_SAVED["UUIDs"], "ItemId": list("ab"), "Time": [1, 2]})
    assert Sessions.from_frame(frame).session_ids.tolist() == NOT_SAVED["UUIDs"]
