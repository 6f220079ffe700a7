# SPDX-License-Identifier: Apache-2.0
"""How do costs grow with the number of cothreads, timers and descriptors?

Spawn: each of so many cothreads, spawned, run and waited for.  Timers: each of so many sleeps of
different length.  Descriptors: one event on a descriptor, from its writer to the cothread and back,
while so many others wait for quiet ones.
"""

from ..harness import SIZES, Benchmark, Contender, Figure

DESCRIPTOR_SIZES = (10, 100, 1_000, 5_000)


def curve(kind: str, question: str, sizes: tuple[int, ...]) -> Benchmark:
    """Return the benchmark of one kind: a column for each size."""
    return Benchmark(
        name=f"curve_{kind}",
        question=question,
        contenders=(
            Contender("coshell", "curves_cothread.py", (kind, "greenlet")),
            Contender("cothread", "curves_cothread.py", (kind, "cothread"), "peers"),
            Contender("gevent", "curves_gevent.py", (kind,), "peers"),
            Contender("asyncio", "curves_asyncio.py", (kind,)),
        ),
        figures=tuple(Figure(str(size), f"{size:,}", "µs") for size in sizes),
        repetitions=3,
    )


BENCHMARKS = (
    curve("spawn", "what does one of so many cothreads cost, spawned and waited for?", SIZES),
    curve("timers", "what does one of so many sleeps cost?", SIZES),
    curve("descriptors", "what does an event cost beside so many quiet ones?", DESCRIPTOR_SIZES),
)
