# SPDX-License-Identifier: Apache-2.0
"""Does the shell feel like a stock IPython, whatever goes on in it?

Both run in a pseudo terminal.  The first prompt is there when it is on the emulated screen; the
echo of a key is timed from writing it to reading its character back.
"""

from functools import partial

from ..harness import Benchmark, Contender, Figure, Goal
from ..servers import counting, records

PROGRAM = "in_terminal.py"
ECHO = (Figure("p50_ms", "echo p50", "ms"), Figure("p99_ms", "echo p99", "ms"))

BENCHMARKS = (
    Benchmark(
        name="first_prompt",
        question="how long from the start to the first prompt?",
        contenders=(
            Contender("coshell", PROGRAM, ("prompt", "coshell")),
            Contender("stock IPython", PROGRAM, ("prompt", "ipython")),
        ),
        figures=(Figure("wall_s", "first prompt", "s"),),
        goals=(Goal("wall_s", "stock IPython", 0.8),),
        repetitions=7,
    ),
    Benchmark(
        name="key_echo",
        question="how long does a key take to appear, with 25 PVs docked and 50,000 updates/s?",
        contenders=(
            Contender("coshell, dock and 50k/s", PROGRAM, ("echo", "coshell", "updates")),
            Contender("coshell, dock", PROGRAM, ("echo", "coshell", "dock")),
            Contender("coshell, 5,000 lines/s", PROGRAM, ("echo", "coshell", "lines")),
            Contender("coshell, idle", PROGRAM, ("echo", "coshell")),
            Contender("stock IPython", PROGRAM, ("echo", "ipython")),
        ),
        figures=ECHO,
        goals=(Goal("p99_ms", "stock IPython", 1 / 3),),
        repetitions=3,
        setting=partial(counting, 5_000, ".1 second"),
        note="the dock's rows change ten times a second; stock IPython is idle",
    ),
    Benchmark(
        name="idle_shell",
        question="what does a shell cost in which nothing happens, with 20 quiet PVs docked?",
        contenders=(
            Contender("coshell, 20 quiet PVs", PROGRAM, ("idle", "coshell", "quiet dock")),
            Contender("coshell", PROGRAM, ("idle", "coshell")),
            Contender("stock IPython", PROGRAM, ("idle", "ipython")),
        ),
        figures=(Figure("load", "load", "% of a core"),),
        goals=(Goal("load", "stock IPython", 1.0),),
        repetitions=3,
        setting=records,
    ),
)
