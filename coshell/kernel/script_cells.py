# SPDX-License-Identifier: Apache-2.0
"""`%%bash`, `%%script` and their kin: cothreads and panels run on while their program does."""

from __future__ import annotations

import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, MutableMapping
from functools import wraps
from subprocess import PIPE, CalledProcessError, Popen
from typing import Any, Final

from IPython.core.magics.script import ScriptMagics
from IPython.utils.process import arg_split  # type: ignore[attr-defined]

from cothread import Timedout

from .programs import communicate, wait_for

__all__ = ["ScriptCells"]

GRACE_S: Final = 0.1
"""How long a program may take to end after it was asked to, before it is asked less kindly."""
REQUESTS: Final = (
    (signal.SIGINT, "interrupted"),
    (signal.SIGTERM, "terminated"),
    (signal.SIGKILL, "killed"),
)


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
            _text(_shower("stdout") if args.out is None else _keeper(variables, args.out)),
            _text(_shower("stderr") if args.err is None else _keeper(variables, args.err)),
        ]
        try:
            process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        except FileNotFoundError:
            print(f"Couldn't find program: {command[0]!r}")
            return
        text = cell if cell.endswith("\n") else f"{cell}\n"
        try:
            communicate(process, text.encode("utf-8", "replace"), *show)
            status = wait_for(process)
        except BaseException as reason:
            how = _end(process)
            if not isinstance(reason, KeyboardInterrupt):
                raise
            print(f"Process was {how}.")
            status = process.returncode
        if args.raise_error and status:
            raise CalledProcessError(status, text)


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


def _text(take: Callable[[str], object]) -> Callable[[bytes], object]:
    """Return what decodes the blocks of a stream, however they were cut, and hands them on."""
    decoder = getincrementaldecoder("utf-8")("replace")

    def decode(block: bytes) -> None:
        text = decoder.decode(block, final=not block)
        if text:
            take(text)

    return decode


def _end(process: Popen[bytes]) -> str:
    """End a program, and return in a word what that took.

    Suspends: until it has ended.
    """
    for number, how in REQUESTS:
        process.send_signal(number)
        try:
            wait_for(process, GRACE_S)
        except Timedout:
            continue
        return how
    wait_for(process)
    return how
