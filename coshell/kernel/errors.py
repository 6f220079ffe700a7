# SPDX-License-Identifier: Apache-2.0
"""Descriptor 2, where libraries written in C complain: read, and shown as whole lines.

While it is captured it is a pipe, which never makes a writer wait: the one who would read it may be
the one who writes.  What does not fit is lost.  `faulthandler` and the programs that are given the
terminal keep the terminal itself.

A library that ends the program, with `abort` say, writes why just before: nobody is left here to
read it.  A small program that waits for nothing else shows it then.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from cothread import Spawn, Timedout
from cothread.coselect import wait_readable

from .terminal import Terminal

__all__ = ["CapturedErrors"]

ERRORS: Final = 2
CAPACITY: Final = 1 << 20
BLOCK: Final = 65_536
UNFINISHED_S: Final = 0.2
"""How long the rest of a line is waited for before what there is of it is shown."""
LONGEST: Final = 65_536
LAST_WORDS: Final = "trap '' INT QUIT TERM HUP TSTP TTOU; read -r _; exec cat <&2"
"""Standard input ends with this program, standard error is the pipe: there to be read."""
_F_SETPIPE_SZ: Final = getattr(fcntl, "F_SETPIPE_SZ", None)


class CapturedErrors:
    """Takes what is written to descriptor 2, if that is the operator's terminal.

    Args:
        show: is given whole lines, without their ends.

    Attributes:
        terminal_fd: the terminal while descriptor 2 is something else, otherwise None.
    """

    def __init__(self, terminal: Terminal, show: Callable[[str], object]) -> None:
        self.terminal_fd: int | None = None
        self._terminal = terminal
        self._show = show
        self._source: int | None = None
        self._partial = b""

    @contextmanager
    def captured(self) -> Iterator[None]:
        """Capture in the `with` block.

        Raises:
            OSError: there are no descriptors left.
        """
        if not self._terminal.paints or not self._is_terminal():
            yield
            return
        source, sink = os.pipe()
        self.terminal_fd = os.dup(ERRORS)
        os.set_blocking(sink, False)
        if _F_SETPIPE_SZ is not None:
            with suppress(OSError):
                fcntl.fcntl(sink, _F_SETPIPE_SZ, CAPACITY)
        traced = faulthandler.is_enabled()
        faulthandler.enable(self.terminal_fd)
        os.dup2(sink, ERRORS)
        os.close(sink)
        os.set_blocking(source, False)
        self._source = source
        reader = Spawn(self._read, source)
        reader.name = "errors of C libraries"
        try:
            with _showing_last_words(source, self.terminal_fd):
                yield
        finally:
            reader.Cancel()
            os.dup2(self.terminal_fd, ERRORS)
            if traced:
                faulthandler.enable(ERRORS)
            else:
                faulthandler.disable()
            os.close(self.terminal_fd)
            self.terminal_fd = None
            self.drain()
            self._source = None
            os.close(source)

    def drain(self) -> bool:
        """Show what was written until now, also what is no whole line.

        Returns:
            True when there was anything.
        """
        if self._source is None or not (self._take(self._source) or self._partial):
            return False
        while self._take(self._source):
            pass
        self._finish()
        return True

    def _is_terminal(self) -> bool:
        try:
            return os.fstat(ERRORS).st_rdev == os.fstat(self._terminal.fileno()).st_rdev
        except OSError:
            return False

    def _read(self, source: int) -> None:
        while True:
            try:
                wait_readable(source, UNFINISHED_S if self._partial else None)
            except Timedout:
                self._finish()
            else:
                self._take(source)

    def _take(self, source: int) -> bool:
        """Show the whole lines of a block; False when there is none."""
        try:
            block = os.read(source, BLOCK)
        except BlockingIOError:
            return False
        *lines, self._partial = (self._partial + block).split(b"\n")
        for line in lines:
            self._show(line.decode(self._terminal.encoding, "replace"))
        if len(self._partial) > LONGEST:
            self._finish()
        return bool(block)

    def _finish(self) -> None:
        partial, self._partial = self._partial, b""
        if partial:
            self._show(partial.decode(self._terminal.encoding, "replace"))


@contextmanager
def _showing_last_words(source: int, terminal: int) -> Iterator[None]:
    """Have what is left in a pipe shown, should this program end in the `with` block."""
    heart, beat = os.pipe()
    try:
        mourner = subprocess.Popen(
            ("/bin/sh", "-c", LAST_WORDS),
            stdin=heart,
            stdout=terminal,
            stderr=source,
            process_group=0,
        )
    except OSError:
        mourner = None
    finally:
        os.close(heart)
    try:
        yield
    finally:
        if mourner is not None:
            mourner.kill()
            mourner.wait()
        os.close(beat)
