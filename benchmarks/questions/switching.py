# SPDX-License-Identifier: Apache-2.0
"""What does it cost to give way, to hand something over, and to start a cothread?

Processor time, because other programs run on the same machine.  A ping-pong is a round trip: two
signals and two waits.  A queue item is handed over alone: the producer gives way after each.
The limit is a ring of 100 greenlets that switch to each other and do nothing else.
"""

from ..harness import Benchmark, Contender, Figure, Goal

BENCHMARKS = (
    Benchmark(
        name="switching",
        question="what does a switch, a signal, an item, a cothread cost?",
        contenders=(
            Contender("coshell", "switching_cothread.py", ("greenlet",)),
            Contender("cothread", "switching_cothread.py", ("cothread",), "peers"),
            Contender("gevent", "switching_gevent.py", (), "peers"),
            Contender("asyncio", "switching_asyncio.py"),
            Contender("bare greenlets", "switching_greenlet.py"),
        ),
        figures=(
            Figure("yields", "Yield of 100", "µs"),
            Figure("ping_pong", "Event ping-pong", "µs"),
            Figure("queue", "EventQueue item", "µs"),
            Figure("spawn", "Spawn + Wait", "µs"),
        ),
        goals=(
            Goal("yields", "cothread", 2.5),
            Goal("yields", "gevent", 1.0),
            Goal("yields", "asyncio", 1.0),
            Goal("yields", "bare greenlets", 0.5),
            Goal("ping_pong", "cothread", 4.0),
            Goal("ping_pong", "gevent", 1.0),
            Goal("ping_pong", "asyncio", 1.0),
            Goal("queue", "cothread", 4.0),
            Goal("queue", "gevent", 1.0),
            Goal("queue", "asyncio", 1.0),
            Goal("spawn", "cothread", 8.0),
            Goal("spawn", "asyncio", 2.5),
        ),
    ),
)
