# SPDX-License-Identifier: Apache-2.0
"""Switching with gevent."""

from __future__ import annotations

import gevent
from gevent.event import Event
from gevent.queue import SimpleQueue
from measuring import ROUNDS, cpu_us, report


def yields(count: int) -> None:
    def ring() -> None:
        for _ in range(count // 100):
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(ring) for _ in range(100)])


def ping_pong(count: int) -> None:
    ping, pong = Event(), Event()

    def answer() -> None:
        for _ in range(count):
            ping.wait()
            ping.clear()
            pong.set()

    answering = gevent.spawn(answer)
    for _ in range(count):
        ping.set()
        pong.wait()
        pong.clear()
    answering.join()


def queue_items(count: int) -> None:
    queue = SimpleQueue()

    def consume() -> None:
        for _ in range(count):
            queue.get()

    consuming = gevent.spawn(consume)
    for number in range(count):
        queue.put(number)
        gevent.sleep(0)
    consuming.join()


def spawn_and_wait(count: int) -> None:
    def nothing() -> None:
        pass

    for _ in range(count):
        gevent.spawn(nothing).join()


report(
    "gevent",
    "greenlet",
    yields=cpu_us(yields, 50_000, ROUNDS),
    ping_pong=cpu_us(ping_pong, 4_000, ROUNDS),
    queue=cpu_us(queue_items, 4_000, ROUNDS),
    spawn=cpu_us(spawn_and_wait, 4_000, ROUNDS),
)
