# SPDX-License-Identifier: Apache-2.0
"""`%coshell`: the guide on one screen."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["GUIDE", "load_ipython_extension"]

GUIDE: Final = """\
Read, write   %caget PV...      %caput PV VALUE      %cainfo PV       caget('PV') in Python
Watch         %camonitor PV...  live below the prompt; -d PV takes one out; alone it lists
Many PVs      SR-BPM-{01..12}:{X,Y} stands for 24 names; Tab completes names, fields, states
Background    Spawn(function, ...)  or  %spawn expression  or  %%spawn for a cell
Jobs          %jobs   %out 3   %fg 3 (Ctrl-Z leaves)   %kill 3   %result 3   jobs[3]
Waiting       sleep(2), input('? '), !command, await ...: jobs and panels go on meanwhile;
              time.sleep() stops them all
Ctrl-C        clears the line; in a cell interrupts the cell, never a job; PAUSED names a job
              that holds everything: Ctrl-C breaks it
Failures      one red line with a number; %why 3 shows the traceback
Help          %NAME -h for each magic, NAME? for everything else; exit or Ctrl-D leaves
"""


def load_ipython_extension(shell: Any) -> None:
    """Give a shell the magic."""

    def coshell(line: str) -> None:
        """Show what can be done here, on one screen."""
        del line
        print(GUIDE, end="")

    shell.register_magic_function(coshell, "line", "coshell")
