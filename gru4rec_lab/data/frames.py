"""A DataFrame of clicks, checked and turned into plain arrays.

Every refusal says how many rows are wrong, shows one of them and names the way out, because the
frame is the learner's own and the first thing that goes wrong.
"""

import warnings
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from .gather import Part

if TYPE_CHECKING:
    import pandas as pd

Moment = int | float | str | date  # seconds since 1970, ISO 8601, or a date or datetime
Column = str | int  # what a column is called
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# Seconds since 1970 below 10**11 lie before the year 5138: larger numbers count something else.
_TOO_LARGE = {"ms": 1e11, "us": 1e14, "ns": 1e17}
_LATER_THAN_1980, _EARLIER_THAN_2100 = 3.2e8, 4.1e9
_DATES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def read_clicks(
    frame: "pd.DataFrame",
    *,
    session: Column,
    item: Column,
    time: Column | Sequence[Column],
    unit: str | None = None,
) -> Part:
    """The named columns of `frame`, checked; a second one in `time` orders clicks of equal time.

    Duplicate rows stay: the same item clicked twice is two clicks.

    Raises:
        ValueError: a column is missing or named twice, the frame is empty, an id is missing, ids
            mix types or cannot be saved, a time is missing, negative or not a time, or the times
            look like another unit than seconds and none is told.
    """
    clock, *order = time if isinstance(time, list | tuple) else (time,)
    if len(order) > 1:
        raise ValueError(f"time= names the clock and what orders equal times, no more: {time!r}")
    roles = [session, item, clock, *order]
    if not hasattr(frame, "columns"):
        raise ValueError(
            f"clicks must be a DataFrame, got {type(frame).__name__}; "
            "pd.DataFrame(rows, columns=[...]) makes one"
        )
    found = list(frame.columns)
    for name in roles:
        if name not in found:
            raise ValueError(
                f"no column {name!r}; the frame has "
                f"{', '.join(map(str, found)) or 'no columns'}; "
                f"name yours with session=, item=, time="
            )
        if roles.count(name) > 1 or found.count(name) > 1:
            raise ValueError(
                f"column {name!r} is there or asked for more than once; session=, item= and time= "
                "need one column each (time= may name two, the clock and the order)"
            )
    if frame.empty:
        raise ValueError("the frame has no rows; give at least one session of two clicks")
    for name in (session, item):
        _check_ids(frame, name)
    seconds = _seconds(frame, clock, unit)
    _check_item_ids(frame[item])
    ranks = _order(frame, order[0]) if order else None
    return Part(frame[session], frame[item], seconds, ranks)


def _order(frame: "pd.DataFrame", name: Column) -> np.ndarray:
    numbers = _numbers(frame[name])
    if numbers is None:
        raise ValueError(f"{name} orders clicks of equal time and must hold numbers; rank it first")
    return _finite(frame, name, numbers)


def _check_ids(frame: "pd.DataFrame", name: Column) -> None:
    import pandas as pd

    ids = frame[name]
    _refuse(frame, ids.isna(), f"have no {name}", "drop them or fill them in first")
    if ids.dtype == object or isinstance(ids.dtype, pd.CategoricalDtype):
        kinds = ids.astype(object).map(type)
        common = kinds.value_counts().index[0]
        way_out = f"make them one type, for example frame[{name!r}].astype(str)"
        _refuse(frame, kinds != common, f"have a {name} that is no {common.__name__}", way_out)
        if common.__hash__ is None:
            raise ValueError(f"{name} holds a {common.__name__} a row, which is no id; {way_out}")


def _check_item_ids(ids: "pd.Series") -> None:
    """Refuse names of items that a model could not be saved with."""
    if ids.dtype.kind in "iufb":
        return
    names = np.asarray(ids.unique())
    if names.dtype.kind in "iufb":  # categories of numbers
        return
    # Moments become whole numbers in a list.
    are_moments = names.dtype.kind in "mM"
    odd = [each for each in names if are_moments or not isinstance(each, str | int | float)]
    if odd:
        raise ValueError(
            f"{len(odd)} of {len(names)} ids in {ids.name} cannot be saved with a model, the first "
            f"is {odd[0]!r}; make them text or numbers, for example frame[{ids.name!r}].astype(str)"
        )


def seconds_of(moment: Moment) -> float:
    """Seconds since 1970 of a moment; a number is taken for them.

    Raises:
        ValueError: text that is not in ISO 8601.
    """
    import pandas as pd

    if isinstance(moment, int | float | np.number):
        return float(moment)
    seconds = _seconds_of_moments(pd.Series([moment], dtype=object))[0]
    if not np.isfinite(seconds):
        raise ValueError(f"cannot read {moment!r} as a moment; write it as 2014-04-07T10:51:09")
    return float(seconds)


