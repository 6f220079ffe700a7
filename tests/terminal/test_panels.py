# SPDX-License-Identifier: Apache-2.0
"""Panels in a terminal: live under a half-typed line, on the whole screen, on small screens."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, coshell

pytest.importorskip("epicscorelibs")

F6, F7, F8 = "\x1b[17~", "\x1b[18~", "\x1b[19~"
CTRL_DOWN = "\x1b[1;5B"
PATIENCE_S = 30.0


@pytest.fixture
def demo(start: Callable[..., Terminal]) -> Terminal:
    """Return a shell at its first prompt, beside the demo machine."""
    terminal = start("--demo", "--no-banner")
    terminal.wait_prompt(1)
    return terminal


def seen(terminal: Terminal, text: str) -> None:
    terminal.wait_until(lambda: text in terminal.text, f"{text!r} on the screen")


def gone(terminal: Terminal, text: str) -> None:
    terminal.wait_until(lambda: text not in terminal.text, f"{text!r} off the screen")


def value_of(terminal: Terminal, name: str) -> str:
    """Return the value a docked row shows, empty while there is none."""
    found = re.search(rf"^.{re.escape(name)} +(-?[\d.]+)", terminal.text, re.MULTILINE)
    return found.group(1) if found else ""


def test_values_change_under_a_line_half_typed(demo):
    demo.line("%camonitor ring: DEMO:CURRENT DEMO:BPM-{01..02}:X")
    demo.wait_prompt(2)
    demo.send("half a li")
    values = set()
    demo.wait_until(
        lambda: values.add(value_of(demo, "DEMO:BPM-01:X")) or len(values - {""}) > 4,
        "the value moves",
    )
    assert "In [2]: half a li" in demo.text
    demo.send("ne")
    seen(demo, "In [2]: half a line")


def test_the_panel_never_hides_the_prompt(demo):
    demo.line("%camonitor DEMO:BPM-{01..12}:{X,Y}")
    demo.wait_prompt(2)
    seen(demo, "more rows")
    demo.resize(40, 10)
    demo.send("x = 'still here'")
    seen(demo, "In [2]: x = 'still here'")
    seen(demo, "DEMO:BPM-01:X")
    demo.resize(20, 5)
    demo.send("\x15y = 1")
    seen(demo, "y = 1")
    demo.resize(80, 24)
    demo.key("enter")
    demo.wait_prompt(3)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10)])
def test_three_panels_leave_room_for_output(demo, columns, rows):
    demo.resize(columns, rows)
    for number, title in enumerate("abc"):
        demo.line(f"%camonitor {title}: DEMO:BPM-{{01..12}}:X")
        demo.wait_prompt(number + 2)
    demo.line("%caget NO:SUCH:PV-{01..02}")
    demo.wait_prompt(5)
    seen(demo, "more rows")
    if rows == 24:
        for title in "abc":
            assert re.search(rf"^ {title} ", demo.text, re.MULTILINE)
    demo.line("print('a first line\\n' + 'and' + ' a second')")
    demo.wait_prompt(6)
    assert demo.row("a first line") < demo.row("and a second") < demo.row("In [6]:")
    demo.line("%coshell")
    seen(demo, "Read, write")
    demo.send("q")
    demo.wait_prompt(7)


def test_keys_choose_scroll_and_hide_panels(demo):
    demo.line("%camonitor a: DEMO:GAUGE-0{1..3}")
    demo.wait_prompt(2)
    demo.line("%camonitor b: DEMO:GAUGE-0{4..6}")
    demo.wait_prompt(3)
    demo.send("typed")
    seen(demo, "DEMO:GAUGE-06")
    demo.send(F6)
    seen(demo, "▸a")
    demo.send(F6)
    seen(demo, "▸b")
    demo.send(CTRL_DOWN)
    gone(demo, "DEMO:GAUGE-04")
    assert "DEMO:GAUGE-01" in demo.text
    demo.send(F7)
    gone(demo, "DEMO:GAUGE-06")
    demo.send(F7)
    seen(demo, "DEMO:GAUGE-06")
    assert "In [3]: typed" in demo.text


def test_the_whole_screen_and_back_to_the_same_line(demo):
    demo.line("%camonitor ring: DEMO:RF:FREQ DEMO:CURRENT")
    demo.wait_prompt(2)
    seen(demo, "499.654")
    demo.send("6 * ")
    seen(demo, "In [2]: 6 *")
    demo.send(F8)
    seen(demo, "q leave")
    demo.key("down")
    demo.send("p499.66\r")
    seen(demo, "499.654000 → 499.660000 MHz")
    demo.send("q")
    seen(demo, "In [2]: 6 *")
    demo.send("7")
    demo.key("enter")
    seen(demo, "Out[2]: 42")


def test_a_panel_says_that_nothing_moves_and_since_when(demo, open_gate):
    demo.line("%camonitor ring: DEMO:CURRENT DEMO:BPM-01:X")
    demo.wait_prompt(2)
    seen(demo, "s ago")
    demo.line("import time; time.sleep(600)")
    ages = set()

    def older() -> bool:
        ages.update(re.findall(r"^ ring .* PAUSED, (\S+) ago$", demo.text, re.MULTILINE))
        return len(ages) > 2

    demo.wait_until(older, "the title says for how long")
    demo.key("ctrl-c")
    demo.wait_prompt(3)
    gone(demo, "PAUSED")
    demo.line(
        "from tests.support import gate; job = Spawn(lambda: (gate.sleep(), time.sleep(600)))"
    )
    demo.wait_prompt(4)
    # Before the terminal has said where its cursor is, nobody knows where the title is.
    demo.wait_until(lambda: demo.lines[-1].startswith(" 2 PVs"), "the dock is at the bottom")
    open_gate()
    ages.clear()
    demo.wait_until(older, "the title says so under the prompt too")
    demo.key("ctrl-c")
    gone(demo, "PAUSED")
    demo.send("7 * 6")
    seen(demo, "In [4]: 7 * 6")


def test_a_curve_is_docked(demo):
    demo.line("%caplot DEMO:TUNE:SPECTRUM")
    demo.wait_prompt(2)
    seen(demo, "━ DEMO:TUNE:SPECTRUM [1000] dB")
    demo.line("%camonitor -d plot")
    demo.wait_prompt(3)
    gone(demo, "┤")


class Tmux:
    """A shell in a real terminal multiplexer, which knows the alternate screen."""

    def __init__(self, directory: Path, environment: dict[str, str | None]) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(directory / "socket")]
        settings = [f"{key}={value}" for key, value in environment.items() if value is not None]
        unset = [f"-u{key}" for key, value in environment.items() if value is None]
        command = ["env", *unset, *settings, *coshell("--demo", "--no-banner")]
        self._do("new-session", "-d", "-x", "80", "-y", "24", *command)

    def _do(self, *words: str) -> str:
        run = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return run.stdout

    def send(self, *keys: str) -> None:
        self._do("send-keys", *keys)

    @property
    def text(self) -> str:
        return self._do("capture-pane", "-p")

    def wait(self, condition: Callable[[str], object], what: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while not condition(text := self.text):
            assert time.monotonic() < deadline, f"never happened: {what}\n{text}"
            time.sleep(0.05)
        return text

    def close(self) -> None:
        self._do("kill-server")


@pytest.fixture
def tmux(tmp_path: Path, home: dict[str, str | None]) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux")
    one = Tmux(tmp_path, home)
    yield one
    one.close()


def test_leaving_the_whole_screen_gives_back_what_was_there(tmux):
    tmux.wait(lambda text: "In [1]:" in text, "the prompt")
    tmux.send("print('a line that stays')", "Enter")
    tmux.wait(lambda text: "In [2]:" in text, "the second prompt")
    tmux.send("%camonitor --screen DEMO:CURRENT DEMO:RF:FREQ", "Enter")
    tmux.wait(lambda text: "q leave" in text and "a line that stays" not in text, "the screen")
    tmux.send("q")
    text = tmux.wait(lambda text: "In [3]:" in text, "the prompt again")
    assert "a line that stays" in text
    assert "q leave" not in text
    tmux.send("%camonitor", "Enter")
    tmux.wait(lambda text: "nothing is watched" in text, "the panel is closed")


def test_a_terminal_that_cannot_be_painted_on_gets_lines(start):
    shell = start("--demo", "--no-banner", env={"TERM": "dumb"})
    shell.wait_prompt(1)
    shell.line("%camonitor DEMO:ENERGY")
    seen(shell, "here a panel cannot stay on screen")
    assert re.search(r"^.DEMO:ENERGY +\d", shell.text, re.MULTILINE)
    shell.line("%camonitor --screen DEMO:ENERGY")
    seen(shell, "the full screen needs a terminal")
    shell.wait_prompt(3)
    shell.line("%caplot --for 1 DEMO:CURRENT")
    shell.wait_prompt(4)
    assert "┤" in shell.text
    shell.line("%camonitor --log DEMO:CURRENT")
    shell.wait_match(r"^\d\d:\d\d:\d\d\.\d+  DEMO:CURRENT +\d")
