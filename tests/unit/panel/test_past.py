# SPDX-License-Identifier: Apache-2.0
"""Curves that begin in the past."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coshell.panel.model import Panel
from coshell.panel.plot import Plot
from coshell.panel.theme import Theme
from coshell.panel.trend import CAPACITY, Bucket, Trend
from coshell.past import NOTHING, Past, begin_at, best, since_then


def buckets(*times: float) -> list[Bucket]:
    return [Bucket(at, at, at, at) for at in times]


class Number(float):
    """A number as Channel Access delivers it."""

    ok = True
    severity = status = 0
    datatype = 6
    timestamp = 1.0


def test_what_held_at_the_moment_belongs_to_what_follows_it():
    past = since_then(6, buckets(1, 2, 3, 5), 3.5)
    assert past == Past(6, buckets(3, 5))
    assert since_then(6, buckets(1, 2), 10.0).buckets == buckets(2)
    assert since_then(6, buckets(4, 5), 3.0).buckets == buckets(4, 5)
    assert since_then(6, [], 3.0) is NOTHING


def test_the_past_that_goes_back_furthest_is_best():
    long, short = Past(6, buckets(2, 9)), Past(6, buckets(4, 5, 6, 7))
    assert best([short, long], 1.0) is long
    # Both reach back to 5; the second has more to tell.
    assert best([long, short], 5.0) is short
    assert best([NOTHING, short], 1.0) is short
    assert best([], 1.0) is NOTHING


def test_a_curve_begins_with_what_was_recorded_and_goes_on():
    panel = Panel("plot", ["A", "B"], 100.0)
    known = {"A": Past(6, [Bucket(20.0, 1, 5, 2), Bucket(60.0, 7, 7, 7)])}
    begins = begin_at(panel, 10.0, 100.0, lambda name, _since: known.get(name, NOTHING))
    assert begins == {"A": 20.0, "B": 100.0}
    panel.apply_update(panel["A"], Number(9), 101.0)
    assert list(panel["A"].trend) == [(20.0, 1, 5, 2), (60.0, 7, 7, 7), (101.0, 9, 9, 9)]


def test_a_row_that_knows_more_itself_keeps_that():
    panel = Panel("plot", ["A"], 0.0)
    for at in (5.0, 50.0):
        panel.apply_update(panel["A"], Number(at), at)
    begins = begin_at(panel, 2.0, 60.0, lambda _name, _since: Past(6, buckets(30)))
    assert begins == {"A": 5.0}
    assert [bucket.last for bucket in panel["A"].trend] == [5, 50]


def test_the_axis_of_a_plot_grows_from_its_beginning():
    panel = Panel("plot", ["A"], 0.0)
    for at in range(10, 20):
        panel.apply_update(panel["A"], Number(at), float(at))
    plot = Plot(panel, Theme(colours=None), 5.0, since=10.0, began="14:30:00")
    early, late = plot.lines(60, 8, 20.0), plot.lines(60, 8, 200.0)
    assert "14:30:00" in early[-1]
    assert early[-1].rstrip().endswith("now")
    assert plot.span_s == 190.0

    def rising(lines: list[str]) -> int:
        return sum(char not in " ┤0123456789.⣀⠉" for line in lines[1:-1] for char in line)

    assert rising(late) < rising(early)


@given(
    st.lists(st.floats(0.01, 5.0), min_size=CAPACITY + 5, max_size=6 * CAPACITY),
    st.floats(0.1, 1.0),
)
def test_a_whole_trend_forgets_nothing_and_stays_bounded(steps, period_s):
    trend = Trend(period_s, whole=True)
    now = 0.0
    values = []
    for number, step in enumerate(steps):
        now += step
        values.append((number * 7919) % 1000)
        trend.add(float(values[-1]), now)
    kept = list(trend)
    assert len(kept) <= CAPACITY
    assert kept[0].began == steps[0]
    assert kept[-1].last == values[-1]
    assert min(bucket.low for bucket in kept) == min(values)
    assert max(bucket.high for bucket in kept) == max(values)
    assert all(a.began < b.began for a, b in pairwise(kept))


def test_only_neighbours_in_time_are_joined():
    """The value of a quiet PV held until the next one came, however long that took."""
    trend = Trend(1.0, whole=True)
    for number in range(CAPACITY + 1):
        trend.add(float(number), 1000.0 * number + (number % 2) * -998.5)
    kept = list(trend)
    assert trend.period_s == pytest.approx(2.0)
    assert kept[0] == (0.0, 0.0, 1.0, 1.0)
    assert kept[1].began == 2000.0
