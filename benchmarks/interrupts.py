# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, counted: `python -m benchmarks.interrupts 200`.

A shell in a terminal with background jobs runs one cell after the other; each is interrupted, by
key or by signal, and the cell itself records what happened to it and when.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import tempfile
import time

from tests.support.terminal import Terminal, coshell

SETUP = """\
import time, json
from cothread import Spawn, Sleep, Event, Yield
ticks = [0] * 5
def tick(i):
    while True:
        Sleep(0.003)
        ticks[i] += 1
jobs_ = [Spawn(tick, i) for i in range(4)]
def work():
    while True:
        sum(range(2000))
        ticks[4] += 1
        Yield()
jobs_.append(Spawn(work))
def hold(wait):
    try:
        print("re" + "ady")
        wait()
        return "ended"
    except KeyboardInterrupt:
        return "interrupted", time.time()
"""

EARLY_S = (0.0, 0.002, 0.01, 0.05)

WAITS = {
    "Sleep": "Sleep(1000)",
    "Event": "Event().Wait()",
    "Spawn": "Spawn(Sleep, 1000).Wait()",
    "busy": "[Yield() for _ in iter(int, 1)]",
}


def measure(count: int, by_key: bool) -> dict[str, object]:
    """Interrupt `count` cells and tell what became of them."""
    with tempfile.TemporaryDirectory() as home:
        script = os.path.join(home, "setup.py")
        with open(script, "w") as file:
            file.write(SETUP)
        shell = Terminal(
            coshell("--no-banner"), env={"HOME": home, "IPYTHONDIR": f"{home}/ipython"}, rows=40
        )
        try:
            shell.wait_prompt(1)
            shell.line(f"%run -i {script}")
            shell.wait_prompt(2)
            return _measure(shell, count, by_key)
        finally:
            shell.close()


def _measure(shell: Terminal, count: int, by_key: bool) -> dict[str, object]:
    delays: list[float] = []
    wrong: list[str] = []
    names = list(WAITS)
    for trial in range(count):
        name = names[trial % len(names)]
        number = 2 + 2 * trial
        shell.line("%clear")
        shell.wait_prompt(number + 1)
        shell.line(f"r = hold(lambda: {WAITS[name]}); print('got', r)")
        shell.wait_for("ready")
        time.sleep(random.uniform(0.0, 0.05))
        sent = time.time()
        if by_key:
            shell.key("ctrl-c")
        else:
            os.kill(shell.process.pid, signal.SIGINT)
        shell.wait_prompt(number + 2)
        found = re.search(r"^got \('interrupted', ([0-9.]+)\)", shell.text, re.M)
        if found is None:
            wrong.append(f"{trial} {name}: {shell.text}")
        else:
            delays.append(float(found[1]) - sent)
    shell.line("before = list(ticks); Sleep(0.3); [a < b for a, b in zip(before, ticks)]")
    alive = shell.wait_match(r"^Out\[\d+\]: (\[.*\])$")[1]
    return {
        "asked": count,
        "interrupted the foreground": len(delays),
        "wrong": wrong,
        "background jobs that go on": f"{alive.count('True')} of 5",
        "median ms": round(1000 * statistics.median(delays), 2),
        "worst ms": round(1000 * max(delays), 2),
    }


def measure_early(count: int) -> dict[str, str]:
    """Press Ctrl-C right after Enter; tell how often the cell went on all the same."""
    missed = {}
    with tempfile.TemporaryDirectory() as home:
        shell = Terminal(
            coshell("--no-banner"), env={"HOME": home, "IPYTHONDIR": f"{home}/ipython"}, rows=40
        )
        try:
            shell.wait_prompt(1)
            number = 1
            for delay_s in EARLY_S:
                ended = 0
                for _ in range(count):
                    shell.line("%clear")
                    shell.wait_prompt(number := number + 1)
                    shell.line("sleep(1); print('not', 'interrupted')")
                    time.sleep(delay_s)
                    shell.key("ctrl-c")
                    shell.wait_prompt(number := number + 1)
                    ended += "not interrupted" in shell.text
                missed[f"{1000 * delay_s:.0f} ms after Enter"] = f"{ended} of {count} missed"
        finally:
            shell.close()
    return missed


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=200)
    options = parser.parse_args()
    for title, by_key in (("key", True), ("signal", False)):
        print(title, json.dumps(measure(options.count, by_key), indent=1))
    print("early", json.dumps(measure_early(max(1, options.count // 10)), indent=1))


if __name__ == "__main__":
    main()
