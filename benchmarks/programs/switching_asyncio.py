# SPDX-License-Identifier: Apache-2.0
"""Switching with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from measuring import ROUNDS, cpu_us, report


async def yields(count: int) -> None:
    async def ring() -> None:
        for _ in range(count // 100):
            await asyncio.sleep(0)

    await asyncio.gather(*(ring() for _ in range(100)))


async def ping_pong(count: int) -> None:
    ping, pong = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        for _ in range(count):
            await ping.wait()
            ping.clear()
            pong.set()

    answering = asyncio.create_task(answer())
    for _ in range(count):
        ping.set()
        await pong.wait()
        pong.clear()
    await answering


async def queue_items(count: int) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def consume() -> None:
        for _ in range(count):
            await queue.get()

    consuming = asyncio.create_task(consume())
    for number in range(count):
        queue.put_nowait(number)
        await asyncio.sleep(0)
    await consuming


async def spawn_and_wait(count: int) -> None:
    async def nothing() -> None:
        pass

    for _ in range(count):
        await asyncio.create_task(nothing())


def running(work: Callable[[int], Coroutine[Any, Any, None]]) -> Callable[[int], None]:
    def run(count: int) -> None:
        asyncio.run(work(count))

    return run


report(
    yields=cpu_us(running(yields), 50_000, ROUNDS),
    ping_pong=cpu_us(running(ping_pong), 4_000, ROUNDS),
    queue=cpu_us(running(queue_items), 4_000, ROUNDS),
    spawn=cpu_us(running(spawn_and_wait), 4_000, ROUNDS),
)
