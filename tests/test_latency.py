"""The sums and the verdict of the latency benchmark; no browser, no clock."""

import math
from dataclasses import replace

import pytest

from benchmarks.latency_words import TARGETS, Figures, p95, row, speed_lost

MET = Figures(*TARGETS)


def test_the_95th_percentile_is_the_time_that_19_of_20_presses_do_not_exceed():
    times = [float(time) for time in range(20, 0, -1)]
    assert p95(times) == 19
    assert p95([*times, 21.0]) == 20
    assert p95([7.0]) == 7
    assert p95([float(time) for time in range(1, 51)]) == 48


def test_a_press_without_a_reaction_is_infinitely_late():
    assert p95([1.0, 2.0, None]) == math.inf
    assert row("bpreg", [1.0, None, 2.0]).split() == ["bpreg", "1", "2", "inf"]
    assert replace(MET, idle=p95([None])).missed()


def test_no_presses_are_refused():
    with pytest.raises(ValueError, match="at least once"):
        p95([])


@pytest.mark.parametrize("name", ["idle", "training", "drag_tail", "stop", "speed_lost"])
def test_one_figure_above_its_target_is_a_miss_and_at_the_target_none(name):
    assert not MET.missed()
    assert replace(MET, **{name: getattr(MET, name) + 1}).missed()
    assert replace(MET, **{name: math.nan}).missed()


def test_a_speed_that_was_not_measured_is_no_miss_and_said():
    unknown = replace(MET, speed_lost=None)
    assert not unknown.missed()
    assert unknown.summary().endswith("training speed lost not measured (15)")


def test_the_last_line_names_each_figure_with_its_target():
    assert Figures(95.4, 130, 66, 150, 12.3).summary() == (
        "worst p95: idle 95 ms (100), while training 130 ms (150), drag tail 66 ms (150), "
        "stop 150 ms (200), training speed lost 12 % (15)"
    )


def test_the_speed_lost_is_the_median_over_pairs():
    assert speed_lost([(100, 90), (200, 100), (50, 40)]) == pytest.approx(20)
