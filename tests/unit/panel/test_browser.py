# SPDX-License-Identifier: Apache-2.0
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coshell.panel.browser import HELP, Browser, Export, Inspect, Leave, Put
from coshell.panel.look import Look
from coshell.panel.model import Panel
from coshell.panel.text import cells
from coshell.panel.theme import Theme

from .test_render import ring
from .values import augmented

SGR = re.compile(r"\x1b\[[0-9;]*m")
PLAIN = Theme(colours=None)


def many(count=100):
    panel = Panel("many", now=0.0)
    for number in range(count):
        row = panel.add(f"PV-{number:03d}", 0.0)
        panel.apply_update(row, augmented(float(number)), 1.0)
    return panel


def browser(panel=None):
    return Browser(many() if panel is None else panel, Look(), PLAIN)


def press(browser, *keys, now=2.0):
    for key in keys:
        wish = browser.key(key, now)
    return wish


def text(browser, width=80, height=20, now=2.0):
    return "\n".join(browser.lines(width, height, now))


def test_rows_scroll_with_the_choice():
    one = browser()
    assert "PV-000" in text(one)
    press(one, "end")
    assert one.selected == "PV-099"
    assert "PV-099" in text(one)
    assert "PV-000" not in text(one)
    press(one, "pageup")
    page = int(one.selected[3:])
    assert 99 - 20 <= page < 99
    press(one, "home")
    assert "▸PV-000" in text(one)


def test_the_filter_works_as_one_types():
    one = browser()
    press(one, "/", "0", "9", "5")
    assert "filter: 095█" in text(one)
    assert "1 of 100" in text(one)
    press(one, "backspace")
    assert "10 of 100" not in text(one)
    assert "PV-009" in text(one)
    press(one, "enter")
    assert one.look.choice.text == "09"
    press(one, "escape")
    assert one.look.choice.text == ""
    press(one, "/", "x", "escape")
    assert "100" not in text(one).splitlines()[0]


def test_orders_and_selections_take_turns():
    one = browser()
    press(one, "s")
    assert one.look.choice.sort == "name"
    assert text(one).endswith("order: name")
    press(one, "s", "s", "s")
    assert one.look.choice.sort == "given"
    press(one, "o")
    assert one.look.choice.only == "alarm"
    press(one, "o", "o", "o")
    assert one.look.choice.only == ""


def test_a_paused_screen_stands_still_and_then_catches_up():
    panel = many(3)
    one = browser(panel)
    press(one, "down", " ")
    still = text(one)
    assert "PAUSED" in still
    panel.apply_update(panel["PV-001"], augmented(777.0), 2.5)
    panel.apply_disconnect(panel["PV-002"], 2.6)
    assert text(one, now=60.0) == still
    assert one.selected == "PV-000"
    press(one, " ")
    assert "777" in text(one, now=60.0)
    assert "PAUSED" not in text(one)


def test_a_put_is_wished_for_and_not_done():
    one = browser()
    assert press(one, "p") is None
    assert "choose a row first" in text(one)
    press(one, "down", "p", "1", "x", "backspace", ".", "5")
    assert "put into PV-000: 1.5█" in text(one)
    assert press(one, "enter") == Put("PV-000", "1.5")
    assert press(one, "p", "enter") is None
    assert press(one, "p", "7", "escape") is None
    assert one.mode == "table"


def test_a_row_is_inspected_with_its_history():
    panel = ring()
    one = Browser(panel, Look(), PLAIN)
    assert press(one, "down", "down", "enter") == Inspect("SR-RF:FREQ")
    one.details = {"SR-RF:FREQ": ["  host       somewhere:5064"]}
    seen = text(one, 80, 30, 12.3)
    for fact in ("499.6600 MHz", "▲ HIGH minor", "host       somewhere:5064", "last two minutes"):
        assert fact in seen
    assert press(one, "down") == Inspect("SR-VA:GAUGE-07")
    press(one, "escape")
    assert one.mode == "table"


def test_help_and_leaving():
    one = browser()
    press(one, "?")
    assert text(one).startswith(HELP[:40])
    press(one, "q")
    assert press(one, "q") == Leave()


def test_export_hands_out_the_rows_that_are_chosen():
    one = browser()
    press(one, "/", "0", "4", "enter")
    wish = press(one, "e")
    assert isinstance(wish, Export)
    assert [row.name for row in wish.rows] == ["PV-004"] + [f"PV-04{n}" for n in range(10)]


def test_a_panel_without_rows_can_be_walked_through():
    one = browser(Panel("none"))
    assert "no data yet" in text(one)
    for key in ("down", "end", "enter", "p", "e"):
        press(one, key)
    assert one.selected == ""
    press(one, " ")
    assert "PAUSED" in text(one)


KEYS = ["up", "down", "pageup", "pagedown", "home", "end", "enter", "escape", "backspace"]


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([*KEYS, *"/psoe ?q"]),
            st.characters(codec="utf-8"),
            st.tuples(st.integers(0, 120), st.integers(0, 40)),
        ),
        max_size=25,
    ),
    st.booleans(),
)
def test_no_keys_and_no_size_are_too_much(script, unicode):
    panel = ring()
    one = Browser(panel, Look(), Theme(colours=None, unicode=unicode))
    for step in script:
        if isinstance(step, str):
            one.key(step, 12.3)
            continue
        width, height = step
        lines = one.lines(width, height, 12.3)
        assert len(lines) <= height
        for line in lines:
            assert cells(SGR.sub("", line)) <= width
            assert line.isprintable()
            assert unicode or line.isascii()


@pytest.mark.parametrize("key", ["", "f1", "\x00", "tab"])
def test_unknown_keys_do_nothing(key):
    one = browser()
    before = text(one)
    assert press(one, key) is None
    assert text(one) == before
