# SPDX-License-Identifier: Apache-2.0
"""The limit: bare greenlets that switch to each other and do nothing else."""

from __future__ import annotations

from greenlet import getcurrent, greenlet
from measuring import ROUNDS, cpu_us, report


def ring(size: int, count: int) -> None:
    strands: list[greenlet] = []
    here = getcurrent()

    def turn(number: int) -> None:
        following = strands[(number + 1) % size]
        for _ in range(count // size):
            following.switch()

    def start(number: int) -> None:
        turn(number)
        here.switch()

    strands.extend(greenlet(start) for _ in range(size))
    for number, strand in enumerate(strands[1:], 1):
        strand.run = lambda number=number: start(number)
    strands[0].run = lambda: start(0)
    strands[0].switch()


report("greenlet", yields=cpu_us(lambda count: ring(100, count), 50_000, ROUNDS))
