"""Small raw files in the exact form of each public set, with what goes wrong in them, by hand."""

from dataclasses import replace

import pytest

from gru4rec_lab.data import raw_logs
from gru4rec_lab.data.recipes import RECIPES, prepared

DAY = 86_400
NOT_COUNTED = dict.fromkeys(("n_rows", "n_clicks", "n_sessions", "n_items"))


@pytest.fixture
def load(tmp_path, monkeypatch):
    """A function that loads files, name to text, by the recipe of this name."""
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path / "cache"))

    def loaded(name, files, repeats=None, **counts):
        for file, text in files.items():
            (tmp_path / file).write_bytes(text.encode())
        recipe = replace(RECIPES[name], **NOT_COUNTED | counts)
        return prepared(recipe, [tmp_path / file for file in files], repeats)

    return loaded


def clicked(sessions):
    """Session to its clicks, item and seconds, in the order of sessions and clicks."""
    clicks = sessions.to_frame()
    return {
        session: list(zip(group.ItemId.tolist(), group.Time.tolist(), strict=True))
        for session, group in clicks.groupby("SessionId", sort=False)
    }


def dropped(sessions):
    return {step.reason: step.clicks for step in sessions.dropped}


# --- yoochoose: no header, ISO 8601 with milliseconds, a category that is text or a number

YOOCHOOSE = """\
1,2014-04-07T10:51:09.277Z,214536502,0
1,2014-04-07T10:54:46.998Z,214536506,S
1,2014-04-07T10:54:09.868Z,214536500,0
2,2014-04-07T13:56:37.614Z,214662742,8
2,2014-04-07T13:57:19.373Z,214662742,2089045362
4,2014-04-02T13:17:46.940Z,1,0
"""
APRIL_2 = 1_396_396_800


def test_yoochoose_is_read_in_time_order_with_repeats_as_in_the_paper(load):
    got = load("yoochoose", {"y.dat": YOOCHOOSE}, n_rows=6, n_sessions=3, n_items=5)
    seconds = APRIL_2 + 5 * DAY + 10 * 3600
    assert clicked(got) == {
        4: [(1, APRIL_2 + 13 * 3600 + 17 * 60 + 46.94)],
        1: [
            (214536502, seconds + 51 * 60 + 9.277),
            (214536500, seconds + 54 * 60 + 9.868),
            (214536506, seconds + 54 * 60 + 46.998),
        ],
        2: [(214662742, seconds + 14_197.614), (214662742, seconds + 14_239.373)],
    }
    assert dropped(got) == {}
    assert got.item_ids.dtype == "int64"
    assert load("yoochoose", {"y.dat": YOOCHOOSE}, repeats=False).n_clicks == 5


def test_yoochoose_has_the_usual_last_day(load):
    """Test sessions end within a day of the last click, even if they began before."""
    days = [("1", "01T10", "02T09"), ("2", "01T20", "02T10"), ("3", "02T11", "03T10")]
    rows = [f"{s},2014-04-{at}:00:00.000Z,{item},0" for s, *at_both in days
            for item, at in zip((5, 6), at_both, strict=True)]  # fmt: skip
    sessions = load("yoochoose", {"y.dat": "\n".join(rows)})
    train, test = sessions.split_last(**RECIPES["yoochoose"].split)
    # The last click is on day 3 at 10, and 24 hours before it the end of session 2.
    assert train.session_ids.tolist() == [1]
    assert test.session_ids.tolist() == [2, 3]


# --- diginetica: semicolons, a date and milliseconds after it

DIGINETICA = """\
sessionId;userId;itemId;timeframe;eventdate
1;NA;81766;526309;2016-05-09
1;NA;31331;1031018;2016-05-09
1;NA;32118;243569;2016-05-09
2;17;9654;75848;2016-01-09
2;17;9654;75849;2016-01-09
"""


def test_diginetica_is_ordered_by_the_milliseconds_of_the_day(load):
    got = load("diginetica", {"d.csv": DIGINETICA}, n_rows=5, n_clicks=5, n_items=4)
    january, may = 1_452_297_600, 1_462_752_000
    assert clicked(got) == {
        2: [(9654, january + 75.848)],
        1: [(32118, may + 243.569), (81766, may + 526.309), (31331, may + 1031.018)],
    }
    assert dropped(got) == {"clicks on the item clicked just before": 1}


# --- retailrocket: visitors, unix milliseconds, kinds of events, in no order

RETAILROCKET = """\
timestamp,visitorid,event,itemid,transactionid
1433221332117,257597,view,355908,
1433224214164,992329,view,248676,
1433221999827,257597,view,318965,
1433221337106,257597,addtocart,355908,
1433225599827,257597,view,355908,
1433229199828,257597,view,7,
1433221339000,257597,transaction,355908,4000
"""


