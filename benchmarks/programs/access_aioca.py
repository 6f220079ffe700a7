# SPDX-License-Identifier: Apache-2.0
"""Channel Access with aioca."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic, perf_counter, process_time
from typing import Any

from aioca import FORMAT_TIME, caget, camonitor, caput, connect
from curves import SIZES
from measuring import Updates, names, report, resident_kb

WORK, PREFIX, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
PVS = names(PREFIX, COUNT)
PATIENCE_S = 120
LAPS = 3


async def lap(
    work: Callable[[], Awaitable[Any]], rounds: int, items: int = 1, warm: int = 1
) -> dict[str, float]:
    for _ in range(warm):
        await work()
    began, began_cpu = perf_counter(), process_time()
    for _ in range(rounds):
        await work()
    wall, cpu = perf_counter() - began, process_time() - began_cpu
    return {"wall_us": wall * 1e6 / rounds / items, "cpu_us": cpu * 1e6 / rounds / items}


async def one() -> dict[str, float]:
    await caget(PVS[0], timeout=PATIENCE_S)
    return await lap(lambda: caget(PVS[0]), 2000)


async def bulk() -> dict[str, float]:
    await caget(PVS, timeout=PATIENCE_S)
    return await lap(lambda: caget(PVS, timeout=PATIENCE_S), 5, COUNT)


async def put() -> dict[str, float]:
    await caget(PVS, timeout=PATIENCE_S)
    values = [float(number) for number in range(COUNT)]
    return await lap(lambda: caput(PVS, values, wait=True, timeout=PATIENCE_S), 2, COUNT)


async def cold() -> dict[str, float]:
    return await lap(lambda: caget(PVS, timeout=PATIENCE_S), 1, COUNT, warm=0)


async def array() -> dict[str, float]:
    name = PREFIX + "BIG"
    await caget(name, timeout=PATIENCE_S)
    return await lap(lambda: caget(name, timeout=PATIENCE_S), 20)


async def curve_gets() -> dict[str, float]:
    await caget(PVS, timeout=PATIENCE_S)
    figures = {}
    for size in SIZES:
        work = partial(caget, PVS[:size], timeout=PATIENCE_S)
        laps = [await lap(work, 1, size) for _ in range(LAPS)]
        figures[str(size)] = min(figure["wall_us"] for figure in laps)
    return figures


async def curve_cold() -> dict[str, float]:
    await caget(PVS[-1], timeout=PATIENCE_S)
    figures, first = {}, 0
    for size in SIZES:
        work = partial(caget, PVS[first : first + size], timeout=PATIENCE_S)
        figures[str(size)] = (await lap(work, 1, size, warm=0))["wall_us"]
        first += size
    return figures


async def memory() -> dict[str, float]:
    await connect(PVS[:1], timeout=PATIENCE_S)
    start = resident_kb()
    await connect(PVS, timeout=PATIENCE_S)
    connected = resident_kb()
    seen = Updates(COUNT)
    camonitor(PVS, seen.count)
    while seen.number < COUNT:
        await asyncio.sleep(0.05)
    subscribed = resident_kb()
    return {
        "channel": (connected - start) / COUNT,
        "subscription": (subscribed - connected) / COUNT,
    }


async def updates() -> dict[str, float]:
    seen = Updates(COUNT)
    callback = seen.check if sys.argv[4] == "checked" else seen.count
    camonitor(PVS, callback, format=FORMAT_TIME, all_updates=True)
    deadline = monotonic() + PATIENCE_S
    while seen.number < COUNT and monotonic() < deadline:
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    seen.start()
    await asyncio.sleep(float(sys.argv[5]))
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


async def main() -> None:
    report("aioca", "epicscorelibs", **await WORKS[WORK]())


asyncio.run(main())
