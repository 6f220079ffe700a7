# SPDX-License-Identifier: Apache-2.0
"""`%coshell`: the guide on one screen."""

from __future__ import annotations

from typing import Any, Final

from IPython.core.page import page

__all__ = ["GUIDE", "load_ipython_extension"]

GUIDE: Final = """\
Read, write  %caget PV...  %caput PV VALUE  %cainfo PV  caget('PV') in Python
Watch        %camonitor PV...  live below the prompt; -d PV takes one out;
             --screen, --log and --qt show it elsewhere
Curves       %caplot PV...  below the prompt, while it runs; --since 10m, --qt
Panels       %panels lists, keeps, opens and hides what you watch
Many PVs     SR-BPM-{01..12}:{X,Y} is 24 names, SR-*:X all that are known so;
             %pvs searches them; Tab completes names, fields, states, options
Background   %spawn expression, %%spawn for a cell, Spawn(function, ...)
Jobs         %jobs  %out 3  %fg 3 (Ctrl-Z leaves)  %kill 3  %result 3  jobs[3]
Waiting      sleep(2), input('? '), !command, await ...: jobs and panels go on;
             time.sleep() stops them all
Ctrl-C       clears the line; in a cell interrupts the cell, never a job;
             PAUSED names a job that holds everything: Ctrl-C breaks it
Failures     one red line with a number; %why 3 shows the traceback
Help         %NAME -h for a magic, NAME? for the rest; exit or Ctrl-D leaves
"""


def load_ipython_extension(shell: Any) -> None:
    """Give a shell the magic."""

    def coshell(line: str) -> None:
        del line
        page({"text/plain": GUIDE.rstrip()})

    coshell.__doc__ = f"Show what can be done here, on one screen.\n\n{GUIDE}"
    shell.register_magic_function(coshell, "line", "coshell")
