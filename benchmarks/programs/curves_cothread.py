# SPDX-License-Identifier: Apache-2.0
"""How costs grow, with cothread: the same text for ours and for PyPI's."""

from __future__ import annotations

import os
import random
import sys

from curves import DESCRIPTOR_SIZES, SIZES, curve, many_descriptors
from measuring import cpu_us, report

from cothread import Event, Sleep, Spawn, WaitForAll
from cothread.coselect import POLLIN, poll_list


def nothing() -> None:
    pass


def spawn(count: int) -> None:
    WaitForAll([Spawn(nothing) for _ in range(count)])


def timers(count: int) -> None:
    WaitForAll([Spawn(Sleep, 0.2 + 0.2 * random.random()) for _ in range(count)])


def descriptors(count: int) -> float:
    """Return the cost of one event while `count` cothreads wait for quiet descriptors."""
    pipes = [os.pipe() for _ in range(count)]
    waiting = [Spawn(poll_list, [(reader, POLLIN)]) for reader, _ in pipes]
    active_r, active_w = os.pipe()
    echo = Event()

    def listen(rounds: int) -> None:
        for _ in range(rounds):
            poll_list([(active_r, POLLIN)])
            os.read(active_r, 1)
            echo.Signal()

    def play(rounds: int) -> None:
        listener = Spawn(listen, rounds)
        for _ in range(rounds):
            os.write(active_w, b"x")
            echo.Wait()
        listener.Wait()

    Sleep(0.1)
    cost = cpu_us(play, 300)
    for _, writer in pipes:
        os.write(writer, b"x")
    WaitForAll(waiting)
    for fd in [fd for pipe in pipes for fd in pipe] + [active_r, active_w]:
        os.close(fd)
    return cost


KINDS = {
    "spawn": lambda: curve(SIZES, lambda count: cpu_us(spawn, count)),
    "timers": lambda: curve(SIZES, lambda count: cpu_us(timers, count)),
    "descriptors": lambda: curve(DESCRIPTOR_SIZES, many_descriptors(descriptors)),
}
report(*sys.argv[2:], **KINDS[sys.argv[1]]())
