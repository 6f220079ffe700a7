# SPDX-License-Identifier: Apache-2.0
"""Switching with cothread: the same text for ours and for PyPI's."""

from __future__ import annotations

import sys

from measuring import ROUNDS, cpu_us, report

from cothread import Event, EventQueue, Spawn, WaitForAll, Yield


def yields(count: int) -> None:
    def ring() -> None:
        for _ in range(count // 100):
            Yield()

    WaitForAll([Spawn(ring) for _ in range(100)])


def ping_pong(count: int) -> None:
    ping, pong = Event(), Event()

    def answer() -> None:
        for _ in range(count):
            ping.Wait()
            pong.Signal()

    answering = Spawn(answer)
    for _ in range(count):
        ping.Signal()
        pong.Wait()
    answering.Wait()


def queue_items(count: int) -> None:
    queue = EventQueue()

    def consume() -> None:
        for _ in range(count):
            queue.Wait()

    consuming = Spawn(consume)
    for number in range(count):
        queue.Signal(number)
        Yield()
    consuming.Wait()


def spawn_and_wait(count: int) -> None:
    def nothing() -> None:
        pass

    for _ in range(count):
        Spawn(nothing).Wait()


report(
    *sys.argv[1:],
    yields=cpu_us(yields, 50_000, ROUNDS),
    ping_pong=cpu_us(ping_pong, 4_000, ROUNDS),
    queue=cpu_us(queue_items, 4_000, ROUNDS),
    spawn=cpu_us(spawn_and_wait, 4_000, ROUNDS),
)
