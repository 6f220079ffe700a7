# SPDX-License-Identifier: Apache-2.0
"""Qt beside cothreads: what does it cost when nothing happens, and who is late when something does?

cothread 2.20 crashes in iqt() on Python 3.11: `COSHELL_PEERS_PYTHON` must name an interpreter of
another version (3.12 was used) that has cothread and PyQt5.  It polls every 50 ms.
"""

from functools import partial

from ..harness import Benchmark, Contender, Figure, Goal
from ..servers import instruments

PROGRAM = "qt_waking.py"
SHELL = "qt_windows.py"

BENCHMARKS = (
    Benchmark(
        name="qt_waking",
        question="Qt and cothreads on one thread: idle wake-ups, and how late is whom?",
        contenders=(
            Contender("coshell", PROGRAM, ("greenlet",)),
            Contender("cothread", PROGRAM, ("cothread",), "peers"),
        ),
        figures=(
            Figure("idle_wakes", "idle wake-ups", "/s"),
            Figure("idle_cpu_ms", "idle", "ms/s"),
            Figure("slot_ms", "slot late p50", "ms"),
            Figure("slot_max_ms", "max", "ms"),
            Figure("sleep_ms", "Sleep late p50", "ms"),
            Figure("sleep_max_ms", "max", "ms"),
            Figure("told_ms", "slot wakes cothread p50", "ms"),
            Figure("told_max_ms", "max", "ms"),
        ),
        goals=(
            Goal("idle_wakes", None, 2.0),
            Goal("sleep_ms", "cothread", 5.0),
            Goal("told_ms", "cothread", 5.0),
        ),
        repetitions=3,
        note="cothread polls Qt every 50 ms",
    ),
    Benchmark(
        name="qt_latency",
        question="Qt or cothreads are busy: how late are the others?",
        contenders=(Contender("coshell", "qt_latency.py"),),
        figures=(
            Figure("nap_ms", "Sleep(0.002) late", "ms"),
            Figure("nap_us", "costs", "µs"),
            Figure("beside_ms", "late beside a 0 ms timer", "ms"),
            Figure("busy_ms", "slot late beside cothreads that yield", "ms"),
            Figure("thread_ms", "call from a thread", "ms"),
        ),
        repetitions=3,
    ),
    Benchmark(
        name="qt_pictures",
        question="what does a picture of a window cost?",
        contenders=(Contender("coshell", "qt_pictures.py"),),
        figures=(
            Figure("table_ms", "table of 50 PVs", "ms"),
            Figure("chart_ms", "chart of 10 curves and an array", "ms"),
        ),
        repetitions=3,
    ),
    Benchmark(
        name="qt_windows",
        question="what does the prompt feel of windows, and how often are they drawn?",
        contenders=(
            Contender("table and chart", SHELL, ("both",)),
            Contender("table", SHELL, ("table",)),
            Contender("chart", SHELL, ("chart",)),
            Contender("no window", SHELL, ("nothing",)),
        ),
        figures=(
            Figure("p50_ms", "echo p50", "ms"),
            Figure("p99_ms", "echo p99", "ms"),
            Figure("table", "table", "pictures/s"),
            Figure("chart", "chart", "pictures/s"),
            Figure("load", "load", "% of a core"),
        ),
        goals=(Goal("p99_ms", None, 30.0), Goal("chart", None, 15.0, more=True)),
        repetitions=2,
        setting=partial(instruments, 50, 1_000, 20.0),
        note="50 PVs at 10 Hz in the table, ten of them in the chart, an array of 1,000 at 20 Hz",
    ),
)
