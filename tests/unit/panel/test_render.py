# SPDX-License-Identifier: Apache-2.0
import re
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coshell.panel.columns import COLUMNS, USUAL, ColumnError
from coshell.panel.marks import Mark
from coshell.panel.model import Panel, PutNote, metadata_of
from coshell.panel.render import Table
from coshell.panel.select import ONLY, SORTS, Choice
from coshell.panel.text import cells
from coshell.panel.theme import Theme

from .values import Control, augmented

SCREENS = Path(__file__).parent / "screens"
SGR = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = Theme(colours=None)


class Array(np.ndarray):
    ok = True
    severity = 0
    status = 0
    timestamp = 1_700_000_000.0
    datatype = 6


def array(*items):
    return np.array(items).view(Array)


def ring(noon=1_700_000_000.0):
    """Make a panel with one row of every kind."""
    panel = Panel("ring", now=0.0)
    for name in (
        "SR-DI-DCCT:SIGNAL",
        "SR-RF:FREQ",
        "SR-VA:GAUGE-07",
        "SR-VA:GAUGE-08",
        "SR-FE:SHUTTER",
        "SR-CS:MESSAGE",
        "SR-DI-BPM-01:WAVE",
        "SR-XX:NOWHERE",
    ):
        panel.add(name, 0.0)
    about = {
        "SR-DI-DCCT:SIGNAL": Control(units="mA", precision=3),
        "SR-RF:FREQ": Control(units="MHz", precision=4),
        "SR-VA:GAUGE-07": Control(units="mbar", precision=2),
        "SR-FE:SHUTTER": Control(enums=["Closed", "Open"]),
    }
    for name, control in about.items():
        panel.apply_metadata(panel[name], metadata_of(control), 0.0)
    for second in range(12):
        now = float(second)
        panel.apply_update(panel["SR-DI-DCCT:SIGNAL"], augmented(299.0 + second / 10), now)
        late = second > 6
        value = augmented(499.65 + 0.01 * late, severity=int(late), status=4 * late)
        panel.apply_update(panel["SR-RF:FREQ"], value, now)
    panel.apply_update(panel["SR-VA:GAUGE-07"], augmented(1.2e-9), 3.0)
    panel.apply_disconnect(panel["SR-VA:GAUGE-07"], 5.0, wall=noon)
    panel.apply_update(panel["SR-VA:GAUGE-08"], augmented(3e-6, severity=2, status=3), 9.0)
    panel.apply_update(panel["SR-FE:SHUTTER"], augmented(1), 2.0)
    panel.apply_update(panel["SR-CS:MESSAGE"], augmented("Top-up \x1b[31min\x1b[m 漢字"), 4.0)
    panel.apply_update(panel["SR-DI-BPM-01:WAVE"], array(*np.sin(np.arange(500) / 40)), 11.0)
    panel.apply_put(panel["SR-RF:FREQ"], PutNote(4.0, 499.65, 499.66, ok=True), 4.0)
    return panel


@pytest.mark.parametrize("size", ["140x12", "100x12", "80x24", "60x8", "40x10", "20x6", "10x4"])
@pytest.mark.parametrize("letters", ["unicode", "ascii"])
def test_screens(size, letters, monkeypatch):
    """Compare with the screens kept as text beside this file; delete one to make it anew."""
    monkeypatch.setattr("coshell.panel.style.wall_text", lambda wall: "14:02:11")
    width, height = map(int, size.split("x"))
    theme = Theme(colours=None, unicode=letters == "unicode")
    lines = Table(ring(), theme).lines(width, height, 12.3)
    picture = "".join(f"|{line}{' ' * (width - cells(line))}|\n" for line in lines)
    kept = SCREENS / f"ring-{size}-{letters}.txt"
    if not kept.exists():
        kept.write_text(picture, encoding="utf-8")
        pytest.fail(f"{kept.name} was missing and has been written: look at it, then keep it")
    assert picture == kept.read_text(encoding="utf-8")


hostile = st.one_of(
    st.floats(),
    st.sampled_from([nan, inf, -inf, 1e308, 5e-324]),
).map(lambda v: augmented(float(v)))
values = st.one_of(
    hostile,
    st.integers(-(2**63), 2**64).map(augmented),
    st.text(max_size=50).map(augmented),
    st.lists(st.floats(), max_size=30).map(lambda items: array(*items)),
    st.binary(max_size=12).map(lambda b: np.frombuffer(b, dtype=np.uint8).view(Array)),
    st.none(),
)


