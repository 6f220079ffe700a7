# SPDX-License-Identifier: Apache-2.0
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coshell.panel import style
from coshell.panel.model import NEVER_PROCESSED, Metadata, Panel, PutNote
from coshell.panel.spark import profile
from coshell.panel.text import cells, clip, clip_front, sanitise
from coshell.panel.theme import SEVERITIES, Theme, ThemeError, theme_for

from .values import augmented

PLAIN = Theme(colours=None)


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (299.8123, 3, "299.812"),
        (299.8123, 0, "299.812"),
        (299.8123, None, "299.812"),
        (499654123.7, 0, "499654124"),
        (1.2e-9, 3, "1.200e-09"),
        (0.0, 3, "0.000"),
        (1e300, 3, "1.000e+300"),
        (-5.0, 2, "-5.00"),
        (nan, 3, "nan"),
        (inf, 3, "inf"),
        (-inf, 3, "-inf"),
        (42, None, "42"),
        (1.5, 99, "1.500000000000000"),
    ],
)
def test_a_number_is_written_as_operators_write_it(value, precision, text):
    assert style.number_text(value, precision) == text


def texts(value, **metadata):
    return style.value_texts(value, Metadata(**metadata))


def test_a_state_is_told_by_its_name():
    assert texts(1, enums=("Closed", "Open")) == ("Open",)
    assert texts(7, enums=("Closed", "Open"))[0] == "7 (no such state)"
    assert texts(-1, enums=("Closed",))[0] == "-1 (no such state)"
    assert texts(0, enums=("",)) == ("state 0",)


def test_what_came_over_the_wire_is_shown_as_text():
    assert texts("\x1b[31mred\x07") == ("\\x1b[31mred\\x07",)
    assert texts("[bold]x[/]") == ("[bold]x[/]",)
    assert texts("a\u202eb\u200bc\n") == ("a\\u202eb\\u200bc\\n",)
    assert texts("") == ('""',)
    assert texts(0, enums=("\x1b]0;x\x07",)) == ("\\x1b]0;x\\x07",)
    assert texts(b"\x1b[2J\xff") == ("\\x1b[2J\\xff",)


@given(st.text(max_size=60))
def test_nothing_sanitised_can_steer_a_terminal(text):
    assert sanitise(text).isprintable()


@given(st.text(max_size=60), st.integers(0, 40))
def test_clipped_text_fits(text, width):
    safe = sanitise(text)
    for cut in (clip(safe, width), clip_front(safe, width)):
        assert cells(cut) <= width
    if cells(safe) <= width:
        assert clip(safe, width) == clip_front(safe, width) == safe


def test_wide_characters_take_two_cells():
    assert cells("漢字") == 4
    assert clip("漢字漢字", 5) == "漢字…"
    assert clip_front("漢字漢字", 4) == "…字"


def test_an_array_is_told_in_numbers():
    assert texts(np.array([])) == ("[] empty", "[]")
    assert texts(np.array([1, 2, 3])) == ("[1, 2, 3]", "[3]")
    assert texts(np.arange(1000.0), precision=1) == (
        "[1000] 0.0 … 999.0",
        "[1000] 0 … 999",
        "[1000]",
    )
    assert texts(np.array([nan, 1.0, inf, 2.0, 3.0]))[0] == "[5] 1 … 3"
    assert texts(np.full(9, nan))[0] == "[9] nan … nan"
    assert texts(np.array(["a\x1b", "b"])) == ("[2] a\\x1b, b", "[2]")


def test_characters_that_end_with_nul_are_text():
    text = np.frombuffer(b"/data/run\0\0\0", dtype=np.uint8)
    assert texts(text) == ("/data/run",)
    assert texts(np.frombuffer(b"abcde", dtype=np.uint8))[0] == "[5] 97 … 101"
    assert texts(np.zeros(6, dtype=np.uint8))[0] == "[6] 0 … 0"
    assert texts(np.frombuffer(b"\x1b[31m\0", dtype=np.uint8))[0] == "[6] 0 … 109"


def test_the_shape_of_an_array_fits_its_column():
    assert profile(np.arange(80.0), 8) == [4.5 + 10 * n for n in range(8)]
    assert profile(np.array([1, 2]), 8) == [1.0, 2.0]
    assert profile(np.array([]), 8) == []
    assert len(profile(np.random.default_rng(1).random(1_000_000), 8)) == 8
    assert len(profile(np.full(1000, 1e308), 8)) == 8


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3.0, "0.0s"),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (41.7, "41s"),
        (100.0, "1m"),
        (5999.0, "99m"),
        (6000.0, "1h"),
        (172800.0, "2d"),
        (inf, "old"),
        (nan, "old"),
    ],
)
def test_an_age_is_short(seconds, text):
    assert style.age_text(seconds) == text


