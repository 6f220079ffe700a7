# SPDX-License-Identifier: Apache-2.0
"""Channel Access with catools: the same text for ours and for PyPI's cothread."""

from __future__ import annotations

import sys
from functools import partial
from time import monotonic

from curves import SIZES
from measuring import Updates, lap, names, report, resident_kb

from cothread import Sleep
from cothread.catools import FORMAT_TIME, caget, camonitor, caput, connect

WORK, PREFIX, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
PVS = names(PREFIX, COUNT)
PATIENCE_S = 120
LAPS = 3


def one() -> dict[str, float]:
    caget(PVS[0], timeout=PATIENCE_S)
    return lap(lambda: caget(PVS[0]), 2000)


def bulk() -> dict[str, float]:
    caget(PVS, timeout=PATIENCE_S)
    return lap(lambda: caget(PVS, timeout=PATIENCE_S), 5, COUNT)


def put() -> dict[str, float]:
    caget(PVS, timeout=PATIENCE_S)
    values = [float(number) for number in range(COUNT)]
    return lap(lambda: caput(PVS, values, wait=True, timeout=PATIENCE_S), 2, COUNT)


def cold() -> dict[str, float]:
    return lap(lambda: caget(PVS, timeout=PATIENCE_S), 1, COUNT, warm=0)


def array() -> dict[str, float]:
    name = PREFIX + "BIG"
    caget(name, timeout=PATIENCE_S)
    return lap(lambda: caget(name, timeout=PATIENCE_S), 20)


def curve_gets() -> dict[str, float]:
    caget(PVS, timeout=PATIENCE_S)
    figures = {}
    for size in SIZES:
        work = partial(caget, PVS[:size], timeout=PATIENCE_S)
        figures[str(size)] = min(lap(work, 1, size)["wall_us"] for _ in range(LAPS))
    return figures


def curve_cold() -> dict[str, float]:
    caget(PVS[-1], timeout=PATIENCE_S)
    figures, first = {}, 0
    for size in SIZES:
        pvs = PVS[first : first + size]
        work = partial(caget, pvs, timeout=PATIENCE_S)
        figures[str(size)] = lap(work, 1, size, warm=0)["wall_us"]
        first += size
    return figures


def memory() -> dict[str, float]:
    connect(PVS[:1], timeout=PATIENCE_S)
    start = resident_kb()
    connect(PVS, timeout=PATIENCE_S)
    connected = resident_kb()
    updates = Updates(COUNT)
    camonitor(PVS, updates.count)
    while updates.number < COUNT:
        Sleep(0.05)
    subscribed = resident_kb()
    return {
        "channel": (connected - start) / COUNT,
        "subscription": (subscribed - connected) / COUNT,
    }


def updates() -> dict[str, float]:
    seen = Updates(COUNT)
    checked = sys.argv[4] == "checked"
    callback = seen.check if checked else seen.count
    camonitor(PVS, callback, format=FORMAT_TIME, all_updates=True)
    seconds = float(sys.argv[5])
    deadline = monotonic() + PATIENCE_S
    while seen.number < COUNT and monotonic() < deadline:
        Sleep(0.1)
    Sleep(2)
    seen.start()
    Sleep(seconds)
    return seen.figures()


WORKS = {
    "one": one,
    "bulk": bulk,
    "put": put,
    "cold": cold,
    "array": array,
    "curve_gets": curve_gets,
    "curve_cold": curve_cold,
    "memory": memory,
    "updates": updates,
}
figures = WORKS[WORK]()
report("cothread", **figures)
