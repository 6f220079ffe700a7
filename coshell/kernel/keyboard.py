# SPDX-License-Identifier: Apache-2.0
"""What `input()` and `sys.stdin` read: the keyboard, or a pipe, waited for cooperatively."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, TypeAlias

from cothread.coselect import wait_readable

from .console import Console

__all__ = ["Ask", "Keyboard", "LineReader"]

Ask: TypeAlias = Callable[[str], str | None]
"""Asks the operator for a line with editing, after a prompt; None when that cannot be done now."""

BLOCK = 65_536


class LineReader:
    """Lines from a descriptor, while all other cothreads go on.

    Args:
        fd: what to read.
        encoding: of the lines; what does not decode is replaced.
    """

    def __init__(self, fd: int, encoding: str = "utf-8") -> None:
        self._fd = fd
        self._encoding = encoding
        self._pending = b""
        self._ended = False

    def readline(self) -> str:
        """Return the next line with its end; "" at the end of input.

        Suspends: unless a whole line is there already.
        """
        while b"\n" not in self._pending and not self._ended:
            self._fill()
        line, newline, self._pending = self._pending.partition(b"\n")
        return (line + newline).decode(self._encoding, "replace")

    def read(self) -> str:
        """Return everything up to the end of input.

        Suspends: until then.
        """
        while not self._ended:
            self._fill()
        text, self._pending = self._pending, b""
        return text.decode(self._encoding, "replace")

    def again(self) -> None:
        """Read on after an end of input: at a terminal that is only Ctrl-D."""
        self._ended = False

    def _fill(self) -> None:
        try:
            wait_readable(self._fd)
        except PermissionError:
            pass  # a plain file cannot be waited for, and need not be
        try:
            block = os.read(self._fd, BLOCK)
        except BlockingIOError:
            return
        self._ended = not block
        self._pending += block


class Keyboard(io.TextIOBase):
    """`sys.stdin` of the shell, so that `input()` lets everything else go on.

    Args:
        console: where the line is typed.
        original: the terminal's own stream.
        ask: reads a line with editing.
        check: called before anything is read; raises when the caller may not read.
    """

    def __init__(
        self, console: Console, original: Any, ask: Ask, check: Callable[[], object]
    ) -> None:
        self._ask = ask
        self._check = check
        self._console = console
        self._original = original
        self._lines = LineReader(int(original.fileno()), console.terminal.encoding)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's."""
        return self._console.terminal.encoding

    def isatty(self) -> bool:
        """Return True: somebody sits at it."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Refuse.

        Raises:
            io.UnsupportedOperation: always.
        """
        # Without a number, the built-in input() comes to `readline` instead of reading by itself.
        raise io.UnsupportedOperation("the shell's keyboard has no descriptor of its own")

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]  # noqa: ARG002
        """Return the next line typed.

        Suspends: until then.
        """
        self._check()
        try:
            line = self._ask(self._console.take_partial())
        except EOFError:
            return ""
        if line is not None:
            return f"{line}\n"
        with self._console.lending():
            self._lines.again()
            return self._lines.readline()

    def read(self, size: int | None = -1) -> str:  # noqa: ARG002
        """Return everything typed until Ctrl-D.

        Suspends: until then.
        """
        self._check()
        with self._console.lending():
            self._lines.again()
            return self._lines.read()
