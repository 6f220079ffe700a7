# SPDX-License-Identifier: Apache-2.0
"""Windows beside the prompt: the shell in a terminal, and Qt, which paints where nobody looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.terminal import Terminal

pytest.importorskip("epicscorelibs")
pytest.importorskip("qtpy.QtWidgets", reason="Qt or a library it needs is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
WINDOWS = (
    "from coshell.qt.windows import windows; from coshell.session import session;"
    " shown = windows(session).open"
)


@pytest.fixture
def demo(start: Callable[..., Terminal]) -> Terminal:
    """Return a shell at its first prompt, beside the demo machine, that can open windows."""
    terminal = start("--demo", "--no-banner", env=OFFSCREEN, columns=120)
    terminal.wait_prompt(1)
    return terminal


def ends_well(terminal: Terminal) -> None:
    """Leave the shell, and look whether it crashed."""
    terminal.line("exit")
    assert terminal.wait_end() == 0, terminal.framed()
    told = "\n".join(terminal.history)
    assert "Fatal" not in told
    assert "Traceback" not in told


def test_a_table_beside_the_prompt(demo):
    demo.line("%camonitor --qt ring: DEMO:CURRENT")
    demo.wait_prompt(2)
    demo.line(WINDOWS)
    demo.wait_prompt(3)
    demo.line("cell = lambda: shown[0].model.data(shown[0].model.index(0, 1))")
    demo.wait_prompt(4)
    demo.line("while cell() == '---': Sleep(0.05)\n")
    demo.wait_prompt(5)
    demo.line("first = cell()")
    demo.wait_prompt(6)
    demo.line("while cell() == first: Sleep(0.05)\n")
    demo.wait_prompt(7)
    # The window goes on while something is half typed, and nothing is lost of that.
    demo.send("6 * ")
    demo.wait_for("In [7]: 6 *")
    demo.line("7")
    demo.wait_for("Out[7]: 42")
    demo.line("shown[0].close()")
    demo.wait_match(r"Out\[8\]: True")
    demo.line("len(shown), 'ring' in session.watches")
    demo.wait_for("Out[9]: (0, True)")
    ends_well(demo)


def test_the_shell_ends_with_its_windows_open(demo):
    demo.line("%camonitor --qt ring: DEMO:CURRENT")
    demo.wait_prompt(2)
    demo.line("%caplot --qt --since 1m DEMO:CURRENT DEMO:TUNE:SPECTRUM")
    demo.wait_prompt(3)
    demo.line("%caput --qt DEMO:ID:GAP")
    demo.wait_prompt(4)
    demo.line(WINDOWS)
    demo.wait_prompt(5)
    demo.line("[type(window).__name__ for window in shown]")
    demo.wait_for("Out[5]: ['PanelTable', 'Chart', 'PutWindow']")
    demo.line("while not shown[1].pictures > 5: Sleep(0.05)\n")
    demo.wait_prompt(7)
    # A row that is plotted begins with what the table and the first chart have recorded.
    demo.line("plotted = windows(session).plot(['DEMO:CURRENT'])")
    demo.wait_prompt(8)
    demo.line("len(plotted._traces['DEMO:CURRENT'].history) > 2")
    demo.wait_for("Out[8]: True")
    demo.line("plotted._take_in(['DEMO:LIFETIME'])")
    demo.wait_prompt(10)
    demo.line("while 'DEMO:LIFETIME' not in plotted._traces: Sleep(0.05)\n")
    demo.wait_prompt(11)
    ends_well(demo)


def test_a_slot_that_holds_everything_is_named_and_can_be_interrupted(demo):
    demo.line("%gui qt")
    demo.wait_prompt(2)
    demo.line("from qtpy.QtCore import QTimer; import time")
    demo.wait_prompt(3)
    demo.line("def my_slot(): time.sleep(600)\n")
    demo.wait_prompt(4)
    demo.line("QTimer.singleShot(0, my_slot)")
    demo.wait_for("Qt has not yielded for", "in my_slot")
    demo.key("ctrl-c")
    demo.wait_gone("PAUSED")
    demo.wait_match(r"Qt held everything for .* in my_slot")
    demo.line("6 * 7")
    demo.wait_match(r"Out\[\d\]: 42")


def test_what_nobody_sees_is_no_hog(demo):
    """While Qt waits nobody holds the scheduler, however long that takes."""
    demo.line("%gui qt")
    demo.wait_prompt(2)
    demo.line("from cothread.scheduler import scheduler; stalls = scheduler.accounts.stalls")
    demo.wait_prompt(3)
    demo.line("Sleep(1.5)")
    demo.wait_prompt(4)
    demo.line("scheduler.accounts.stalls - stalls")
    demo.wait_for("Out[4]: 0")


def test_without_a_display_there_is_a_line_and_the_terminal(start):
    nowhere = {"QT_QPA_PLATFORM": None, "DISPLAY": None, "WAYLAND_DISPLAY": None}
    demo = start("--demo", "--no-banner", env=nowhere)
    demo.wait_prompt(1)
    demo.line("%camonitor --qt ring: DEMO:CURRENT")
    demo.wait_for("No display for Qt windows: DISPLAY is not set", "terminal work")
    demo.line("%camonitor ring: DEMO:CURRENT")
    demo.wait_match(r"DEMO:CURRENT +\d")
    ends_well(demo)
