# SPDX-License-Identifier: Apache-2.0
"""What does an update of a monitor cost, how late is it, and is any lost?

Every update goes to a callback (FORMAT_TIME, all_updates).  10,000 records of a real IOC count up
ten times a second: 100,000 updates/s are offered.  They come in bursts, as one scan thread of the
IOC processes them all; the lag is from the record's time stamp to the callback, so it contains the
time that the IOC takes to send a burst.  The C program that prints does per update what camonitor
does, to /dev/null.  How much a client can take at the very most is asked with
a server that floods it from one block of 1,000 updates, sent over and over.
"""

from functools import partial

from ..harness import Benchmark, Contender, Figure, Goal
from ..servers import PREFIX, counting, flood

SECONDS = "5"


def contenders(count: int, kind: str, without: str = "") -> tuple[Contender, ...]:
    """Return all clients, with a callback that only counts (plain) or that misses lost ones."""
    arguments = ("updates", PREFIX, str(count), kind, SECONDS)
    clients = (
        Contender("coshell", "access_cothread.py", arguments),
        Contender("cothread", "access_cothread.py", arguments, "peers"),
        Contender("aioca", "access_aioca.py", arguments, "peers"),
        Contender("pyepics", "access_pyepics.py", arguments, "peers"),
        Contender("C libca", "access_libca.c", arguments, "native"),
    )
    return tuple(client for client in clients if client.name not in without)


PRINTING = Contender(
    "C, printing", "access_libca.c", ("updates", PREFIX, "5000", "printed", SECONDS), "native"
)

BENCHMARKS = (
    Benchmark(
        name="update_cost",
        question="what does an update cost at 50,000 updates/s?",
        contenders=(*contenders(5_000, "plain"), PRINTING),
        figures=(
            Figure("cpu_us", "processor", "µs/update"),
            Figure("rate", "delivered", "1/s"),
            Figure("load", "load", "% of a core"),
        ),
        goals=(
            Goal("cpu_us", "cothread", 15.0),
            Goal("cpu_us", "aioca", 15.0),
            Goal("cpu_us", "C, printing", 1.0),
        ),
        repetitions=3,
        setting=partial(counting, 5_000, ".1 second"),
    ),
    Benchmark(
        name="update_lag",
        question="how late are updates when 100,000 a second are offered, and how many are lost?",
        contenders=contenders(10_000, "checked"),
        figures=(
            Figure("p50_ms", "lag p50", "ms"),
            Figure("p99_ms", "lag p99", "ms"),
            Figure("lost", "lost", ""),
            Figure("rate", "delivered", "1/s"),
            Figure("load", "load", "% of a core"),
        ),
        goals=(
            Goal("p99_ms", None, 50.0),
            Goal("lost", None, 0.0),
            Goal("rate", None, 99_000.0, more=True),
        ),
        repetitions=3,
        setting=partial(counting, 10_000, ".1 second"),
    ),
    Benchmark(
        name="update_rate",
        question="how many updates a second can one client take at the very most?",
        contenders=contenders(1_000, "plain"),
        figures=(
            Figure("rate", "delivered", "1/s"),
            Figure("cpu_us", "processor", "µs/update"),
        ),
        goals=(Goal("rate", "cothread", 1.0, more=True),),
        repetitions=3,
        setting=partial(flood, 1_000),
    ),
)
