# SPDX-License-Identifier: Apache-2.0
"""How costs grow, with asyncio."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from time import process_time

from curves import DESCRIPTOR_SIZES, SIZES, curve, many_descriptors
from measuring import cpu_us, report


async def nothing() -> None:
    pass


async def gather_nothing(count: int) -> None:
    await asyncio.gather(*(asyncio.create_task(nothing()) for _ in range(count)))


async def gather_sleeps(count: int) -> None:
    await asyncio.gather(
        *(asyncio.create_task(asyncio.sleep(0.2 + 0.2 * random.random())) for _ in range(count))
    )


async def readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.add_reader(fd, future.set_result, None)
    await future
    loop.remove_reader(fd)


async def play(count: int, rounds: int) -> float:
    pipes = [os.pipe() for _ in range(count)]
    waiting = [asyncio.create_task(readable(reader)) for reader, _ in pipes]
    active_r, active_w = os.pipe()
    echo = asyncio.Event()

    async def listen() -> None:
        while True:
            await readable(active_r)
            os.read(active_r, 1)
            echo.set()

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0.1)
    began = process_time()
    for _ in range(rounds):
        os.write(active_w, b"x")
        await echo.wait()
        echo.clear()
    cost = (process_time() - began) * 1e6 / rounds
    listener.cancel()
    for _, writer in pipes:
        os.write(writer, b"x")
    await asyncio.gather(*waiting)
    for fd in [fd for pipe in pipes for fd in pipe] + [active_r, active_w]:
        os.close(fd)
    return cost


def spawn(count: int) -> None:
    asyncio.run(gather_nothing(count))


def timers(count: int) -> None:
    asyncio.run(gather_sleeps(count))


def descriptors(count: int) -> float:
    return asyncio.run(play(count, 300))


KINDS = {
    "spawn": lambda: curve(SIZES, lambda count: cpu_us(spawn, count)),
    "timers": lambda: curve(SIZES, lambda count: cpu_us(timers, count)),
    "descriptors": lambda: curve(DESCRIPTOR_SIZES, many_descriptors(descriptors)),
}
report(**KINDS[sys.argv[1]]())