def test_retailrocket_is_cut_after_more_than_an_hour_and_views_are_kept(load):
    got = load("retailrocket", {"e.csv": RETAILROCKET}, n_rows=7, n_clicks=5)
    # From 1433221999827 to 1433225599827 it is an hour to the millisecond, to the last one more.
    assert clicked(got) == {
        1: [(355908, 1433221332.117), (318965, 1433221999.827), (355908, 1433225599.827)],
        2: [(248676, 1433224214.164)],
        3: [(7, 1433229199.828)],
    }
    assert dropped(got)["rows that are no view"] == 2


# --- rees46: a file a month, UTC in words, text sessions of which some are missing

REES_HEADER = (
    "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
)
OCTOBER = f'''{REES_HEADER}\
2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,72d7-b
2019-10-01 00:00:05 UTC,view,3900821,2053013552326770905,a.water_heater,"a, ""b""",33.20,5,aa00-c
2019-10-01 00:00:07 UTC,cart,44600062,2103807459595387724,,,35.79,541312140,72d7-b
2019-10-31 23:59:59 UTC,view,17200506,2053013559792632471,furniture,,543.10,519107250,
2019-10-31 23:59:59 UTC,view,44600062,2103807459595387724,,,35.79,541312140,72d7-b
'''
NOVEMBER = f"""{REES_HEADER}\
2019-11-01 00:00:01 UTC,view,3900821,2053013552326770905,,aqua,33.20,541312140,72d7-b
2019-11-01 00:00:02 UTC,purchase,3900821,2053013552326770905,,aqua,33.20,541312140,72d7-b
"""


def test_rees46_goes_on_in_the_next_month_and_counts_rows_without_a_session(load):
    got = load("rees46", {"2019-Nov.csv": NOVEMBER, "2019-Oct.csv": OCTOBER}, n_rows=7, n_clicks=4)
    first = 1_569_888_000
    month = first + 31 * DAY
    assert clicked(got) == {
        1: [(44600062, first), (3900821, month + 1)],
        2: [(3900821, first + 5)],
    }
    assert dropped(got) == {
        "rows that are no view": 2,
        "rows without a session": 1,
        "clicks on the item clicked just before": 1,
    }


# --- coveo: hashes as ids, pages without a product

COVEO = """\
session_id_hash,event_type,product_action,product_sku_hash,server_timestamp_epoch_ms,hashed_url
20c458b802,pageview,,,1550885210881,7e4527ac
20c458b802,event_product,detail,d5157f8b,1550885213307,4ed279f4
20c458b802,event_product,detail,0061,1550885213307,4ed
20c458b802,event_product,add,0061,1550885213308,4ed
0001,event_product,detail,NA,1550885000000,4ed
0001,event_product,detail,,1550885000001,4ed
"""


def test_coveo_keeps_details_and_their_ids_as_written_equal_times_in_the_order_of_the_file(load):
    got = load("coveo", {"b.csv": COVEO}, n_rows=6, n_clicks=3, n_sessions=2)
    assert clicked(got) == {
        1: [("NA", 1550885000.0)],
        2: [("d5157f8b", 1550885213.307), ("0061", 1550885213.307)],
    }
    assert dropped(got)["rows that are no detail"] == 2
    assert dropped(got)["rows without an item"] == 1
    assert type(got.item_ids[0]) is str


# --- otto: JSON lines, kinds of events

OTTO = """\
{"session":42,"events":[{"aid":0,"ts":1661200010000,"type":"clicks"},\
{"aid":0,"ts":1661200015000,"type":"carts"},{"aid":1,"ts":1661200020000,"type":"clicks"}]}
{"session":43,"events":[{"aid":9,"ts":1661200000000,"type":"orders"}]}
{"session":44,"events":[{"aid":1,"ts":1661200009999,"type":"clicks"},\
{"aid":1,"ts":1661200040000,"type":"clicks"}]}"""


def test_otto_keeps_clicks_and_a_last_line_without_an_end(load):
    got = load("otto", {"o.jsonl": OTTO}, n_rows=6, n_clicks=4, n_sessions=2, n_items=2)
    assert clicked(got) == {44: [(1, 1661200009.999)], 42: [(0, 1661200010.0), (1, 1661200020.0)]}
    assert dropped(got)["events other than clicks"] == 2


# --- wikispeedia: a head of comments, a path in a cell, steps back

WIKISPEEDIA = """\
# Finished Wikispeedia paths, one a line, #tabs between
# FORMAT:   hashedIpAddress   timestamp   durationInSec   path   rating

6a31\t1297054935\t166\t14th_century;15th_century;<;Africa;Atlantic\tNULL
3824\t1297055651\t88\tA;B;C;<;<;D\t3
3824\t1297000000\t5\tCaf%C3%A9\t1
"""


