# SPDX-License-Identifier: Apache-2.0
"""What do names cost that nobody serves: in processor time, datagrams and memory?

All of them are asked for at once; measured is what comes after the client has made its channels.
"""

from ..harness import Benchmark, Contender, Figure
from ..servers import silence

ARGUMENTS = ("100000", "20")

BENCHMARKS = (
    Benchmark(
        name="missing_names",
        question="what do 100,000 names cost that nobody serves?",
        contenders=(
            Contender("coshell", "missing_cothread.py", ARGUMENTS),
            Contender("cothread", "missing_cothread.py", ARGUMENTS, "peers"),
            Contender("aioca", "missing_aioca.py", ARGUMENTS, "peers"),
        ),
        figures=(
            Figure("load", "load", "% of a core"),
            Figure("datagrams", "datagrams", "1/s"),
            Figure("memory_kb", "memory", "kB/name"),
        ),
        repetitions=1,
        setting=silence,
    ),
)
