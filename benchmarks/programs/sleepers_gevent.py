# SPDX-License-Identifier: Apache-2.0
"""Many sleeping greenlets, with gevent."""

from __future__ import annotations

import sys
from time import monotonic, process_time

import gevent
from measuring import NAP_S, in_time, report, resident_kb

count = int(sys.argv[1])

lying = 0


def sleeper(until: float) -> None:
    global lying
    lying += 1
    gevent.sleep(until - monotonic())


gevent.joinall([gevent.spawn(gevent.sleep, 0.01) for _ in range(10)])
before_kb = resident_kb()
began = process_time()
until = monotonic() + NAP_S
tasks = [gevent.spawn(sleeper, until) for _ in range(count)]
while lying < count:
    gevent.sleep(0.01)
asleep = process_time()
in_time(until)
memory_kb = resident_kb() - before_kb
gevent.joinall(tasks)
awake = process_time()
report(
    "gevent",
    memory_kb=memory_kb / count,
    spawn_us=(asleep - began) * 1e6 / count,
    wake_us=(awake - asleep) * 1e6 / count,
    both_us=(awake - began) * 1e6 / count,
)
