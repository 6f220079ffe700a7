# SPDX-License-Identifier: Apache-2.0
"""`%%bash`, `%%script` and their kin: cothreads and panels run on while their program does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, MutableMapping
from functools import wraps
from subprocess import PIPE, CalledProcessError
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magics.script import ScriptMagics
from IPython.utils.process import arg_split  # type: ignore[attr-defined]

from coshell.kernel.programs import Programs, communicate, decoded

__all__ = ["ScriptCells", "load_ipython_extension", "unload_ipython_extension"]

ENDS: Final = {-signal.SIGTERM: "terminated", -signal.SIGKILL: "killed"}


class ScriptCells(ScriptMagics):
    """IPython's magics, with a wait that suspends only the cothread that runs the cell."""

    shell: Any

    @wraps(ScriptMagics.shebang)
    def shebang(self, line: str, cell: str) -> None:
        """Give a cell to a program: what `%%script` and its kin do.

        Suspends: until the program ends.
        """
        parser: Any = self.shebang.parser  # type: ignore[attr-defined]
        args, command = parser.parse_known_args(arg_split(line, posix=True))
        if args.bg:
            super().shebang(line, cell)
            return
        variables: MutableMapping[str, Any] = self.shell.user_ns
        show = [
            decoded(_shower("stdout") if args.out is None else _keeper(variables, args.out)),
            decoded(_shower("stderr") if args.err is None else _keeper(variables, args.err)),
        ]
        programs: Programs = self.shell.programs
        try:
            process = programs.start(command, stdin=PIPE, stderr=PIPE)
        except FileNotFoundError:
            print(f"Couldn't find program: {command[0]!r}")
            return
        text = cell if cell.endswith("\n") else f"{cell}\n"
        try:
            communicate(process, text.encode("utf-8", "replace"), *show)
        except KeyboardInterrupt:
            print(f"Process was {ENDS.get(process.returncode, 'interrupted')}.")
        if args.raise_error and process.returncode:
            raise CalledProcessError(process.returncode, text)


def _shower(stream: str) -> Callable[[str], object]:
    def show(text: str) -> None:
        file = getattr(sys, stream)
        file.write(text)
        file.flush()

    return show


def _keeper(variables: MutableMapping[str, Any], name: str) -> Callable[[str], object]:
    variables[name] = ""

    def keep(text: str) -> None:
        variables[name] += text

    return keep


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give the magics to a shell that has `programs`."""
    _register(shell, ScriptCells)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Give IPython its own back."""
    _register(shell, ScriptMagics)


def _register(shell: Any, magics: type[ScriptMagics]) -> None:
    shell.register_magics(magics)
