# SPDX-License-Identifier: Apache-2.0
"""Who waits for whom when Qt and cothreads are both busy: medians, the least of several rounds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from time import monotonic, process_time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from measuring import report
from qtpy import QtCore

from cothread import CallbackResult, Event, Sleep, Spawn, Yield, iqt

NAP_S = 0.002
PERIOD_S = 0.01
COUNT = 100
ROUNDS = 7


def least(measure: Callable[[], list[float]]) -> float:
    """Return the least median in ms: what else the machine does only adds to it."""
    return min(sorted(measure())[COUNT // 2] for _ in range(ROUNDS)) * 1e3


def naps() -> list[float]:
    """Return how late cothreads wake."""
    late = []
    for _ in range(COUNT):
        began = monotonic()
        Sleep(NAP_S)
        late.append(monotonic() - began - NAP_S)
    return late


def naps_beside_a_timer() -> list[float]:
    """Return the same while Qt is never idle."""
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(0)
    try:
        return naps()
    finally:
        timer.stop()


def slots_beside_cothreads() -> list[float]:
    """Return how late slots are while ten cothreads do nothing but yield."""
    late: list[float] = []
    full = Event()

    def spin() -> None:
        while not full:
            Yield()

    spinning = [Spawn(spin) for _ in range(10)]
    for _ in range(COUNT):
        done = Event()
        due = monotonic() + PERIOD_S

        def slot(due: float = due, done: Event = done) -> None:
            late.append(monotonic() - due)
            done.Signal()

        QtCore.QTimer.singleShot(round(1000 * PERIOD_S), QtCore.Qt.PreciseTimer, slot)
        done.Wait()
    full.Signal()
    for task in spinning:
        task.Wait()
    return late


def calls_from_a_thread() -> list[float]:
    """Return how long a call from another thread and its result take."""
    took: list[float] = []
    done = Event()

    def call() -> None:
        for _ in range(COUNT):
            began = monotonic()
            CallbackResult(lambda: 1)
            took.append(monotonic() - began)
        CallbackResult(done.Signal)

    thread = threading.Thread(target=call)
    thread.start()
    done.Wait()
    thread.join()
    return took


def cpu_us() -> float:
    """Return the processor time of a nap."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = process_time()
        naps()
        best = min(best, process_time() - began)
    return best * 1e6 / COUNT


app = iqt(argv=["measured"])
Sleep(0.2)
report(
    nap_ms=least(naps),
    nap_us=cpu_us(),
    beside_ms=least(naps_beside_a_timer),
    busy_ms=least(slots_beside_cothreads),
    thread_ms=least(calls_from_a_thread),
)
