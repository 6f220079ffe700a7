# SPDX-License-Identifier: Apache-2.0
"""What the operator is shown of an exception in a cell: little, and where to find the rest."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

import IPython

import cothread

from .failures import Failure, line_of, summarise

__all__ = ["is_operators", "short", "without_shell"]

OPERATORS: Final = frozenset({"catools", "cothread", "coshell"})
"""Packages whose exceptions say in their message all that an operator needs."""
SHELL: Final = tuple(
    str(Path(file).parent) + os.sep for file in (IPython.__file__, cothread.__file__, __file__)
)
"""Directories of those that run a cell, and what it calls; no operator has written them."""
PLACES: Final = 5


def is_operators(exc: BaseException) -> bool:
    """Return whether the message of an exception is meant for operators, and is enough."""
    return type(exc).__module__.partition(".")[0] in OPERATORS


def without_shell(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of whoever ran the cell."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(SHELL):
        trace = trace.tb_next
    return trace


def short(failure: Failure, exc: BaseException, *, places: bool) -> str:
    """Return an exception as one line, then the places that led to it.

    Args:
        places: whether to show them.
    """
    # A refusal of a magic is a sentence of its own: what class it has tells nobody anything.
    says = getattr(exc, "_render_traceback_", None)
    lines = [line_of(failure, " ".join(says()) if says is not None else summarise(exc))]
    if places:
        found = list(_places(without_shell(exc.__traceback__)))
        if len(found) > PLACES:
            left_out = len(found) - PLACES + 1
            found[1 : 1 + left_out] = [f"  … {left_out} more"]
        lines += found
    return "\n".join(lines)


def _places(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(SHELL):
            trace = trace.tb_next
            continue
        source = linecache.getline(code.co_filename, trace.tb_lineno).strip()
        name = code.co_filename.rpartition("/")[2]
        if name.startswith("<ipython-input-"):
            name = f"In [{name.split('-')[2]}]"
        function = "" if code.co_name == "<module>" else f" in {code.co_name}"
        yield f"\x1b[2m  {name}:{trace.tb_lineno}{function}\x1b[m  {source}"
        trace = trace.tb_next