@given(st.floats(0.0, 1e7))
def test_between_two_steps_an_age_reads_the_same(seconds):
    step = style.age_step(seconds)
    assert step > 0
    if seconds >= 10.0:
        assert style.age_text(seconds) == style.age_text(seconds + step * 0.99)


def row_with(severity=0, status=0, value=1.0, **fields):
    panel = Panel("p", ["A"], now=0.0)
    reading = augmented(value, severity=severity, status=status, **fields)
    panel.apply_update(panel["A"], reading, 1.0)
    return panel, panel["A"]


@pytest.mark.parametrize(
    ("severity", "status", "text"),
    [
        (1, 4, "▲ HIGH minor"),
        (2, 3, "◆ HIHI major"),
        (3, 17, "? UDF invalid"),
        (3, 99, "? status 99 invalid"),
        (9, 4, "? HIGH invalid"),
    ],
)
def test_an_alarm_has_symbol_cause_and_word(severity, status, text):
    _, row = row_with(severity, status)
    assert style.alarm_cell(row, PLAIN).variants[0] == text
    assert style.alarm_cell(row, PLAIN).role == style.value_cell(row, PLAIN).role


def test_no_alarm_says_nothing():
    _, row = row_with()
    assert style.alarm_cell(row, PLAIN).variants == ("",)


def test_a_lost_row_keeps_its_value_as_stale():
    panel, row = row_with()
    panel.apply_disconnect(row, 5.0, wall=1_700_000_000.0)
    assert style.value_cell(row, PLAIN).role == "stale"
    variants = style.alarm_cell(row, PLAIN).variants
    assert variants[0].startswith("○ disconnected ")
    assert variants[1:] == ("○ disconnected", "○")
    assert style.age_cell(row, 46.0).variants == ("41s",)


def test_every_severity_is_told_apart_without_colour():
    symbols = [s.symbol for s in (*SEVERITIES, style.LOST, style.SEARCHING, style.FAILED)]
    plain = [s.plain for s in (*SEVERITIES, style.LOST, style.SEARCHING, style.FAILED)]
    assert len(set(symbols)) == len(set(plain)) == 7
    assert all(text.isascii() for text in plain)


def test_a_value_flashes_only_after_it_had_been_still():
    panel, row = row_with()
    assert not style.flashing(row, 1.1)
    panel.apply_update(row, augmented(2.0), 9.0)
    assert style.flashing(row, 9.1)
    assert not style.flashing(row, 9.6)
    panel.apply_update(row, augmented(3.0), 10.0)
    assert not style.flashing(row, 10.1)


def test_the_last_put_is_told():
    panel, row = row_with()
    panel.apply_put(row, PutNote(10.0, 1.0, 2.5, ok=True), 10.0)
    assert style.put_cell(row, 22.0).variants == ("2.5 12s ago", "12s ago")
    panel.apply_put(row, PutNote(10.0, 1.0, 2.5, ok=False), 10.0)
    assert style.put_cell(row, 22.0).variants[0] == "failed 12s ago"


def test_a_record_never_processed_has_no_age():
    _, row = row_with(timestamp=NEVER_PROCESSED)
    assert style.age_cell(row, 5.0).variants == ("never",)
    assert style.stamp_cell(row).variants == ("never",)


def test_a_theme_paints_as_the_terminal_can():
    assert Theme(colours=None).paint("x", "major") == "x"
    assert Theme().paint("x", "major") == "\x1b[1;31mx\x1b[0m"
    assert Theme(colourless=True).paint("x", "major") == "\x1b[1mx\x1b[0m"
    assert Theme({"major": "green"}).paint("x", "major") == "\x1b[32mx\x1b[0m"
    assert Theme().paint("x", "text") == "x"


def test_a_theme_that_cannot_be_is_refused_by_name():
    with pytest.raises(ThemeError, match="no role 'majro'"):
        Theme({"majro": "red"})
    with pytest.raises(ThemeError, match="major"):
        Theme({"major": "blood on snow and ice"})


def test_the_environment_chooses_the_theme():
    assert theme_for({"TERM": "dumb"}, "utf-8").plain
    assert not theme_for({"TERM": "xterm"}, "ISO-8859-1").unicode
    assert not theme_for({"TERM": "xterm"}, None).unicode
    quiet = theme_for({"TERM": "xterm-256color", "NO_COLOR": "1"}, "UTF-8")
    assert quiet.unicode
    assert "31" not in quiet.paint("x", "major")
