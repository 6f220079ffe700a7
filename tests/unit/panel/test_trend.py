# SPDX-License-Identifier: Apache-2.0
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from coshell.panel.spark import BARS, sparkline
from coshell.panel.trend import CAPACITY, Trend


def test_a_bucket_keeps_lowest_highest_and_last():
    trend = Trend(period_s=1.0)
    for now, value in ((0.0, 5.0), (0.2, 1.0), (0.9, 7.0), (0.95, 6.0), (1.5, 2.0)):
        trend.add(value, now)
    first, second = trend
    assert tuple(first) == (0.0, 1.0, 7.0, 6.0)
    assert tuple(second) == (1.5, 2.0, 2.0, 2.0)
    assert trend.recent(8) == [6.0, 2.0]
    assert trend.recent(1) == [2.0]
    assert trend.recent(0) == []


@given(st.integers(0, 400), st.integers(0, 200))
def test_the_newest_values_are_kept_in_bounded_memory(count, wanted):
    trend = Trend(period_s=1.0)
    for step in range(count):
        trend.add(float(step), float(step))
    kept = min(count, CAPACITY)
    assert len(trend) == kept
    assert [bucket.last for bucket in trend] == [float(n) for n in range(count - kept, count)]
    assert trend.recent(wanted) == [
        float(n) for n in range(count - min(kept, wanted), count)
    ]  # fmt: skip


def test_the_extremes_are_those_of_the_newest_buckets():
    trend = Trend()
    assert trend.extremes(8) is None
    for second in range(CAPACITY + 30):
        trend.add(float(second), second)
        trend.add(second + 0.5, second + 0.5)
    newest = CAPACITY + 29
    assert trend.extremes(1) == (newest, newest + 0.5)
    assert trend.extremes(8) == (newest - 7, newest + 0.5)
    assert trend.extremes(1000) == (30.0, newest + 0.5)


def test_what_is_no_number_has_no_part_in_the_extremes():
    trend = Trend()
    trend.add(nan, 0.0)
    assert trend.extremes(8) is None
    trend.add(inf, 1.0)
    trend.add(3.0, 2.0)
    assert trend.extremes(8) == (3.0, 3.0)


def test_a_cleared_trend_is_empty():
    trend = Trend()
    trend.add(1.0, 0.0)
    trend.clear()
    assert (len(trend), list(trend), trend.recent(5)) == (0, [], [])


def test_bars_go_from_lowest_to_highest():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == BARS
    assert sparkline([5.0, 5.0, 5.0]) == "▄▄▄"
    assert sparkline([1.0, nan, 2.0]) == "▁·█"
    assert sparkline([nan, nan]) == "··"
    assert sparkline([]) == ""


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30), st.booleans())
def test_every_value_has_one_bar(values, unicode):
    text = sparkline(values, unicode)
    assert len(text) == len(values)
    assert unicode or text.isascii()
