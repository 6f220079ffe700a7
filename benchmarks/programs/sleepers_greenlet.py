# SPDX-License-Identifier: Apache-2.0
"""The limit: bare greenlets that have switched away."""

from __future__ import annotations

import sys
from time import process_time

from greenlet import getcurrent, greenlet
from measuring import report, resident_kb

count = int(sys.argv[1])
here = getcurrent()


def sleeper() -> None:
    here.switch()


before_kb = resident_kb()
began = process_time()
strands = [greenlet(sleeper) for _ in range(count)]
for strand in strands:
    strand.switch()
asleep = process_time()
memory_kb = resident_kb() - before_kb
for strand in strands:
    strand.switch()
awake = process_time()
report(
    "greenlet",
    memory_kb=memory_kb / count,
    spawn_us=(asleep - began) * 1e6 / count,
    wake_us=(awake - asleep) * 1e6 / count,
    both_us=(awake - began) * 1e6 / count,
)
