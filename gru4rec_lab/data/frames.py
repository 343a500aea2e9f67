"""A DataFrame of clicks, checked and turned into plain arrays.

Every refusal says how many rows are wrong, shows one of them and names the way out, because the
frame is the learner's own and the first thing that goes wrong.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Clicks:
    """The clicks of a frame as arrays, one entry a row, in the order of the frame.

    Attributes:
        session: session of each click, numbered by first appearance.
        item: item of each click, numbered by first appearance.
        time: seconds (or whatever unit the frame's numbers have), not negative.
        session_ids: the frame's own name of each session.
        item_ids: the frame's own name of each item.
    """

    session: np.ndarray
    item: np.ndarray
    time: np.ndarray
    session_ids: np.ndarray
    item_ids: np.ndarray

    def by_session(self) -> np.ndarray | slice:
        """The order of sessions, in time order within one; ties as they come."""
        session, time = self.session, self.time
        later = (session[1:] == session[:-1]) & (time[1:] >= time[:-1])
        if (later | (session[1:] > session[:-1])).all():
            # Most logs are stored like this, and sorting takes longer than reading and checking.
            return slice(None)
        return np.lexsort((time, session))


def read_clicks(frame: "pd.DataFrame", *, session: str, item: str, time: str) -> Clicks:
    """The three named columns of `frame` as arrays.

    Duplicate rows stay: the same item clicked twice is two clicks.

    Raises:
        ValueError: a column is missing, the frame is empty, an id is missing or ids mix types, or a
            time is missing, negative or not a time.
    """
    import pandas as pd

    missing = [name for name in (session, item, time) if name not in frame.columns]
    if missing:
        raise ValueError(
            f"no column {missing[0]!r}; the frame has "
            f"{', '.join(map(str, frame.columns)) or 'no columns'}; "
            f"name yours with session=, item=, time="
        )
    if frame.empty:
        raise ValueError("the frame has no rows; give at least one session of two clicks")
    for name in (session, item):
        _check_ids(frame, name)
    seconds = _seconds(frame, time)
    session_codes, session_ids = pd.factorize(frame[session])
    item_codes, item_ids = pd.factorize(frame[item])
    return Clicks(session_codes, item_codes, seconds, np.asarray(session_ids), np.asarray(item_ids))


def _check_ids(frame: "pd.DataFrame", name: str) -> None:
    import pandas as pd

    ids = frame[name]
    _refuse(frame, ids.isna(), f"have no {name}", "drop them or fill them in first")
    if ids.dtype == object or isinstance(ids.dtype, pd.CategoricalDtype):
        kinds = ids.astype(object).map(type)
        common = kinds.value_counts().index[0]
        way_out = f"make them one type, for example frame[{name!r}].astype(str)"
        _refuse(frame, kinds != common, f"have a {name} that is no {common.__name__}", way_out)


def _seconds(frame: "pd.DataFrame", name: str) -> np.ndarray:
    import pandas as pd

    times = frame[name]
    _refuse(frame, times.isna(), f"have no {name}", "drop them or fill them in first")
    numbers = times if pd.api.types.is_numeric_dtype(times) else _seconds_of_moments(times)
    way_out = "write times as numbers or as 2014-04-07T10:51:09"
    _refuse(frame, numbers.isna(), f"have a {name} that cannot be read", way_out)
    seconds = numbers.to_numpy(dtype=np.float64)
    wrong = pd.Series(~np.isfinite(seconds) | (seconds < 0), index=frame.index)
    way_out = "shift the clock so that it starts at 0 or later"
    _refuse(frame, wrong, f"have a {name} below 0 or not finite", way_out)
    return seconds


def _seconds_of_moments(times: "pd.Series") -> "pd.Series":
    """Seconds since 1970 of moments, of text in ISO 8601, of text that is a number; else NaN."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(times):
        numbers = pd.to_numeric(times.astype(object), errors="coerce")
        if numbers.notna().mean() > 0.5:
            return numbers
        # Only ISO 8601: a format guessed from the first row confuses day and month, or refuses
        # 10:51:09 after 10:51:09.277. As text, or the number 1 would be read as a nanosecond.
        text = times.astype(str).str.removesuffix(" UTC")
        times = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    # Not astype(int): its unit is microseconds or nanoseconds, depending on the column.
    return (pd.to_datetime(times, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


def _refuse(frame: "pd.DataFrame", wrong: "pd.Series", what: str, way_out: str) -> None:
    count = int(wrong.sum())
    if count:
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        # Column by column: a whole row would turn its integers into floats.
        cells = {key: frame[key].iloc[[row]].tolist()[0] for key in frame.columns}
        example = ", ".join(f"{key}={value!r}" for key, value in cells.items())
        raise ValueError(
            f"{count} of {len(frame)} rows {what}, first row {row}: {example}; {way_out}"
        )
