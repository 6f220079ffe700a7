# SPDX-License-Identifier: Apache-2.0
"""Channel Access with pyepics."""

from __future__ import annotations

import sys
from time import monotonic, sleep
from typing import Any

import epics
from measuring import Updates, lap, names, report

WORK, PREFIX, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
PVS = names(PREFIX, COUNT)
PATIENCE_S = 120


def one() -> dict[str, float]:
    channel = epics.PV(PVS[0], auto_monitor=False, form="native")
    channel.wait_for_connection(PATIENCE_S)
    return lap(channel.get, 2000)


def bulk() -> dict[str, float]:
    return lap(
        lambda: epics.caget_many(PVS, timeout=PATIENCE_S, connection_timeout=PATIENCE_S), 2, COUNT
    )


def cold() -> dict[str, float]:
    return lap(
        lambda: epics.caget_many(PVS, timeout=PATIENCE_S, connection_timeout=PATIENCE_S),
        1,
        COUNT,
        warm=0,
    )


def array() -> dict[str, float]:
    channel = epics.PV(PREFIX + "BIG", auto_monitor=False, form="native")
    channel.wait_for_connection(PATIENCE_S)
    return lap(lambda: channel.get(timeout=PATIENCE_S), 20)


class Stamped(float):
    """A value and its time, as the others hand them over."""

    timestamp: float


def updates() -> dict[str, float]:
    seen = Updates(COUNT)
    checked = sys.argv[4] == "checked"

    def listen(number: int) -> Any:
        def callback(value: float, timestamp: float, **_rest: Any) -> None:
            if checked:
                stamped = Stamped(value)
                stamped.timestamp = timestamp
                seen.check(stamped, number)
            else:
                seen.count(value, number)

        return epics.PV(PVS[number], form="time", auto_monitor=True, callback=callback)

    channels = [listen(number) for number in range(COUNT)]
    deadline = monotonic() + PATIENCE_S
    while seen.number < COUNT and monotonic() < deadline:
        sleep(0.1)
    sleep(2)
    seen.start()
    sleep(float(sys.argv[5]))
    figures = seen.figures()
    del channels
    return figures


WORKS = {"one": one, "bulk": bulk, "cold": cold, "array": array, "updates": updates}
report("pyepics", **WORKS[WORK]())
