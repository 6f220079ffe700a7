# SPDX-License-Identifier: Apache-2.0
"""The shell beside stock IPython: first prompt, key echo, idle processor time.

`python -m benchmarks.shell [first] [keys] [rest]`.  Echo is the time from a key written to
the terminal until its character comes back; nobody emulates a screen meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.terminal import Terminal, coshell

STOCK = [sys.executable, "-m", "IPython", "--no-banner"]
OURS = coshell("--no-banner")

DOCK = """\
class Rows:
    title, refresh_s = 'rows', 0.1
    def render(self, width, height, now):
        return [f' SR-DI-{i:02}:SIGNAL  \\x1b[32m{now * i % 1000:9.3f}\\x1b[m mA  {"▁▂▃▄▅▆▇█" * 3}'
                for i in range(25)][:height]
get_ipython().dock.add(Rows())
"""
LINES = """\
def lines():
    while True:
        Sleep(0.01)
        for i in range(50): print('a line of output number', i, 'of a busy job')
job = Spawn(lines)
"""
BUSY = """\
def busy():
    while True:
        sum(range(3000))
        Yield()
job = Spawn(busy)
"""
MARKS = itertools.cycle("ǂǃƖƘƷƺǷȜȢɁ")
LOST_S = 20.0


@contextmanager
def shell(command: list[str], setup: str = "", rows: int = 24) -> Iterator[Terminal]:
    """Start a shell and run a cell in it."""
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "IPYTHONDIR": f"{home}/ipython"}
        terminal = Terminal(command, env=env, rows=rows)
        try:
            terminal.wait_prompt(1)
            if setup:
                script = os.path.join(home, "setup.py")
                with open(script, "w") as file:
                    file.write("from cothread import Spawn, Sleep, Yield\n" + setup)
                terminal.line(f"%run -i {script}")
                terminal.wait_prompt(2)
            yield terminal
        finally:
            terminal.close()


def first_prompt(command: list[str]) -> float:
    """Return seconds from the start to the first prompt."""
    since = time.monotonic()
    with shell(command):
        return time.monotonic() - since


def echo(command: list[str], setup: str = "", rows: int = 24, keys: int = 200) -> list[float]:
    """Return how long the echo of each key took, in seconds."""
    with shell(command, setup, rows) as terminal:
        settle = time.monotonic() + 1.0
        while time.monotonic() < settle:
            _read(terminal.master, 0.05)
        return [_echo(terminal.master) for _ in range(keys)]


def _echo(fd: int) -> float:
    pause = time.monotonic() + random.uniform(0.02, 0.08)
    while (left := pause - time.monotonic()) > 0:
        _read(fd, left)
    # A character that no output uses, and the key that takes it away again; the next one is another
    # one, because a shell that draws late would have nothing to draw.
    mark = next(MARKS)
    since = time.monotonic()
    os.write(fd, mark.encode())
    seen = b""
    while mark.encode() not in seen:
        seen += _read(fd, 5.0)
        if time.monotonic() - since > LOST_S:
            raise SystemExit(f"a key was not echoed within {LOST_S:.0f} s")
    took = time.monotonic() - since
    os.write(fd, b"\x7f")
    return took


def _read(fd: int, timeout: float) -> bytes:
    if not select.select([fd], [], [], max(0.0, timeout))[0]:
        return b""
    data = os.read(fd, 65_536)
    if b"\x1b[6n" in data:
        # Whoever asks where the cursor is waits for an answer before it draws the prompt again.
        os.write(fd, b"\x1b[12;1R")
    return data


def idle(command: list[str], setup: str = "", seconds: float = 10.0) -> float:
    """Return the processor time an idle shell takes, in ms per second."""
    with shell(command, setup) as terminal:
        settle = time.monotonic() + 3.0
        while time.monotonic() < settle:
            _read(terminal.master, 0.1)
        before = _cpu(terminal.process.pid)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _read(terminal.master, 0.5)
        return (_cpu(terminal.process.pid) - before) / seconds * 1000


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat") as file:
        main = int(file.read().split()[0])
    others = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        if task != str(pid):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                others += int(file.read().split()[0])
    return (main + others) / 1e9


QUIET = DOCK.replace("0.1", "None").replace("now * i", "i")

CASES: dict[str, Callable[[], None]] = {}


def case(function: Callable[[], None]) -> Callable[[], None]:
    """Add a case to the command line."""
    CASES[function.__name__.replace("_", "-")] = function
    return function


@case
def first() -> None:
    """Print the times to the first prompt."""
    times: dict[str, list[float]] = {"ipython": [], "coshell": []}
    for _ in range(9):
        times["ipython"].append(first_prompt(STOCK))
        times["coshell"].append(first_prompt(OURS))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians["coshell"] / medians["ipython"]
    print(f"first prompt: {medians['ipython']:.3f} s, {medians['coshell']:.3f} s: {ratio:.2f}×")


@case
def keys() -> None:
    """Print the echo times."""
    for title, command, setup, rows in (
        ("stock IPython, idle", STOCK, "", 24),
        ("idle", OURS, "", 24),
        ("25-row dock, all rows changing at 10 Hz", OURS, DOCK, 50),
        ("5,000 lines/s of background output", OURS, LINES, 24),
        ("a job that yields after 20 µs, always ready", OURS, BUSY, 24),
    ):
        values = sorted(echo(command, setup, rows))
        p99 = values[int(len(values) * 0.99)]
        print(f"echo: {title}: median {values[len(values) // 2] * 1e3:.1f} ms, p99 {p99 * 1e3:.1f}")


@case
def rest() -> None:
    """Print the idle processor time."""
    for title, command, setup in (
        ("stock IPython", STOCK, ""),
        ("coshell", OURS, ""),
        ("coshell, quiet 20-row dock", OURS, QUIET),
    ):
        print(f"idle: {title}: {idle(command, setup):.2f} ms of processor per second")


def main() -> None:
    """Run the cases named, all of them without a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="default: all")
    for name in parser.parse_args().cases or CASES:
        CASES[name]()


if __name__ == "__main__":
    main()
