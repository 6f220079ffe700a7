# SPDX-License-Identifier: Apache-2.0
"""What the operator is shown of an exception in a cell: little, and where to find the rest."""

from __future__ import annotations

import difflib
import importlib
import linecache
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import IPython
from IPython.core.error import UsageError

from .colours import tint
from .failures import Failure, line_of

if TYPE_CHECKING:
    from .shell import CoShell

__all__ = ["plain", "short_warnings", "show_short"]

OPERATORS: Final = frozenset({"catools", "cothread", "coshell"})
"""Packages whose exceptions say in their message all that an operator needs."""
SHELL: Final = (
    "<frozen ",
    *(
        f"{directory}{os.sep}"
        for directory in (
            Path(IPython.__file__).parent,
            Path(importlib.__file__).parent,
            *(Path(__file__).parents[2] / name for name in OPERATORS),
        )
    ),
)
"""Where the code is, file by file, that no operator has written."""
PLACES: Final = 5
_UNKNOWN: Final = re.compile(r"(?:Line magic function|Cell magic) `(%%?)(\w+)` not found(.*)")


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
    lines = [line_of(failure, sentence(exc) or failure.summary + failure.hint)]
    if places:
        found = list(_places(without_shell(exc.__traceback__)))
        if len(found) > PLACES:
            left_out = len(found) - PLACES + 1
            found[1 : 1 + left_out] = [f"  … {left_out} more"]
        lines += found
    return "\n".join(lines)


def show_short(shell: CoShell, exc: BaseException) -> None:
    """Show an exception of a cell as a numbered line, and as much more as the shell is set to."""
    if isinstance(exc, UsageError):
        names = shell.magics_manager.lsmagic().values()
        exc = with_near_miss(exc, {name for kind in names for name in kind})
    exc.with_traceback(without_shell(exc.__traceback__))
    failure = shell.failures.keep(f"In [{shell.execution_count - 1}]", exc)
    alone = shell.tracebacks == "line" or isinstance(exc, UsageError) or is_operators(exc)
    shell.say(short(failure, exc, places=not alone), sys.stderr)
    if shell.call_pdb:
        shell.debugger(force=True)


def sentence(exc: BaseException) -> str:
    """Return what a refusal of a magic says; "" for other exceptions.

    It is a sentence of its own: what class it has tells nobody anything.
    """
    if isinstance(exc, UsageError):
        return str(exc)
    says = getattr(exc, "_render_traceback_", None)
    return " ".join(says()) if says is not None else ""


def plain(exc: BaseException) -> str:
    """Return an exception as Python shows it, where nobody sits at a prompt."""
    said = sentence(exc)
    if said:
        return f"{said}\n"
    return "".join(traceback.format_exception(type(exc), exc, without_shell(exc.__traceback__)))


def with_near_miss(refusal: UsageError, known: Iterable[str]) -> UsageError:
    """Return the refusal of an unknown magic, with the one that is written nearly so."""
    missed = _UNKNOWN.match(str(refusal))
    close = difflib.get_close_matches(missed[2], known, 1) if missed else []
    if not missed or not close or "did you mean" in missed[3]:
        return refusal
    return UsageError(
        f"there is no magic {missed[1]}{missed[2]}; did you mean {missed[1]}{close[0]}?"
    )


@contextmanager
def short_warnings() -> Iterator[None]:
    """Have a warning tell in one line what it says and where, in the `with` block."""

    def formatted(
        message: object, category: type[Warning], filename: str, lineno: int, line: object = None
    ) -> str:
        del line
        return f"{category.__name__}: {message} ({Path(filename).name}:{lineno})\n"

    previous = warnings.formatwarning
    setattr(warnings, "formatwarning", formatted)  # noqa: B010  # its type is of one function
    try:
        yield
    finally:
        warnings.formatwarning = previous


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
        yield f"{tint(f'  {name}:{trace.tb_lineno}{function}', '2')}  {source}"
        trace = trace.tb_next
