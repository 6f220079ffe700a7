# SPDX-License-Identifier: Apache-2.0
"""What do 100,000 sleeping cothreads cost: in memory, to start, and to wake at the same moment?"""

from ..harness import Benchmark, Contender, Figure, Goal

COUNT = "100000"

BENCHMARKS = (
    Benchmark(
        name="sleepers",
        question="what does each of 100,000 sleeping cothreads cost?",
        contenders=(
            Contender("coshell", "sleepers_cothread.py", (COUNT, "greenlet")),
            Contender("cothread", "sleepers_cothread.py", (COUNT, "cothread"), "peers"),
            Contender("gevent", "sleepers_gevent.py", (COUNT,), "peers"),
            Contender("asyncio", "sleepers_asyncio.py", (COUNT,)),
            Contender("bare greenlets", "sleepers_greenlet.py", (COUNT,)),
        ),
        figures=(
            Figure("memory_kb", "memory", "kB"),
            Figure("spawn_us", "spawn and lie down", "µs"),
            Figure("wake_us", "wake and end", "µs"),
            Figure("both_us", "both", "µs"),
        ),
        goals=(
            Goal("memory_kb", "cothread", 1.0),
            Goal("memory_kb", "gevent", 1.0),
            Goal("both_us", "cothread", 1.0),
            Goal("both_us", "gevent", 1.0),
        ),
        repetitions=3,
    ),
)