def _seconds(frame: "pd.DataFrame", name: Column, unit: str | None) -> np.ndarray:
    """The times of a frame in seconds, as `unit` says: of `PER_SECOND`, or how dates are written.

    Where it says nothing, numbers that cannot be seconds are refused.
    """
    import pandas as pd

    times = frame[name]
    _refuse(frame, times.isna(), f"have no {name}", "drop them or fill them in first")
    numbers = _numbers(times)
    if unit is not None and "%" in str(unit):
        # A whole number is written as one even where its column holds floats.
        are_whole = numbers is not None and np.isfinite(numbers).all() and (numbers % 1 == 0).all()
        text = (numbers.astype("int64") if are_whole else times).astype(str)
        moments = pd.to_datetime(text, format=unit, errors="coerce", utc=True)
        numbers = _since_1970(moments)
    elif unit is not None and unit not in PER_SECOND:
        raise ValueError(
            f"unknown unit {unit!r}; choose one of {', '.join(PER_SECOND)}, or say how dates are "
            "written, such as %Y%m%d or %d/%m/%Y"
        )
    elif numbers is None:
        if unit is not None:
            raise ValueError(f"unit={unit!r} is for numbers, but {name} has {times.iloc[0]!r}")
        numbers = _seconds_of_moments(times)
    elif unit is None:
        _question(frame, name, numbers)
    else:
        numbers = _converted(name, numbers, unit)
    way_out = (
        "write times as numbers or as 2014-04-07T10:51:09, or say how they are written, such as "
        'unit="%d/%m/%Y"'
    )
    _refuse(frame, numbers.isna(), f"have a {name} that cannot be read", way_out)
    seconds = _finite(frame, name, numbers)
    wrong = pd.Series(seconds < 0, index=frame.index)
    _refuse(frame, wrong, f"have a {name} below 0", "shift the clock so that it starts at 0")
    return seconds


def _finite(frame: "pd.DataFrame", name: Column, numbers: "pd.Series") -> np.ndarray:
    import pandas as pd

    values = numbers.to_numpy(dtype=np.float64)
    wrong = pd.Series(~np.isfinite(values), index=frame.index)
    _refuse(frame, wrong, f"have a {name} that is not finite", "drop them or fill them in first")
    return values


def _question(frame: "pd.DataFrame", name: Column, numbers: "pd.Series") -> None:
    """Refuse numbers that are hardly seconds."""
    import pandas as pd

    values = numbers.to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    low, high = values.min(initial=np.inf), values.max(initial=0)
    for digits, written in _DATES.items():
        if 10 ** (digits - 1) <= low <= high < 10**digits and _are_dates(values, digits):
            raise ValueError(
                f"all of {name} can be read as dates, the first, {values[0]:.0f}, as "
                f"{pd.to_datetime(f'{values[0]:.0f}', format=written)}; give unit={written!r}, or "
                'unit="s" if they do count seconds'
            )
    for unit, least in reversed(_TOO_LARGE.items()):
        if high >= least:
            large = (numbers >= least) & np.isfinite(numbers)
            moment = _moment(float(numbers[large].iloc[0]), unit)
            way_out = f"give unit={unit!r} for {moment}, or unit='s'"
            _refuse(frame, large, f"have a {name} that is no plausible number of seconds", way_out)


def _are_dates(values: np.ndarray, digits: int) -> bool:
    """Whether all numbers read as dates, from the year 1970 to 2100, of so many digits."""
    day = values // 10 ** (digits - 8)
    month = day // 100 % 100
    return bool(
        (
            (values == np.floor(values))
            & (day >= 19_700_101) & (day <= 21_001_231)
            & (month >= 1) & (month <= 12) & (day % 100 >= 1) & (day % 100 <= 31)
        ).all()
    )  # fmt: skip


def _converted(name: Column, numbers: "pd.Series", unit: str) -> "pd.Series":
    """Seconds of numbers in `unit`; a warning if another unit would give the years since 1980."""
    middle = float(numbers.median())
    plausible = [
        each
        for each, count in PER_SECOND.items()
        if _LATER_THAN_1980 <= middle / count < _EARLIER_THAN_2100
    ]
    if plausible and unit not in plausible and unit != "s":
        warnings.warn(
            f"unit={unit!r} makes {_moment(middle, unit)} of {name} {middle:.0f}; "
            f"unit={plausible[0]!r} would make {_moment(middle, plausible[0])}",
            stacklevel=2,
        )
    return numbers / PER_SECOND[unit]


def _moment(number: float, unit: str) -> str:
    """The date that so many units since 1970 lead to."""
    import pandas as pd

    seconds = number / PER_SECOND[unit]
    return f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%d}" if 0 <= seconds < 9e9 else f"{seconds:g} s"


def _numbers(times: "pd.Series") -> "pd.Series | None":
    """The times as numbers, NaN where one is none; None if they are no numbers at all."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(times):
        return times
    if pd.api.types.is_datetime64_any_dtype(times):
        return None
    if pd.to_numeric(times.head(1000).astype(object), errors="coerce").notna().mean() <= 0.5:
        return None
    return pd.to_numeric(times.astype(object), errors="coerce")


def _seconds_of_moments(times: "pd.Series") -> "pd.Series":
    """Seconds since 1970 of moments and of text in ISO 8601; else NaN."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(times):
        # Only ISO 8601: a format guessed from the first row confuses day and month, or refuses
        # 10:51:09 after 10:51:09.277. As text, or the number 1 would be read as a nanosecond.
        text = times.astype(str).str.removesuffix(" UTC")
        times = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    return _since_1970(times)


def _since_1970(moments: "pd.Series") -> "pd.Series":
    import pandas as pd

    # Not astype(int): its unit is microseconds or nanoseconds, depending on the column.
    return (pd.to_datetime(moments, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


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
