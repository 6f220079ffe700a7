# SPDX-License-Identifier: Apache-2.0
import re
from math import inf, nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coshell.panel.chart import Curve, chart, columns_of, spans_in_time, spans_of
from coshell.panel.model import Panel, metadata_of
from coshell.panel.plot import Plot
from coshell.panel.text import cells
from coshell.panel.theme import Theme
from coshell.panel.trend import Trend

from .test_render import array
from .values import Control, augmented

SGR = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = Theme(colours=None)


def picture(curves, width, height, unicode=True, **options):
    lines = chart(curves, width, height, Theme(colours=None, unicode=unicode), **options)
    return "\n".join(line.rstrip() for line in lines)


def test_a_ramp_in_stars():
    curve = Curve("ramp", spans_of(np.arange(10.0), 10))
    assert picture([curve], 10, 5, unicode=False) == "\n".join(
        [
            " - ramp",
            "        **",
            "     ***",
            "  ***",
            "**",
        ]
    )


def test_a_curve_has_its_scale_and_its_ends():
    curve = Curve("wave", spans_of(np.array([0.0, 5.0]), 40))
    lines = picture([curve], 40, 7, precision=1, ends=("0 s", "now")).splitlines()
    assert lines[0] == " ━ wave"
    assert lines[1].startswith("5.0┤")
    assert lines[3].startswith("2.5┤")
    assert lines[5].startswith("0.0┤⣀")
    assert lines[6] == "    0 s" + " " * 30 + "now"


def test_a_spike_one_sample_wide_is_seen_among_a_million():
    wave = np.zeros(1_000_000)
    wave[777_777] = 9.0
    spans = spans_of(wave, 100)
    assert [at for at, span in enumerate(spans) if span == (0.0, 9.0)] == [77]


def test_nothing_is_drawn_where_there_is_no_number():
    assert spans_of(np.array([nan, 1.0, inf, 2.0]), 4) == [None, (1, 1), None, (2, 2)]
    assert spans_of(np.array([]), 4) == []
    assert picture([Curve("x", [None] * 8)], 4, 3) == " ━ x\n\n"


def test_a_value_that_nobody_changes_stays_and_a_spike_does_not():
    trend = Trend(period_s=1.0)
    for now, value in ((0.0, 1.0), (5.0, 9.0), (5.5, 2.0)):
        trend.add(value, now)
    spans = spans_in_time(trend, 0.0, 10.0, 10)
    assert spans[:5] == [(1.0, 1.0)] * 5
    assert spans[5] == (1.0, 9.0)
    assert spans[8:] == [(2.0, 2.0)] * 2


@given(
    st.lists(
        arrays(np.float64, st.integers(0, 60), elements=st.floats()),
        max_size=6,
    ),
    st.integers(-1, 120),
    st.integers(-1, 40),
    st.booleans(),
    st.text(max_size=12),
)
def test_no_numbers_and_no_size_is_too_much(waves, width, height, unicode, name):
    curves = [Curve(name, spans_of(wave, columns_of(width, unicode))) for wave in waves]
    lines = chart(curves, width, height, Theme(unicode=unicode), 3, (name and "0", "9"))
    assert len(lines) <= max(height, 0)
    for line in lines:
        text = SGR.sub("", line)
        assert cells(text) <= width
        assert text.isprintable()
        assert unicode or text.isascii()


def test_a_plot_shows_name_value_and_history():
    panel = Panel("plot", ["A"], now=0.0)
    panel.apply_metadata(panel["A"], metadata_of(Control(units="mA", precision=1)), 0.0)
    for second in range(60):
        panel.apply_update(panel["A"], augmented(float(second % 20)), float(second))
    lines = Plot(panel, PLAIN, 60.0).lines(60, 8, 60.0)
    assert lines[0] == " ━ A 19.0 mA"
    assert lines[1].startswith("19.0┤")
    assert lines[-1].strip().startswith("60s ago")
    assert lines[-1].endswith("now")


def test_a_plot_that_stands_still_says_so_above_its_curves():
    panel = Panel("p", ["A"], now=0.0)
    panel.apply_update(panel["A"], augmented(1.5), 10.0)
    plot = Plot(panel, Theme(colours=None), 60.0)
    assert plot.paused(40, 20.0) == ""
    plot.lines(40, 8, 20.0)
    assert plot.paused(40, 20.0) == " PAUSED, 10s ago  A 1.5"
    assert plot.paused(14, 20.0) == " PAUSED, 10s …"
    plot.lines(40, 2, 20.0)
    assert plot.paused(40, 20.0) == ""


def test_nothing_is_drawn_for_the_time_without_a_circuit():
    panel = Panel("plot", ["A"], now=0.0)
    panel.apply_update(panel["A"], augmented(1.0), 0.0)
    panel.apply_disconnect(panel["A"], 30.0, wall=0.0)
    lines = Plot(panel, PLAIN, 60.0).lines(20, 5, 60.0)
    body = "".join(line.rstrip().rjust(1) for line in lines[1:4])
    assert body.strip()
    assert all(len(line.rstrip()) <= 10 for line in lines[1:4])


def test_an_array_is_plotted_over_its_index():
    panel = Panel("plot", ["W"], now=0.0)
    panel.apply_update(panel["W"], array(*range(500)), 0.0)
    plot = Plot(panel, PLAIN, 60.0)
    lines = plot.lines(60, 8, 1.0)
    assert lines[0] == " ━ W [500]"
    assert lines[-1].endswith("499")
    assert plot.refresh_s is None