@settings(max_examples=150)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 100),
    rows=st.lists(
        st.tuples(
            values,
            st.integers(-2, 5),
            st.integers(-2, 40),
            st.booleans(),
            st.text(max_size=12),
            st.lists(st.text(max_size=8), max_size=3),
        ),
        max_size=8,
    ),
    columns=st.permutations(list(COLUMNS)).flatmap(
        lambda keys: st.integers(1, len(keys)).map(lambda n: keys[:n])
    ),
    choice=st.builds(
        Choice,
        sort=st.sampled_from(list(SORTS)),
        only=st.sampled_from(["", *ONLY]),
        text=st.text(max_size=2),
        grouped=st.booleans(),
    ),
    title=st.text(max_size=20),
    top=st.integers(-3, 12),
    colours=st.booleans(),
    unicode=st.booleans(),
    note=st.sampled_from(["", "PAUSED"]),
)
def test_no_size_and_no_value_is_too_much(
    width, height, rows, columns, choice, title, top, colours, unicode, note
):
    panel = Panel(title, now=0.0)
    for number, (value, severity, status, lost, name, enums) in enumerate(rows):
        row = panel.add(f"{name}{number}", 0.0, group=name)
        control = Control(units=name, precision=severity, enums=enums)
        panel.apply_metadata(row, metadata_of(control), 0.0)
        panel.set_marks(row, (Mark(">", float(status)),))
        if value is not None:
            value.severity, value.status = severity, status
            panel.apply_update(row, value, float(number), wall=2e9)
            panel.apply_put(row, PutNote(1.0, value, value, ok=not lost), 1.0)
        if lost:
            panel.apply_disconnect(row, 5.0, wall=float(severity))
    theme = Theme() if colours else Theme(colours=None, unicode=unicode)
    table = Table(panel, theme, columns, choice)
    for now in (5.0, 6.0, -1.0):
        selected = panel.rows[0] if panel.rows and top % 2 else None
        lines = table.lines(width, height, now, top=top, selected=selected, note=note)
        assert len(lines) <= height
        for line in [*lines, table.paused(width, now)]:
            text = SGR.sub("", line)
            assert cells(text) <= width
            assert text.isprintable()
            assert theme.unicode or text.isascii()


def test_a_row_that_did_not_change_is_not_made_again():
    panel = ring()
    table = Table(panel, PLAIN)
    first = table.lines(100, 12, 12.3)
    assert table.lines(100, 12, 12.3) == first
    row = panel["SR-FE:SHUTTER"]
    row.value = augmented(0)  # behind the panel's back: no new version, so nobody may look
    assert table.lines(100, 12, 12.3) == first
    panel.apply_update(row, augmented(0), 12.3)
    assert any("Closed" in line for line in table.lines(100, 12, 12.3))


def test_a_picture_drawn_piece_by_piece_equals_one_drawn_at_once():
    panel = ring()
    table = Table(panel, Theme())
    table.lines(90, 12, 12.3)
    panel.apply_update(panel["SR-RF:FREQ"], augmented(499.7), 12.4)
    panel.apply_disconnect(panel["SR-FE:SHUTTER"], 12.5, wall=1.0)
    assert table.lines(90, 12, 13.0) == Table(panel, Theme()).lines(90, 12, 13.0)


def test_rows_without_room_are_counted_with_what_must_not_be_missed():
    lines = Table(ring(), PLAIN).lines(80, 5, 12.3)
    assert lines[-1] == " 6 more rows (1 in alarm, 1 disconnected, 1 searching)"
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, r" SR-DI-DCCT:SIGNAL 300\.100 mA .* \+7 \(2 in alarm, 1 disconnected\)"),
        (40, r" ….*:SIGNAL 300\.100 \+7 \(2 in alarm\)"),
        (20, r"….*:SIGNAL 300\.100 \+7"),
    ],
)
def test_on_a_single_line_the_other_rows_are_counted_beside_the_first(width, line):
    (only,) = Table(ring(), PLAIN).lines(width, 1, 12.3)
    assert re.fullmatch(line, only)
    assert cells(only) == width


def test_a_single_row_has_its_line_for_itself():
    (only,) = Table(Panel("p", ["A"], now=0.0), PLAIN).lines(40, 1, 1.0)
    assert "+" not in only


def test_scrolling_shows_the_rows_from_there_on():
    table = Table(ring(), PLAIN)
    text = "\n".join(table.lines(80, 6, 12.3, top=3))
    assert "GAUGE-08" in text
    assert "DCCT" not in text
    assert "5 more rows" in text


def test_columns_do_not_dance_with_the_values():
    panel = Panel("p", ["A"], now=0.0)
    table = Table(panel, PLAIN)
    panel.apply_update(panel["A"], augmented("a long message"), 1.0)
    wide = table.lines(80, 5, 1.0)[1]
    panel.apply_update(panel["A"], augmented("short"), 2.0)
    assert table.lines(80, 5, 2.0)[1] == wide
    assert table.lines(80, 5, 30.0)[1] != wide


