# SPDX-License-Identifier: Apache-2.0
"""Take the pictures of the windows: a real session on the demo machine, shown by Qt.

`python docs/tools/windows.py docs/images` writes qt-table.png, qt-chart.png and qt-put.png. Without
a display Qt paints offscreen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from coshell.demo.machine import DemoMachine
from coshell.session import session
from cothread import Sleep, Spawn
from cothread.clock import monotonic

TABLE = ("DEMO:CURRENT", "DEMO:MODE", "DEMO:BPM-0{1..4}:X", "DEMO:GAUGE-0{1..5}", "DEMO:NOWHERE")
CURVES = ("DEMO:CURRENT", "DEMO:BPM-0{1..2}:X", "DEMO:GAUGE-03", "DEMO:TUNE:SPECTRUM")
RECORDED_S = 45.0
TIMEOUT_S = 30.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to be seen."""
    deadline = monotonic() + TIMEOUT_S
    while not condition():
        if monotonic() > deadline:
            raise SystemExit(f"it never happened: {what}")
        Sleep(0.05)


def take(directory: Path) -> None:
    """Open the windows, use them, and keep what they show."""
    from coshell.qt.windows import windows

    shown = windows(session)
    watch = session.watches.open(TABLE, "ring")
    curves = session.watches.open(CURVES, "orbit")
    table = shown.table(watch)
    chart = shown.chart(curves, RECORDED_S)
    put = shown.put("DEMO:ID:GAP")
    wait_until(lambda: watch.panel.count().lost == 1, "connected")
    wait_until(lambda: put.button.isEnabled(), "the PV of the put connected")
    Sleep(RECORDED_S)
    table.view.selectRow(2)
    put.text.setText("30")
    put.put()
    wait_until(lambda: put.result.text().startswith("DEMO"), "the put completed")
    Sleep(0.5)
    for window, name in ((table, "table"), (chart, "chart"), (put, "put")):
        window.grab().save(str(directory / f"qt-{name}.png"))
    shown.close()


def main() -> None:
    """Take the pictures into the directory named on the command line."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    machine = DemoMachine()
    machine.start()
    try:
        os.environ.update(machine.env)
        session.open(None, print)
        Spawn(take, Path(sys.argv[1]), raise_on_wait=True).Wait()
    finally:
        session.close()
        machine.stop()


if __name__ == "__main__":
    main()
