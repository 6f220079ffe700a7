# SPDX-License-Identifier: Apache-2.0
"""Options of the command line that are not coshell's own: IPython's, or nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from IPython.terminal.ipapp import TerminalIPythonApp

__all__ = ["refusal"]


def refusal(words: Sequence[str], own: Iterable[str]) -> str:
    """Return what is said to the first option that nobody knows, and "" if there is none.

    IPython would answer with all its own.

    Args:
        words: what is left of the command line.
        own: coshell's options, for a near miss.
    """
    # Their keys are names, or tuples of a long one and a short one.
    theirs: list[Any] = [*TerminalIPythonApp.flags, *TerminalIPythonApp.aliases]
    known = {
        f"{'-' if len(name) == 1 else '--'}{name}"
        for names in theirs
        for name in (names if isinstance(names, tuple) else (names,))
    }
    known.update(own)
    for word in words:
        name = word.partition("=")[0]
        # With a point it is a setting, such as --CoShell.tracebacks=line.
        if name.startswith("-") and "." not in name and name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}? " if close else ""
            return f"there is no option {name}; {hint}--help and --ipython-help list them"
    return ""