def test_wikispeedia_steps_back_to_the_page_that_was_left(load):
    got = load("wikispeedia", {"p.tsv": WIKISPEEDIA}, n_sessions=3, n_clicks=12)
    pages = {session: [page for page, _ in way] for session, way in clicked(got).items()}
    assert pages == {
        3: ["Caf%C3%A9"],
        1: ["14th_century", "15th_century", "14th_century", "Africa", "Atlantic"],
        2: ["A", "B", "C", "B", "A", "D"],
    }
    assert set(got.times[1:6]) == {1297054935.0}


# --- what is refused, and how it says so


@pytest.mark.parametrize(
    ("name", "file", "text", "message"),
    [
        ("yoochoose", "y.dat", YOOCHOOSE.replace(",0\n", ",0,9\n"), "5 columns, not the 4 session"),
        ("yoochoose", "y.dat", "session,timestamp,item,category\n" + YOOCHOOSE, "int"),
        ("yoochoose", "y.dat", YOOCHOOSE.replace("10:54:09", "25:54:09"), "out of range"),
        ("yoochoose", "y.dat", YOOCHOOSE.replace("2014-04-07T10:54:09.868Z", ""), "missing"),
        ("yoochoose", "y.dat", YOOCHOOSE.replace("214536500", "2145x"), "2145x"),
        ("yoochoose", "y.dat", "", "columns"),
        ("diginetica", "d.csv", DIGINETICA.replace(";", ","), "no column 'sessionId'; it has sess"),
        ("diginetica", "d.csv", DIGINETICA.splitlines()[0], "no clicks"),
        ("retailrocket", "e.csv", RETAILROCKET.replace("view", "look"), "no clicks"),
        ("retailrocket", "e.csv", RETAILROCKET.replace("1433221332117", ""), "NA val"),
        ("retailrocket", "e.csv", RETAILROCKET.replace("1433221332117", "-5"), "before 1970"),
        ("coveo", "b.csv", COVEO.replace("product_sku_hash", "sku"), "no column 'product_sku_ha"),
        ("otto", "o.jsonl", OTTO[:-9], "is no session"),
        ("otto", "o.jsonl", OTTO.replace('"aid"', '"item"'), "is no session: KeyError.'aid'"),
        ("otto", "o.jsonl", "[]\n", "is no session"),
        ("wikispeedia", "p.tsv", WIKISPEEDIA.replace("A;B", "<;B"), "step back from the first"),
        ("wikispeedia", "p.tsv", WIKISPEEDIA.replace("\t5\t", "\t"), "is no path of five cells"),
        ("wikispeedia", "p.tsv", "# nothing\n", "no clicks"),
    ],
)  # fmt: skip
def test_another_file_is_refused_with_a_way_out(load, name, file, text, message):
    with pytest.raises(ValueError, match=f"'{file}' cannot be read as {name}: .*{message}.*get it"):
        load(name, {file: text})


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"n_rows": 8}, "has 7 rows, not the 8 of retailrocket; get it again"),
        ({"n_rows": 7, "n_clicks": 4}, "has 5 clicks, not the 4 of retailrocket"),
        ({"n_items": 9}, "has 4 items, not the 9 of retailrocket"),
    ],
)
def test_counts_that_were_published_are_compared(load, counts, message):
    with pytest.raises(ValueError, match=message):
        load("retailrocket", {"e.csv": RETAILROCKET}, **counts)


FILES = {
    "yoochoose": YOOCHOOSE, "diginetica": DIGINETICA, "retailrocket": RETAILROCKET,
    "rees46": OCTOBER, "coveo": COVEO, "otto": OTTO, "wikispeedia": WIKISPEEDIA,
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_parts_line_ends_and_a_byte_order_mark_change_nothing(load, name, monkeypatch):
    whole = clicked(load(name, {"a file": FILES[name]}))
    monkeypatch.setattr(raw_logs, "ROWS", 2)
    monkeypatch.setattr(raw_logs, "BLOCK", 50)
    text = FILES[name].replace("\n", "\r\n")
    assert clicked(load(name, {"b file": "\ufeff" * (name != "otto") + text})) == whole


def test_every_recipe_but_the_e_shop_is_tried_here():
    assert FILES.keys() | {"e-shop"} == RECIPES.keys()


def test_a_bar_shows_how_much_of_a_long_file_is_read(load, monkeypatch, capsys):
    load("yoochoose", {"short": YOOCHOOSE})
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(raw_logs, "WORTH_A_BAR", 0)
    load("yoochoose", {"long": YOOCHOOSE.replace("S", "T")})
    assert "long:" in capsys.readouterr().err
