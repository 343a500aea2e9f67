import datetime

import numpy as np
import pandas as pd
import pytest

from gru4rec_lab.data.frames import read_clicks


def clicks(**columns):
    """Two sessions of two clicks; any column may be replaced."""
    usual = {"SessionId": [7, 7, 8, 8], "ItemId": ["a", "b", "a", "c"], "Time": [1, 2, 3, 4]}
    return pd.DataFrame(usual | columns)


def read(frame, time="Time"):
    return read_clicks(frame, session="SessionId", item="ItemId", time=time)


def test_the_columns_are_given_by_their_role():
    got = read(clicks().rename(columns={"Time": "when"}), time="when")
    assert got.session.tolist() == [7, 7, 8, 8]
    assert got.item.tolist() == ["a", "b", "a", "c"]
    assert got.time.tolist() == [1, 2, 3, 4]


def test_the_frame_is_left_as_it_was():
    frame = clicks(Time=["2014-04-07", "2014-04-08", "2014-04-09", "2014-04-10"])
    before = frame.copy()
    read(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_duplicate_rows_are_clicks():
    frame = pd.concat([clicks(), clicks()], ignore_index=True)
    assert read(frame).item.tolist() == ["a", "b", "a", "c"] * 2


# 2014-04-07 is day 16,167 since 1970.
MONDAY = 16_167 * 86_400.0
MOMENTS = {
    "days": ["2014-04-07"] * 4,
    "ISO, with and without fractions": [
        "2014-04-07T00:00:00Z",
        "2014-04-07T00:00:00.000Z",
        "2014-04-07 00:00:00",
        "2014-04-07",
    ],
    "ISO with UTC behind": ["2014-04-07 00:00:00 UTC"] * 4,
    "zones": ["2014-04-07T02:00:00+02:00", "2014-04-06T23:00:00-01:00"] * 2,
    "datetime objects": pd.Series([datetime.datetime(2014, 4, 7)] * 4, dtype=object),
    "microseconds": pd.Series(["2014-04-07"] * 4, dtype="datetime64[us]"),
    "nanoseconds": pd.Series(["2014-04-07"] * 4, dtype="datetime64[ns]"),
    "moments in UTC": pd.Series(["2014-04-07"] * 4, dtype="datetime64[ns, UTC]"),
}


@pytest.mark.parametrize("times", MOMENTS.values(), ids=MOMENTS)
def test_moments_become_seconds_since_1970(times):
    assert read(clicks(Time=times)).time.tolist() == [MONDAY] * 4


NUMBERS = {
    "integers": [1, 2, 3, 4],
    "floats": [1.0, 2.0, 3.0, 4.0],
    "integers in an object column": pd.Series([1, 2, 3, 4], dtype=object),
    "nullable integers": pd.array([1, 2, 3, 4], dtype="Int64"),
    "text": ["1", "2", "3.0", "4"],
}


@pytest.mark.parametrize("times", NUMBERS.values(), ids=NUMBERS)
def test_numbers_stay_the_numbers_they_are(times):
    got = read(clicks(Time=times)).time
    assert got.dtype == np.float64
    assert got.tolist() == [1.0, 2.0, 3.0, 4.0]


REFUSED = {
    "a missing session": ({"SessionId": [7, None, 8, 8]}, "1 of 4 rows have no SessionId"),
    "a missing item": ({"ItemId": ["a", "b", None, None]}, "2 of 4 rows have no ItemId"),
    "NaN for an item": ({"ItemId": [1.0, np.nan, 2.0, 3.0]}, "1 of 4 rows have no ItemId"),
    "mixed items": ({"ItemId": ["a", "b", 3, "c"]}, "1 of 4 rows .* no str.*astype"),
    "mixed sessions": ({"SessionId": [7, 7, "8", 8]}, "1 of 4 rows .* no int.*astype"),
    "mixed categories": ({"ItemId": pd.Categorical(["a", "b", 3, "c"])}, "no str"),
    "a missing time": ({"Time": [1, np.nan, 3, 4]}, "1 of 4 rows have no Time"),
    "a negative time": ({"Time": [1, 2, -3, 4]}, "1 of 4 rows .* below 0.*shift the clock"),
    "a time before 1970": ({"Time": ["1960-01-01"] * 4}, "4 of 4 rows .* below 0"),
    "an infinite time": ({"Time": [1, 2, np.inf, 4]}, "1 of 4 rows .* not finite"),
    "words for times": ({"Time": ["soon"] * 4}, "4 of 4 rows .* cannot be read"),
    "a word among numbers": ({"Time": ["1", "2", "x", "4"]}, "1 of 4 rows .* row 2.*Time='x'"),
    "a word among moments": ({"Time": ["2014-04-07"] * 3 + ["x"]}, "1 of 4 rows .* row 3"),
    "day before month": ({"Time": ["07/04/2014"] * 4}, "cannot be read.*2014-04-07T10:51:09"),
    "a bare number among moments": (
        {"Time": pd.Series([1] + ["2014-04-07"] * 3, dtype=object)},
        "1 of 4 rows .* row 0",
    ),
    "durations": ({"Time": pd.to_timedelta([1, 2, 3, 4], unit="s")}, "cannot be read"),
}


@pytest.mark.parametrize(("columns", "message"), REFUSED.values(), ids=REFUSED)
def test_bad_cells_are_refused_with_their_count_and_the_way_out(columns, message):
    with pytest.raises(ValueError, match=message):
        read(clicks(**columns))


def test_a_refusal_shows_the_first_bad_row_as_plain_values():
    with pytest.raises(ValueError, match="first row 2: SessionId=8, ItemId='a', Time=-3;"):
        read(clicks(Time=[1, 2, -3, -4]))


def test_a_refusal_counts_rows_by_place_whatever_the_index():
    frame = clicks(Time=[1, 2, -3, 4]).set_index(pd.Index([5, 5, 5, 5]))
    with pytest.raises(ValueError, match="first row 2: SessionId=8"):
        read(frame)


def test_a_missing_column_is_named_with_those_found():
    frame = clicks().rename(columns={"Time": "when"})
    with pytest.raises(ValueError, match="no column 'Time'; the frame has SessionId, ItemId, when"):
        read(frame)


def test_a_frame_without_columns_says_so():
    with pytest.raises(ValueError, match="the frame has no columns"):
        read(pd.DataFrame())


def test_a_frame_without_rows_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        read(clicks().iloc[:0])
