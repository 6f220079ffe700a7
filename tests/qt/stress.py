# SPDX-License-Identifier: Apache-2.0
"""A program for the tests: dialogs opened and closed by slots, cothreads and the main program.

Meanwhile updates go through a queue, jobs recurse to all depths of the C stack, and a slot waits
most of the time.  It prints its counts as JSON.  `careless` lets Qt's loops run at the depth of
ordinary cothreads, which is what the law in `cothread.loops.qt_home` forbids.

    python stress.py ROUNDS UPDATES_PER_SECOND [careless]
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable

import cothread
from cothread import EventQueue, Sleep, Spawn, WaitForAll, Yield
from cothread.loops import qt
from cothread.scheduler import scheduler

rounds, rate = int(sys.argv[1]), int(sys.argv[2])
if "careless" in sys.argv:
    scheduler.new_hosts_strand = scheduler.new_strand  # type: ignore[method-assign]

queue: EventQueue[int] = EventQueue()
counts = {"opened": 0, "closed": 0, "sent": 0, "received": 0, "out_of_order": 0, "slots": 0}
ending = False


def produce() -> None:
    """Send updates at the rate asked for."""
    start = time.monotonic()
    while not ending:
        while counts["sent"] < (time.monotonic() - start) * rate:
            counts["sent"] += 1
            queue.Signal(counts["sent"])
        Sleep(0.002)
    queue.close()


def consume() -> None:
    """Receive them, in order."""
    for value in queue:
        counts["out_of_order"] += value != counts["received"] + 1
        counts["received"] = value


def dive(levels: int) -> None:
    """Give way from deep inside the C stack."""
    if levels:
        list(map(dive, [levels - 1]))
    else:
        Yield()


def job() -> None:
    """Be one of the operator's jobs."""
    while not ending:
        for levels in (0, 10, 60):
            dive(levels)
            Sleep(0.002)


tasks = [Spawn(produce), Spawn(consume), *(Spawn(job) for _ in range(10))]
Sleep(0.01)

app = cothread.iqt(argv=["stress"])
from qtpy import QtCore, QtWidgets  # noqa: E402

home = qt._home
assert home is not None
window = QtWidgets.QWidget()
window.show()
moved = 0


def guard() -> None:
    """Look whether any of the host's frames were pushed off the stack."""
    global moved
    while not ending:
        if home._holding:
            moved = max(moved, home._strand._stack_saved)
        Sleep(0.001)


def dialog(inside: int) -> None:
    """Open a dialog, and others inside it; every one is closed by a cothread."""
    made = QtWidgets.QDialog(window)
    counts["opened"] += 1
    if inside:
        QtCore.QTimer.singleShot(1, lambda: dialog(inside - 1))
    Spawn(close, made, 0.005 + 0.01 * inside)
    made.exec_()
    counts["closed"] += 1
    made.deleteLater()


def close(made: QtWidgets.QDialog, delay_s: float) -> None:
    """Close a dialog later."""
    Sleep(delay_s)
    made.accept()


def slot() -> None:
    """Wait in a slot."""
    Sleep(0.005)
    counts["slots"] += 1


def several(times: int, one: Callable[[int], object]) -> None:
    """Open one dialog after the other."""
    for number in range(times):
        one(number % 3)


def from_slot(inside: int) -> None:
    """Open a dialog in a slot, and go on when another slot can run."""
    QtCore.QTimer.singleShot(0, lambda: dialog(inside))
    Sleep(0.02)


def kilobytes() -> int:
    """Return the memory in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


tasks.append(Spawn(guard))
timer = QtCore.QTimer()
timer.timeout.connect(slot)
timer.start(10)
memory = []
for _ in range(4):
    openers = [Spawn(several, rounds // 16, dialog) for _ in range(2)]
    several(rounds // 16, from_slot)
    several(rounds // 16, dialog)
    WaitForAll(openers)
    gc.collect()
    memory.append(kilobytes())
timer.stop()
deadline = time.monotonic() + 20
while counts["closed"] < counts["opened"] and time.monotonic() < deadline:
    Sleep(0.01)
ending = True
WaitForAll(tasks)
print(json.dumps({**counts, "moved": moved, "memory": memory, "loops": app.thread().loopLevel()}))
