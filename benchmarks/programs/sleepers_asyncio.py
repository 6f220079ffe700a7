# SPDX-License-Identifier: Apache-2.0
"""Many sleeping tasks, with asyncio."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic, process_time

from measuring import NAP_S, in_time, report, resident_kb

count = int(sys.argv[1])

lying = 0


async def sleeper(until: float) -> None:
    global lying
    lying += 1
    await asyncio.sleep(until - monotonic())


async def main() -> None:
    before_kb = resident_kb()
    began = process_time()
    until = monotonic() + NAP_S
    tasks = [asyncio.create_task(sleeper(until)) for _ in range(count)]
    while lying < count:
        await asyncio.sleep(0.01)
    asleep = process_time()
    in_time(until)
    memory_kb = resident_kb() - before_kb
    await asyncio.gather(*tasks)
    awake = process_time()
    report(
        memory_kb=memory_kb / count,
        spawn_us=(asleep - began) * 1e6 / count,
        wake_us=(awake - asleep) * 1e6 / count,
        both_us=(awake - began) * 1e6 / count,
    )


asyncio.run(main())
