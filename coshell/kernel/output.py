# SPDX-License-Identifier: Apache-2.0
"""Where `print` goes: sys.stdout and sys.stderr that know who writes.

The foreground writes straight through. Everybody else is collected into whole lines, tagged with
the number of the job, cleaned of what would move the cursor, and put above the prompt.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Protocol

from cothread import current
from cothread.scheduler import scheduler

from .colours import tint
from .console import Console

__all__ = ["Outlet", "Stream", "Writer", "clean", "written_for"]

PARTIAL_LIMIT: Final = 65_536
"""A line that grows longer than this is shown in pieces."""

written_for: ContextVar[Any] = ContextVar("written_for", default=None)
"""The cothread that waits for a coroutine: what that writes, in the loop's cothread, is its own."""

_UNCLEAN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SEQUENCE = re.compile(
    r"\x1b\[[0-9;:]*m|"  # colours: the first branch, and the only one that is kept
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|"
    r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]"
)


class Writer(Protocol):
    """Somebody in the background whose output is kept."""

    tag: str

    def wrote(self, line: str) -> None:
        """Take note of one line, without its end."""


class Outlet:
    """Sorts what is written by who writes it.

    Args:
        console: shows it.
        writer_of: the background writer that a cothread is, or None for one without a number.
        is_foreground: whether a cothread (None: the main one) is what the operator waits for.
    """

    def __init__(
        self,
        console: Console,
        writer_of: Callable[[Any], Writer | None],
        is_foreground: Callable[[Any], bool],
    ) -> None:
        self.console = console
        self._writer_of = writer_of
        self._is_foreground = is_foreground
        self._partial: dict[object, str] = {}
        self._in_pieces: set[object] = set()
        self._recording: list[Callable[[str, str], object]] = []

    def write(self, stream: str, text: str) -> None:
        """Write text on behalf of whoever is running.

        Thread: any.
        """
        if threading.get_ident() != scheduler.thread_id:
            self._collect(threading.get_ident(), None, text)
            return
        task = current()
        asking = written_for.get()
        if asking is not None and task is not None and self._writer_of(task) is None:
            task = asking
        if self._is_foreground(task) and self.console.screen is None:
            for record in self._recording:
                record(stream, text)
            self.console.catch_up()
            self.console.write(text)
        else:
            self._collect(task, self._writer_of(task) if task is not None else None, text)

    def _collect(self, key: object, writer: Writer | None, text: str) -> None:
        partial = self._partial.pop(key, "") + text
        whole, newline, rest = partial.rpartition("\n")
        if newline:
            # The end of a line that was shown in pieces is none of its own.
            skipped = key in self._in_pieces and partial.startswith("\n")
            self._in_pieces.discard(key)
            self._emit(writer, whole.split("\n")[skipped:])
        if len(rest) > PARTIAL_LIMIT:
            self._in_pieces.add(key)
            self._emit(writer, [rest])
        elif rest:
            self._partial[key] = rest

    def stray(self, line: str) -> None:
        """Show a line that reached descriptor 2 past Python."""
        # While a cell runs, most likely it or a program it has started wrote that.
        tag = "" if self.console.in_cell else f"{tint('[stderr]', '36')} "
        self.console.lines(f"{tag}{clean(line)}\n")

    def ended(self, key: object, writer: Writer | None) -> None:
        """Show the unfinished last line of a writer that will write no more."""
        self._in_pieces.discard(key)
        rest = self._partial.pop(key, "")
        if rest:
            self._emit(writer, [rest])

    def _emit(self, writer: Writer | None, lines: list[str]) -> None:
        tag = f"{tint(f'[{writer.tag}]', '36')} " if writer is not None else ""
        for line in lines:
            line = clean(line)
            if writer is not None:
                writer.wrote(line)
            self.console.lines(f"{tag}{line}\n")

    @contextmanager
    def recording(self, record: Callable[[str, str], object]) -> Iterator[None]:
        """Have `record(stream, text)` called for all foreground output in the `with` block."""
        self._recording.append(record)
        try:
            yield
        finally:
            self._recording.remove(record)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put our streams in the place of the terminal's in the `with` block."""
        originals = sys.stdout, sys.stderr
        replaced = {}
        for name in ("stdout", "stderr"):
            original = getattr(sys, name)
            if original is not None and original.isatty():
                replaced[original] = Stream(self, name)
                setattr(sys, name, replaced[original])
        _move_log_handlers(replaced)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = originals
            _move_log_handlers({stream: original for original, stream in replaced.items()})


class Stream(io.TextIOBase):
    """A text stream whose text goes through an outlet."""

    def __init__(self, outlet: Outlet, name: str) -> None:
        self._outlet = outlet
        self.name = f"<{name}>"
        self._name = name
        self.buffer = _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's."""
        return self._outlet.console.terminal.encoding

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What the terminal cannot show becomes a question mark."""
        return "replace"

    def write(self, text: str) -> int:
        """Write text on behalf of whoever is running.

        Thread: any.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._outlet.write(self._name, text)
        return len(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return True: only a terminal's streams are replaced."""
        return True

    def fileno(self) -> int:
        """Return the terminal's descriptor; that of standard error may be captured."""
        return self._outlet.console.terminal.fileno()


class _Bytes(io.BufferedIOBase):
    """The binary side of a stream, for programs that write bytes."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        self._stream.write(bytes(data).decode(self._stream.encoding, "replace"))
        return len(data)

    def writable(self) -> bool:
        return True


def clean(line: str) -> str:
    """Return a line with its colours but without anything else that a terminal would obey."""
    if not _UNCLEAN.search(line):
        return line
    line = line.rstrip("\r")
    if "\r" in line:
        line = line[line.rindex("\r") + 1 :]
    line = _SEQUENCE.sub(lambda found: found[0] if _is_colour(found[0]) else "", line)
    return f"{line}\x1b[m" if "\x1b" in line else line


def _is_colour(sequence: str) -> bool:
    return sequence.startswith("\x1b[") and sequence.endswith("m") and "?" not in sequence


def _move_log_handlers(replaced: dict[Any, Any]) -> None:
    """Point log handlers that hold a stream themselves to its replacement."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream in replaced:
                handler.setStream(replaced[handler.stream])
