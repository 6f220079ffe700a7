# SPDX-License-Identifier: Apache-2.0
"""What panels cost: the model alone, a picture alone, and everything together in a terminal.

`python -m benchmarks.panels [model] [shell] [flood]`.  A rich table of the same rows is drawn
beside ours; the whole shell is measured at the demo machine's 240 updates a second, and at 50,000 a
second into 25 rows: what drawing them costs, and how long a key takes to come back meanwhile.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import select
import sys
import tempfile
import time
from collections.abc import Callable

import psutil
from rich.console import Console
from rich.table import Table as RichTable

from coshell.panel.browser import Browser
from coshell.panel.look import Look
from coshell.panel.model import Panel
from coshell.panel.render import Table
from coshell.panel.select import Choice
from coshell.panel.theme import Theme
from tests.support.terminal import Terminal, coshell

from .servers import PREFIX, flood
from .shell import OURS, STOCK, echo

ROWS = 25
RATE = 50_000.0
FRAMES = 50
SETTLE_S = 3.0
WATCH_S = 10.0

CASES = (
    ("prompt alone", ""),
    ("25 rows at 10 Hz docked", "%camonitor bpm: DEMO:BPM-{01..12}:{X,Y} DEMO:CURRENT"),
    ("the same hidden", "%panels --hide bpm"),
    (
        "5 quiet rows docked",
        "%camonitor -d all\n%camonitor DEMO:{MODE,LOCK,MESSAGE,SHUTTER,ENERGY}",
    ),
    ("a curve docked", "%camonitor -d all\n%caplot DEMO:BPM-01:X DEMO:CURRENT"),
)


class Reading(float):
    """A value in time format."""

    ok, severity, status, timestamp, update_count, datatype = True, 0, 0, 1.7e9, 1, 6


def best(count: int, action: Callable[[int], object]) -> float:
    """Return seconds per call, the best of five rounds."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for number in range(count):
            action(number)
        times.append((time.perf_counter() - started) / count)
    return min(times)


class Frames:
    """Draws a panel again and again, with new values before each picture or without."""

    def __init__(self, panel: Panel, choice: Choice) -> None:
        self._panel = panel
        self._table = Table(panel, Theme(), choice=choice)
        self._values = [Reading(random.random()) for _ in range(64)]
        self._now = 1.0

    def older(self, _number: int) -> None:
        """Draw rows that have only grown older."""
        self._now += 0.1
        self._panel.look()
        self._table.lines(100, ROWS + 2, self._now)

    def changed(self, number: int) -> None:
        """Draw rows that all have new values."""
        for at, row in enumerate(self._panel.rows[:ROWS]):
            self._panel.apply_update(row, self._values[(number * 7 + at) % 64], self._now)
        self.older(number)


def model(count: int) -> None:
    """Measure a panel of so many rows without terminal."""
    panel = Panel("bench", (f"SR-DI-BPM-{n:04d}:X" for n in range(count)), now=0.0)
    value = Reading(1.5)
    rows = panel.rows
    update = best(20_000, lambda n: panel.apply_update(rows[n % count], value, n / 1e5))
    print(f"{count} rows: one update {update * 1e6:.2f} µs")
    for name, choice in (("as given", Choice()), ("worst first", Choice(sort="alarm"))):
        frames = Frames(panel, choice)
        changed, older = best(FRAMES, frames.changed) * 1e3, best(FRAMES, frames.older) * 1e3
        print(f"  {name}: {changed:.2f} ms with {ROWS} new values, {older:.2f} ms with none")
    browser = Browser(panel, Look(), Theme())

    def step(number: int) -> None:
        browser.key("down", 1.0)
        browser.lines(120, 50, number / 10)

    print(f"  full screen: {best(FRAMES, step) * 1e3:.2f} ms for a key and its picture")


def rich_table() -> None:
    """Measure the same picture drawn as a rich table."""
    console = Console(file=io.StringIO(), width=100, force_terminal=True)

    def draw(number: int) -> None:
        table = RichTable("PV", "value", "unit", "trend", "alarm", "age", box=None)
        for row in range(ROWS):
            value = f"[bold]{number + row / 7:.4f}[/]"
            table.add_row(f"SR-DI-BPM-{row:04d}:X", value, "mm", "▁▂▃▄▅▆▇█", "", "0.1s")
        console.print(table)

    print(f"a rich table of {ROWS} rows: {best(10, draw) * 1e3:.2f} ms")


def shell() -> None:
    """Measure the processor time of the whole shell in a terminal."""
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "IPYTHONDIR": f"{home}/ipython"}
        command = coshell("--demo", "--no-banner")
        terminal = Terminal(command, env=env, columns=110, rows=40)
        try:
            terminal.wait_prompt(1)
            for name, lines in CASES:
                for line in filter(None, lines.split("\n")):
                    terminal.line(line)
                    drain(terminal, 1.0)
                drain(terminal, SETTLE_S)
                print(f"{name}: {100 * share(terminal):.1f} % of a core")
        finally:
            terminal.close()


def flooded() -> None:
    """Measure drawing and key echo while every row changes two thousand times a second."""
    line = f"%camonitor bench: {PREFIX}{{0..{ROWS - 1}}}"
    with flood(ROWS, RATE) as environment, tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "IPYTHONDIR": f"{home}/ipython", **environment}
        terminal = Terminal(coshell("--no-banner"), env=env, columns=110, rows=40)
        try:
            terminal.wait_prompt(1)
            shares = []
            for typed in (line, "%panels --hide bench"):
                terminal.line(typed)
                drain(terminal, SETTLE_S)
                shares.append(100 * share(terminal))
            shown, hidden = shares
            print(f"{RATE:.0f} updates/s into {ROWS} rows: {hidden:.1f} % of a core hidden")
            print(f"  docked: {shown:.1f} %, so that drawing takes {shown - hidden:.1f} %")
        finally:
            terminal.close()
    name, rest = line[1:].split(" ", 1)
    docked = f"get_ipython().run_line_magic({name!r}, {rest!r})"
    for title, command, setup in (
        ("stock IPython, idle", STOCK, ""),
        (f"{ROWS} rows docked, {RATE:.0f} updates/s", OURS, docked),
    ):
        with flood(ROWS, RATE) as environment:
            os.environ.update(environment)
            times = sorted(echo(command, setup, rows=40))
        median, p99 = (1e3 * times[int(len(times) * part)] for part in (0.5, 0.99))
        print(f"  echo: {title}: median {median:.1f} ms, p99 {p99:.1f} ms")


def drain(terminal: Terminal, seconds: float) -> None:
    """Read what the shell draws, and look at nothing."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if select.select([terminal.master], [], [], 0.1)[0]:
            os.read(terminal.master, 65_536)


def share(terminal: Terminal) -> float:
    """Return which part of a core the shell takes over some seconds."""
    process = psutil.Process(terminal.process.pid)
    before = process.cpu_times()
    drain(terminal, WATCH_S)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / WATCH_S


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["model", "shell", "flood", []], default=[])
    parts = parser.parse_args().parts or ["model", "shell", "flood"]
    if "model" in parts:
        for rows in (ROWS, 2000):
            model(rows)
        rich_table()
    if "shell" in parts:
        shell()
    if "flood" in parts:
        flooded()
    return 0


if __name__ == "__main__":
    sys.exit(main())