def test_the_trend_has_its_range_where_there_is_room():
    panel = ring()
    wide, narrow = (Table(panel, PLAIN).lines(width, 12, 12.3) for width in (140, 80))
    assert "▁▂▃▄▅▆▇█  299.400…300.100" in wide[2]
    assert "▁▂▃▄▅▆▇█" in narrow[2]
    assert "…" not in narrow[2]
    # A state has no range, and neither has what does not move.
    assert all("…" not in line for line in wide[4:7])


def test_a_panel_that_stands_still_says_so_and_how_old_it_is():
    table = Table(ring(), PLAIN)
    assert table.paused(80, 12.3) == ""
    table.lines(80, 24, 12.3)
    line = table.paused(80, 15.3)
    assert line.startswith(" ring ")
    assert line.endswith("1 disconnected · 2 alarms · 1 searching · PAUSED, 4.3s ago")
    assert table.paused(20, 15.3).split() == ["ring", "PAUSED"]
    # What the rows have come to since is the business of the next picture.
    table.panel.remove("SR-XX:NOWHERE")
    assert table.paused(80, 15.3) == line
    table.lines(80, 3, 12.3)
    assert table.paused(80, 15.3) == ""


def test_a_number_that_does_not_fit_is_never_cut():
    panel = Panel("p", ["A"], now=0.0)
    panel.apply_update(panel["A"], augmented(123456789012), 1.0)
    table = Table(panel, PLAIN, ["name", "value"])
    assert "####" in table.lines(8, 2, 1.0)[0]


def test_a_quiet_panel_wakes_ever_more_rarely():
    panel = Panel("p", ["A"], now=0.0)
    panel.apply_update(panel["A"], augmented(1.0), 1.0)
    table = Table(panel, PLAIN)
    table.lines(80, 5, 31.5)
    assert table.refresh_s == 1.0
    table.lines(80, 5, 1.0 + 6030.0)
    assert table.refresh_s == pytest.approx(7200.0 - 6030.0)


def test_rows_that_grow_old_are_drawn_again_together():
    panel = Panel("quiet", (f"P{n}" for n in range(20)), now=0.0)
    for n, row in enumerate(panel):
        panel.apply_update(row, augmented(1.0), n / 20)
    table = Table(panel, PLAIN)
    now, pictures = 30.0, 0
    while now < 60.0:
        table.lines(80, 30, now)
        assert table.refresh_s is not None
        now += table.refresh_s
        pictures += 1
    assert pictures <= 30
    table.lines(80, 30, 200.0)
    assert table.refresh_s >= 10.0


def test_an_empty_panel_says_so():
    assert Table(Panel("nothing"), PLAIN).lines(40, 5, 1.0)[0].endswith("no data yet")


def test_a_column_that_does_not_exist_is_refused():
    with pytest.raises(ColumnError, match="there is no column 'valeu'; the columns are name"):
        Table(Panel("p"), PLAIN, ["valeu"])


def test_ten_thousand_rows_are_a_screenful():
    panel = Panel("big", (f"P{n}" for n in range(10_000)), now=0.0)
    lines = Table(panel, PLAIN).lines(80, 25, 1.0)
    assert len(lines) == 25
    assert "9978 more rows (9978 searching)" in lines[-1]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (Choice(sort="name"), ["B-1", "B-2", "B-10"]),
        (Choice(sort="alarm"), ["B-1", "B-10", "B-2"]),
        (Choice(sort="change"), ["B-10", "B-2", "B-1"]),
        (Choice(only="alarm"), ["B-10", "B-1"]),
        (Choice(only="disconnected"), ["B-1"]),
        (Choice(only="changed"), ["B-10", "B-2"]),
        (Choice(text="b 1"), ["B-10", "B-1"]),
        (Choice(text="q"), []),
    ],
)
def test_rows_are_chosen_and_ordered(choice, names):
    panel = Panel("p", ["B-10", "B-2", "B-1"], now=0.0)
    panel.apply_update(panel["B-2"], augmented(1.0), 1.0)
    panel.apply_update(panel["B-10"], augmented(1.0, severity=1), 2.0)
    assert [row.name for row in Table(panel, PLAIN, USUAL, choice).rows(3.0)] == names


def test_groups_have_headings():
    panel = Panel("p", now=0.0)
    for name, group in (("A", "vacuum"), ("B", "rf"), ("C", "vacuum")):
        panel.add(name, 0.0, group)
    lines = Table(panel, PLAIN, ["name"], Choice(grouped=True)).lines(30, 10, 1.0)
    assert [line.strip() for line in lines[2:]] == ["vacuum", "A", "C", "rf", "B"]


def test_the_selected_row_stands_out_without_colour_too():
    panel = ring()
    lines = Table(panel, Theme()).lines(60, 12, 12.3, selected=panel["SR-RF:FREQ"])
    chosen = [line for line in lines if "SR-RF:FREQ" in line]
    assert chosen[0].startswith("\x1b[7m▸SR-RF:FREQ")
    assert chosen[0].count("\x1b") == 2
