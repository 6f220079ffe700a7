# SPDX-License-Identifier: Apache-2.0
"""How costs grow, with gevent."""

from __future__ import annotations

import os
import random
import sys

import gevent
from curves import DESCRIPTOR_SIZES, SIZES, curve, many_descriptors
from gevent.event import Event
from gevent.socket import wait_read
from measuring import cpu_us, report


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    gevent.joinall([gevent.spawn(nothing) for _ in range(count)])


def timers(count: int) -> None:
    gevent.joinall([gevent.spawn(gevent.sleep, 0.2 + 0.2 * random.random()) for _ in range(count)])


def descriptors(count: int) -> float:
    pipes = [os.pipe() for _ in range(count)]
    waiting = [gevent.spawn(wait_read, reader) for reader, _ in pipes]
    active_r, active_w = os.pipe()
    echo = Event()

    def listen(rounds: int) -> None:
        for _ in range(rounds):
            wait_read(active_r)
            os.read(active_r, 1)
            echo.set()

    def play(rounds: int) -> None:
        listener = gevent.spawn(listen, rounds)
        for _ in range(rounds):
            os.write(active_w, b"x")
            echo.wait()
            echo.clear()
        listener.join()

    gevent.sleep(0.1)
    cost = cpu_us(play, 300)
    for _, writer in pipes:
        os.write(writer, b"x")
    gevent.joinall(waiting)
    for fd in [fd for pipe in pipes for fd in pipe] + [active_r, active_w]:
        os.close(fd)
    return cost


KINDS = {
    "spawn": lambda: curve(SIZES, lambda count: cpu_us(spawn, count)),
    "timers": lambda: curve(SIZES, lambda count: cpu_us(timers, count)),
    "descriptors": lambda: curve(DESCRIPTOR_SIZES, many_descriptors(descriptors)),
}
report("gevent", **KINDS[sys.argv[1]]())
