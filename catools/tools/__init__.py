# SPDX-License-Identifier: Apache-2.0
"""caget, caput, camonitor, cainfo and pvtree for the command line.

Thin over the Python functions; flags and output follow the tools of EPICS base, those of pvtree
the program `pvtree.py` of Diamond's cothread. The exit status is 0 when all went well, and 1 when
some PV failed or the command line was wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from . import get, hints, info, monitor, put, tree

__all__ = ["TOOLS", "main"]

TOOLS: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "caget": get.main,
    "caput": put.main,
    "camonitor": monitor.main,
    "cainfo": info.main,
    "pvtree": tree.main,
}

HELP: Final = """\
usage: python -m catools TOOL [ARGUMENT ...]

Read, write and watch the PVs of an EPICS control system.

tools:
  caget PV ...       read
  caput PV VALUE     write, and show the old and the new value
  camonitor PV ...   a line for each update, until Ctrl-C
  cainfo PV ...      who serves it, of what type, with which rights
  pvtree PV          where a record takes its value from

'TOOL -h' explains the flags of each; they are those of EPICS base."""


def main(argv: Sequence[str] | None = None, known: Callable[[], Iterable[str]] = tuple) -> int:
    """Run a tool.

    Args:
        argv: the name of the tool and its arguments; by default those of this process.
        known: returns names of PVs that a mistyped one may have meant; called when one is missing.
    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ("-h", "--help"):
        print(HELP)
        return 0
    tool = TOOLS.get(words[0]) if words else None
    if tool is None:
        wanted = f"there is no tool {words[0]!r}." if words else "which tool?"
        print(f"catools: {wanted} There are {', '.join(TOOLS)}; -h explains.", file=sys.stderr)
        return 1
    try:
        status = tool(words[1:])
        sys.stdout.flush()
        if status == 1:
            for hint in hints.of_names(known):
                print(hint, file=sys.stderr)
        return status
    except BrokenPipeError:
        # Whoever reads has seen enough, as in `caget ... | head`; what is left has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
