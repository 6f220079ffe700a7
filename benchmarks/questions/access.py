# SPDX-License-Identifier: Apache-2.0
"""What do gets and puts over Channel Access cost, from one real IOC on the same machine?

The C program is libca without anything around it.  Wall time is what the operator waits; processor
time is that of all threads of the client, without the IOC's.
"""

from ..harness import SIZES, Benchmark, Contender, Figure, Goal
from ..servers import PREFIX, many, records

WALL_AND_CPU = (Figure("wall_us", "wall", "µs"), Figure("cpu_us", "processor", "µs"))


def contenders(work: str, count: int, without: str = "") -> tuple[Contender, ...]:
    """Return all Channel Access clients, set to do a work; `without` names those that cannot."""
    arguments = (work, PREFIX, str(count))
    clients = (
        Contender("coshell", "access_cothread.py", arguments),
        Contender("cothread", "access_cothread.py", arguments, "peers"),
        Contender("aioca", "access_aioca.py", arguments, "peers"),
        Contender("pyepics", "access_pyepics.py", arguments, "peers"),
        Contender("C libca", "access_libca.c", arguments, "native"),
    )
    return tuple(client for client in clients if client.name not in without)


def curve(name: str, question: str) -> Benchmark:
    """Return the benchmark of a work on more and more PVs: a column for each size."""
    return Benchmark(
        name=name,
        question=question,
        contenders=contenders(name, sum(SIZES), without="pyepics C libca"),
        figures=tuple(Figure(str(size), f"{size:,}", "µs") for size in SIZES),
        repetitions=1,
        note="wall time for each PV; the bigger sizes come later in the same process",
        setting=many,
    )


BENCHMARKS = (
    Benchmark(
        name="one_caget",
        question="how long does one blocking caget of a connected PV take?",
        contenders=contenders("one", 1),
        figures=WALL_AND_CPU,
        goals=(Goal("wall_us", "cothread", 3.0), Goal("wall_us", "C libca", 1.0)),
        setting=records,
    ),
    Benchmark(
        name="bulk_caget",
        question="what does each PV of a caget of 10,000 connected ones take?",
        contenders=contenders("bulk", 10_000),
        figures=WALL_AND_CPU,
        goals=(Goal("wall_us", "cothread", 25.0), Goal("wall_us", "aioca", 25.0)),
        repetitions=3,
        setting=records,
    ),
    Benchmark(
        name="bulk_caput",
        question="what does each PV of a caput of 10,000 connected ones take, with completion?",
        contenders=contenders("put", 10_000, without="pyepics C libca"),
        figures=WALL_AND_CPU,
        goals=(Goal("wall_us", "cothread", 1.4),),
        repetitions=3,
        note="most of it is the IOC's work: it completes one put after the other",
        setting=records,
    ),
    Benchmark(
        name="cold_caget",
        question="what does each of 10,000 PVs take to be found, connected and read?",
        contenders=contenders("cold", 10_000),
        figures=WALL_AND_CPU,
        goals=(Goal("wall_us", "cothread", 6.0), Goal("wall_us", "C libca", 1 / 3)),
        repetitions=3,
        setting=records,
    ),
    Benchmark(
        name="array_caget",
        question="how long does a caget of a million doubles take?",
        contenders=contenders("array", 1),
        figures=WALL_AND_CPU,
        goals=(Goal("wall_us", "cothread", 1.4),),
        setting=records,
    ),
    Benchmark(
        name="channel_memory",
        question="how much memory does a connected channel hold, and a subscription to it?",
        contenders=contenders("memory", 10_000, without="pyepics C libca"),
        figures=(Figure("channel", "channel", "kB"), Figure("subscription", "subscription", "kB")),
        repetitions=3,
        setting=records,
    ),
    curve("curve_gets", "what does each of so many connected PVs take to be read?"),
    curve("curve_cold", "what does each of so many PVs take to be found, connected and read?"),
)
