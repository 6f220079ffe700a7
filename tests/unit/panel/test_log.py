# SPDX-License-Identifier: Apache-2.0
from coshell.panel.log import Log
from coshell.panel.model import Panel
from coshell.panel.theme import Theme

from .values import augmented


def logged(rate=None):
    panel = Panel("p", ["A", "LONG:NAME"])
    log = Log(Theme(colours=None), rate)
    lines = []
    panel.observe(lambda row, kind, now: lines.extend(log.take(row, kind, now, wall=now)))
    return panel, log, lines


def test_every_change_is_a_line():
    panel, _, lines = logged()
    panel.apply_update(panel["A"], augmented(1.5, timestamp=0.25), 1.0)
    panel.apply_update(panel["LONG:NAME"], augmented("x\x1b[m", severity=2, status=3), 1.0)
    panel.apply_update(panel["A"], augmented(2.5), 1.1)
    panel.apply_disconnect(panel["A"], 2.0)
    assert [line.split("  ", 1)[1] for line in lines] == [
        "A  1.5",
        "LONG:NAME  x\\x1b[m  ◆ HIHI major",
        "A          2.5",
        "A          2.5  ○ disconnected",
    ]
    assert lines[0].split("  ")[0].endswith(":00.250")


def test_a_limited_log_skips_changes_but_never_the_last():
    panel, log, lines = logged(rate=2.0)
    row = panel["A"]
    for step in range(10):
        panel.apply_update(row, augmented(step), step * 0.01)
    assert len(lines) == 1
    assert log.due() == 0.5
    assert log.flush(0.4, 0.4) == []
    (line,) = log.flush(0.5, 0.5)
    assert line.endswith("A  9")
    assert log.due() is None


def test_a_disconnect_is_always_said():
    panel, log, lines = logged(rate=0.1)
    row = panel["A"]
    panel.apply_update(row, augmented(1), 0.0)
    panel.apply_update(row, augmented(2), 0.1)
    panel.apply_disconnect(row, 0.2)
    assert lines[-1].endswith("A  2  ○ disconnected")
    assert log.due() is None


def test_a_pv_that_never_connected_says_nothing():
    panel, _, lines = logged()
    panel.apply_disconnect(panel["A"], 2.0)
    assert lines == []
