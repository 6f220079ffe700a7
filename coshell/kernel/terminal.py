# SPDX-License-Identifier: Apache-2.0
"""The terminal device: its size, its line discipline, and the only place that writes to it."""

from __future__ import annotations

import fcntl
import os
import select
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from .colours import strip
from .outflow import Outflow

__all__ = ["Terminal"]

_IFLAG, _LFLAG, _CC = 0, 3, 6


class Terminal:
    """The terminal the operator sits at.

    Three line disciplines: *raw* belongs to the prompt (prompt_toolkit sets it), *watch* is kept
    while a cell runs (no echo and no line editing, so that type-ahead reaches the next prompt
    untouched, but Ctrl-C is a signal), *cooked* is lent to programs that expect a plain terminal.

    Args:
        source: standard input.
        sink: standard output.
    """

    def __init__(self, source: TextIO | None = None, sink: TextIO | None = None) -> None:
        self.source: Any = source or sys.__stdin__
        self.sink: Any = sink or sys.__stdout__
        self.encoding: str = getattr(self.sink, "encoding", None) or "utf-8"
        self.interactive = _is_tty(self.source) and _is_tty(self.sink)
        self.dumb = os.environ.get("TERM", "").lower() in {"", "dumb", "unknown"}
        self._cooked = self._attributes()
        self._fd: int | None = None
        self._outflow: Outflow | None = None

    @property
    def paints(self) -> bool:
        """True when lines can be redrawn in place here."""
        return self.interactive and not self.dumb

    def size(self) -> tuple[int, int]:
        """Return (columns, rows); 80 by 24 where the terminal does not say."""
        try:
            columns, rows = os.get_terminal_size(self.fileno())
        except (OSError, ValueError):
            columns, rows = 0, 0
        return columns or 80, rows or 24

    def fileno(self) -> int:
        """Return the descriptor written to."""
        if self._fd is None:
            self._fd = int(self.sink.fileno())
        return self._fd

    def write(self, text: str) -> None:
        """Write all of `text`, what the encoding lacks as question marks."""
        try:
            fd = self.fileno()
        except (OSError, ValueError, AttributeError):
            self.sink.write(text)
            return
        data = memoryview(text.encode(self.encoding, "replace"))
        if self._outflow is not None:
            self._outflow.write(data)
            return
        while data:
            try:
                data = data[os.write(fd, data) :]
            except BlockingIOError:
                # Some other program made the terminal non-blocking, and it shares the setting.
                select.select([], [fd], [])

    def print(self, text: str) -> None:
        """Write to what is no terminal, after what was printed already."""
        self.sink.write(strip(text))
        self.sink.flush()

    @contextmanager
    def unhurried(self, on_stall: Callable[[], object]) -> Iterator[None]:
        """Have nobody wait for a terminal that does not read, in the `with` block.

        Args:
            on_stall: called when it stops reading; then `resume` is to be called now and then.
        """
        self._outflow = Outflow(self.fileno(), on_stall)
        try:
            yield
        finally:
            outflow, self._outflow = self._outflow, None
            outflow.close()

    @property
    def stalled(self) -> bool:
        """Whether the terminal has not read yet what was written."""
        return self._outflow is not None and self._outflow.stalled

    def resume(self) -> bool:
        """Write what waits for a stalled terminal; True while something still does."""
        return self._outflow is not None and self._outflow.resume()

    def typed(self) -> bytes:
        """Take what was typed and nobody has read; b"" when there is nothing.

        Thread: any.
        """
        fd = self.source.fileno()
        data = b""
        with suppress(OSError):
            while select.select([fd], [], [], 0)[0] and (block := os.read(fd, 1024)):
                data += block
        return data

    def type(self, data: bytes) -> bool:
        """Put keys back, to be read by whoever reads the terminal next.

        Returns:
            False when the system does not allow that: many Linux kernels from 6.2 on do not.
        """
        try:
            for key in data:
                fcntl.ioctl(self.source.fileno(), termios.TIOCSTI, bytes([key]))
        except OSError:
            return False
        return True

    # -- line disciplines

    def watch(self) -> None:
        """Set the discipline kept while a cell runs."""
        if self._cooked is None or not self.paints:
            return
        attributes = self._copy()
        attributes[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        attributes[_LFLAG] |= termios.ISIG | termios.NOFLSH
        attributes[_IFLAG] &= ~(termios.IXON | termios.IXOFF)
        attributes[_IFLAG] |= termios.ICRNL
        self._disable(attributes, termios.VQUIT, termios.VSUSP)
        attributes[_CC][termios.VMIN] = 1
        attributes[_CC][termios.VTIME] = 0
        self._set(attributes)

    def cook(self) -> None:
        """Give the terminal back as it was found."""
        if self._cooked is not None:
            self._set(self._cooked)

    @contextmanager
    def raw_with_signals(self) -> Iterator[None]:
        """Let Ctrl-C be a signal although the prompt has the terminal raw."""
        before = self._attributes()
        self.allow_signals()
        try:
            yield
        finally:
            if before is not None:
                self._set(before)

    def allow_signals(self) -> None:
        """Make Ctrl-C a signal, whatever discipline is set.

        Thread: any.
        """
        attributes = self._attributes()
        if attributes is not None:
            attributes[_LFLAG] |= termios.ISIG | termios.NOFLSH
            self._disable(attributes, termios.VQUIT, termios.VSUSP)
            self._set(attributes)

    def forbid_signals(self) -> None:
        """Make Ctrl-C a key again: undo `allow_signals` at the prompt."""
        attributes = self._attributes()
        if attributes is not None:
            attributes[_LFLAG] &= ~(termios.ISIG | termios.NOFLSH)
            self._set(attributes)

    def _attributes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self.source.fileno())
        except (termios.error, OSError, ValueError, AttributeError):
            return None

    def _copy(self) -> list[Any]:
        assert self._cooked is not None
        return [*self._cooked[:_CC], list(self._cooked[_CC])]

    def _disable(self, attributes: list[Any], *keys: int) -> None:
        for key in keys:
            attributes[_CC][key] = b"\0"

    def _set(self, attributes: list[Any]) -> None:
        # A terminal that went away is noticed where it is read.
        with suppress(termios.error, OSError, ValueError):
            termios.tcsetattr(self.source.fileno(), termios.TCSANOW, attributes)


def _is_tty(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
