# SPDX-License-Identifier: Apache-2.0
"""Names that nobody serves, with aioca."""

from __future__ import annotations

import asyncio
import os
import sys
from time import monotonic, process_time

from measuring import Sink, report, resident_kb

COUNT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
sink = Sink()
os.environ.update(sink.environment)

from aioca import connect  # noqa: E402  # libca reads the environment when it starts


async def main() -> None:
    began_kb, began, began_cpu = resident_kb(), monotonic(), process_time()
    names = [f"MISSING:{number}" for number in range(COUNT)]
    task = asyncio.ensure_future(connect(names, timeout=3600))
    await asyncio.sleep(1)
    while process_time() - began_cpu > 0.5 * (monotonic() - began) and monotonic() - began < 60:
        await asyncio.sleep(1)
    start = {"wall": monotonic(), "cpu": process_time(), "datagrams": sink.received()}
    await asyncio.sleep(SECONDS)
    wall = monotonic() - start["wall"]
    report(
        "aioca",
        load=100 * (process_time() - start["cpu"]) / wall,
        datagrams=(sink.received() - start["datagrams"]) / wall,
        memory_kb=(resident_kb() - began_kb) / COUNT,
    )
    task.cancel()


asyncio.run(main())
