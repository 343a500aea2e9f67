"""The sums and the verdict of the latency benchmark; no browser, no clock."""

import math

import pytest

from benchmarks.latency_words import TARGETS, missed, p95, row, speed_lost, summary


def test_the_95th_percentile_is_the_time_that_19_of_20_presses_do_not_exceed():
    times = [float(time) for time in range(20, 0, -1)]
    assert p95(times) == 19
    assert p95([*times, 21.0]) == 20
    assert p95([7.0]) == 7
    assert p95([float(time) for time in range(1, 51)]) == 48


def test_a_press_without_a_reaction_is_infinitely_late():
    assert p95([1.0, 2.0, None]) == math.inf
    assert row("bpreg", [1.0, None, 2.0]).split() == ["bpreg", "1", "2", "inf"]
    assert missed({"stop, ms": p95([None])}) == ["stop, ms"]


def test_no_presses_are_refused():
    with pytest.raises(ValueError, match="at least once"):
        p95([])


@pytest.mark.parametrize("name", TARGETS)
def test_one_figure_above_its_target_is_a_miss_and_at_the_target_none(name):
    assert missed(TARGETS) == []
    assert missed(TARGETS | {name: TARGETS[name] + 1}) == [name]
    assert missed(TARGETS | {name: math.nan}) == [name]


def test_the_summary_names_each_figure_with_its_target():
    lines = summary({"stop, ms": 150.4, "empty frames": 0}).splitlines()
    assert len(lines) == len(TARGETS)
    assert lines[0].split() == ["explorer", "idle,", "ms", "not", "measured", "(80)"]
    assert lines[5].split() == ["stop,", "ms", "150", "(150)", "MISSED"]
    assert lines[6].split() == ["empty", "frames", "0", "(0)"]


def test_the_speed_lost_is_the_median_over_pairs():
    assert speed_lost([(100, 90), (200, 100), (50, 40)]) == pytest.approx(20)
