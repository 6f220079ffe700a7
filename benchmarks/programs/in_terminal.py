# SPDX-License-Identifier: Apache-2.0
"""A shell in a terminal: `in_terminal.py prompt|echo|idle ipython|coshell [what goes on]`."""

from __future__ import annotations

import sys

from measuring import report

from benchmarks.servers import PREFIX
from benchmarks.shell import LINES, OURS, STOCK, echo, first_prompt, idle

ROWS = 25
QUIET_ROWS = 20
MONITORED = 5_000


def dock(rows: int) -> str:
    """Return a cell that shows the first PVs below the prompt."""
    return (
        f"names = ['{PREFIX}' + str(number) for number in range({MONITORED})]\n"
        f"get_ipython().run_line_magic('camonitor', ' '.join(names[:{rows}]))\n"
    )


UPDATES = """\
from catools import FORMAT_TIME, camonitor
monitors = camonitor(names, lambda value, index: None, format=FORMAT_TIME, all_updates=True)
"""
ACTIVITY = {
    "nothing": "",
    "lines": LINES,
    "dock": dock(ROWS),
    "quiet dock": dock(QUIET_ROWS),
    "updates": dock(ROWS) + UPDATES,
}

work, who = sys.argv[1:3]
command = OURS if who == "coshell" else STOCK
setup = ACTIVITY[sys.argv[3] if len(sys.argv) > 3 else "nothing"]
if work == "prompt":
    first_prompt(command)
    report("ipython", "prompt_toolkit", wall_s=first_prompt(command))
elif work == "echo":
    times_s = sorted(echo(command, setup, rows=50))
    report(
        p50_ms=times_s[len(times_s) // 2] * 1e3,
        p99_ms=times_s[len(times_s) * 99 // 100] * 1e3,
    )
else:
    report(load=idle(command, setup) / 10)
