# SPDX-License-Identifier: Apache-2.0
"""How long does importing the libraries take, and does it start anything?"""

from ..harness import Benchmark, Contender, Figure, Goal

FIGURES = (
    Figure("wall_ms", "wall", "ms"),
    Figure("memory_kb", "memory", "kB"),
    Figure("threads", "threads after", ""),
)

BENCHMARKS = (
    Benchmark(
        name="import_cothread",
        question="how long does importing the scheduler take?",
        contenders=(
            Contender("coshell", "importing.py", ("cothread",)),
            Contender("cothread", "importing.py", ("cothread", "cothread"), "peers"),
            Contender("gevent", "importing.py", ("gevent", "gevent"), "peers"),
            Contender("asyncio", "importing.py", ("asyncio",)),
        ),
        figures=FIGURES,
        goals=(Goal("wall_ms", "cothread", 1.0), Goal("threads", None, 1.0)),
    ),
    Benchmark(
        name="import_catools",
        question="how long does importing the Channel Access client take?",
        contenders=(
            Contender("coshell", "importing.py", ("catools",)),
            Contender("cothread", "importing.py", ("cothread.catools", "cothread"), "peers"),
            Contender("aioca", "importing.py", ("aioca", "aioca"), "peers"),
            Contender("pyepics", "importing.py", ("epics", "pyepics"), "peers"),
        ),
        figures=FIGURES,
        goals=(Goal("wall_ms", "cothread", 1.0), Goal("threads", None, 1.0)),
    ),
)
