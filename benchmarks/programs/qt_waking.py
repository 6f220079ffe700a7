# SPDX-License-Identifier: Apache-2.0
"""Qt beside cothreads: what idling costs, and who is late; the same text for ours and for PyPI's.

`qt_waking.py [distribution …]`.  The window system is the one that paints nowhere.
"""

from __future__ import annotations

import os
import random
import resource
import sys
from collections.abc import Callable
from time import monotonic, process_time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from measuring import report
from PyQt5 import QtCore

from cothread import Event, Sleep, Spawn, iqt

IDLE_S = 4.0
COUNT = 150
# At random times, so that nobody who polls is met in step.
SHORTEST_S, LONGEST_S = 0.005, 0.06


def median(values: list[float]) -> float:
    """Return the middle one."""
    return sorted(values)[len(values) // 2]


def idle() -> dict[str, float]:
    """Measure what it costs when nothing happens."""
    cpu, switches = process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    Sleep(IDLE_S)
    return {
        "idle_cpu_ms": (process_time() - cpu) * 1e3 / IDLE_S,
        "idle_wakes": (resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - switches) / IDLE_S,
    }


def lateness(wait: Callable[[float], float]) -> list[float]:
    """Return in ms how late `wait(seconds)` returned, each time: it says when it did."""
    late = []
    for _ in range(COUNT):
        seconds = round(random.uniform(SHORTEST_S, LONGEST_S), 3)
        began = monotonic()
        late.append((wait(seconds) - began - seconds) * 1e3)
    return late


def slot(seconds: float) -> float:
    """Return when a Qt timer's slot began."""
    begun = Event()
    QtCore.QTimer.singleShot(round(seconds * 1000), lambda: begun.Signal(monotonic()))
    return begun.Wait()


def sleeper(seconds: float) -> float:
    """Return when a cothread that slept was awake."""
    Sleep(seconds)
    return monotonic()


def told(seconds: float) -> float:
    """Return when a cothread ran that a slot had woken, less what the slot itself was late."""
    began = monotonic()
    signalled = Event()
    QtCore.QTimer.singleShot(round(seconds * 1000), lambda: signalled.Signal(monotonic()))
    when = signalled.Wait()
    return began + seconds + monotonic() - when


app = iqt(argv=["measured"])
Sleep(0.5)
figures = idle()
# In cothreads, where monitors and jobs are.
for name, wait in (("slot_ms", slot), ("sleep_ms", sleeper), ("told_ms", told)):
    values = Spawn(lateness, wait).Wait()
    figures[name] = median(values)
    figures[name.replace("_ms", "_max_ms")] = max(values)
report(*sys.argv[1:], "PyQt5", **figures)
