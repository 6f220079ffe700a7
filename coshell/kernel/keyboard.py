# SPDX-License-Identifier: Apache-2.0
"""What `input()` and `sys.stdin` read: the keyboard, or a pipe, waited for cooperatively."""

from __future__ import annotations

import getpass
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

from cothread.coselect import wait_readable

from .console import Console

__all__ = ["Host", "Keyboard", "LineReader", "whole"]


class Host(Protocol):
    """Whoever can ask the operator for a line with editing."""

    @property
    def can_ask(self) -> bool:
        """Whether that can be done now."""

    def ask(self, message: str, password: bool = False) -> str:
        """Ask, after a prompt; what is typed as a password is not shown."""

    def typed_ahead(self) -> bytes:
        """Take the keys that are kept for the next prompt."""


BLOCK = 65_536


def whole(text: str) -> str:
    """Return a text with a mark in the place of each half of a character.

    Bytes that the terminal's encoding lacks come as such; neither the compiler nor the history
    takes them.
    """
    return text.encode(errors="surrogateescape").decode(errors="replace")


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

    def prime(self, data: bytes) -> None:
        """Put what was read before in front of what will be."""
        self._pending += data

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
        host: asks for a line with editing.
        check: called before anything is read; raises when the caller may not read.
    """

    def __init__(self, console: Console, host: Host, check: Callable[[], object]) -> None:
        self._host = host
        self._check = check
        self._console = console
        self._terminal = console.terminal

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be what programs read in the `with` block."""
        original, sys.stdin = sys.stdin, self
        # The library's own reads the device, with whatever line discipline it finds there.
        unpatched = getpass.getpass
        setattr(getpass, "getpass", self._secret)  # noqa: B010  # newer Pythons have more arguments
        try:
            yield
        finally:
            sys.stdin = original
            getpass.getpass = unpatched

    @cached_property
    def lines(self) -> LineReader:
        """What is typed where it cannot be edited: one reader, so that none keeps another's."""
        return LineReader(self._terminal.source.fileno(), self.encoding)

    def _secret(self, prompt: str = "Password: ", _stream: Any = None, **_: Any) -> str:
        self._check()
        return self._host.ask(prompt, password=True)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's."""
        return self._terminal.encoding

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
        if self._host.can_ask:
            try:
                return f"{self._host.ask(self._console.take_partial())}\n"
            except EOFError:
                return ""
        self._type_ahead()
        with self._console.lending():
            self.lines.again()
            return self.lines.readline()

    def _type_ahead(self) -> None:
        """Take what was typed before the terminal edits lines: afterwards it would lie there."""
        data = self._host.typed_ahead() + self._terminal.typed()
        if data:
            self.lines.prime(data.replace(b"\r", b"\n"))
            self._console.write(data.replace(b"\r", b"\n").decode(self.encoding, "replace"))

    def read(self, size: int | None = -1) -> str:  # noqa: ARG002
        """Return everything typed until Ctrl-D.

        Suspends: until then.
        """
        self._check()
        with self._console.lending():
            self.lines.again()
            return self.lines.read()
