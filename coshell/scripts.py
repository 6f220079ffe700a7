# SPDX-License-Identifier: Apache-2.0
"""Scripts: run on the scheduler, with the exit status that Python would give."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coshell import requirements

if TYPE_CHECKING:
    from coshell.kernel.shell import CoShell

__all__ = ["exit_status", "run_script", "run_text"]

INTERRUPTED = 130
NOT_FOUND = 2


def run_script(path: str, args: Sequence[str]) -> int:
    """Run a Python script as the main program.

    Returns:
        Its exit status: 0, what it gave to `sys.exit`, 1 after an exception, 130 after Ctrl-C.
    """
    if said := _no_script(Path(path)):
        print(f"coshell: can't open file {path!r}: {said}", file=sys.stderr)
        return NOT_FOUND
    requirements.install()
    with arguments([path, *args]):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as ending:
            return status_of(ending)
        except KeyboardInterrupt:
            return INTERRUPTED
        except BaseException as failure:
            _show(failure)
            return 1
    return 0


def _no_script(path: Path) -> str:
    """Return why a path is nothing to run, or nothing."""
    if not path.exists():
        return "no such file"
    if path.is_dir() and not (path / "__main__.py").exists():
        return "a directory without __main__.py"
    return "" if os.access(path, os.R_OK) else "permission denied"


def run_text(shell: CoShell, path: str, args: Sequence[str]) -> int:
    """Run a file in the shell's own namespace, IPython syntax and magics included.

    Returns:
        The exit status.
    """
    requirements.install()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as failure:
        said = getattr(failure, "strerror", None) or "it is not UTF-8"
        print(f"coshell: can't open file {path!r}: {said}", file=sys.stderr)
        return NOT_FOUND
    with arguments([path, *args]):
        return exit_status(shell.run_cell(text))


def exit_status(result: Any) -> int:
    """Return the exit status that tells how a cell ended."""
    failure = result.error_before_exec or result.error_in_exec
    if failure is None:
        return 0
    if isinstance(failure, SystemExit):
        return status_of(failure)
    return INTERRUPTED if isinstance(failure, KeyboardInterrupt) else 1


def status_of(ending: SystemExit) -> int:
    """Return the exit status of a SystemExit, printing its message if it has one."""
    if ending.code is None:
        return 0
    if isinstance(ending.code, int):
        return ending.code
    print(ending.code, file=sys.stderr)
    return 1


@contextmanager
def arguments(words: list[str]) -> Iterator[None]:
    """Be the program of these arguments in the `with` block."""
    argv, path = sys.argv, sys.path[:]
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).resolve().parent))
    try:
        yield
    finally:
        sys.argv = argv
        sys.path[:] = path


def _show(failure: BaseException) -> None:
    """Print a traceback without the frames of whoever ran the script."""
    import traceback

    trace = failure.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(("<frozen", __file__)):
        trace = trace.tb_next
    traceback.print_exception(type(failure), failure, trace)
