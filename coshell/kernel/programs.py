# SPDX-License-Identifier: Apache-2.0
"""Other programs: `!cmd`, pagers and editors get the terminal, and cothreads run on meanwhile."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from math import inf
from typing import IO, Any, Final

from cothread import Sleep, Timedout
from cothread.clock import monotonic
from cothread.coselect import POLLIN, POLLOUT, poll_list, wait_readable

from .console import Console
from .errors import CapturedErrors
from .host import PromptHost
from .interrupt import Interrupts

__all__ = ["Programs", "communicate", "wait_for"]

BLOCK: Final = 65_536
POLL_S: Final = 0.02
SIGNALLED: Final = 128


class Programs:
    """Runs programs in the foreground of the shell."""

    def __init__(
        self, console: Console, interrupts: Interrupts, errors: CapturedErrors, host: PromptHost
    ) -> None:
        self._console = console
        self._errors = errors
        self._host = host
        self._interrupts = interrupts

    def run(self, command: str, text: str | None = None) -> int:
        """Run a command of the system's shell at the terminal.

        Args:
            text: given to its standard input instead of the keyboard.
        Returns:
            Its exit status; negative is the signal that ended it.
        Suspends: until it ends.
        """
        keys = self._host.typed_ahead()
        if keys:
            keys += self._console.terminal.typed()
        with self._console.lending(), self._ignoring_interrupts():
            if keys and not self._console.terminal.type(keys):
                self._host.type_ahead(keys)
            process = subprocess.Popen(
                command,
                shell=True,
                executable=os.environ.get("SHELL") or None,
                stdin=None if text is None else subprocess.PIPE,
                stderr=self._errors.terminal_fd,
            )
            if text is not None:
                communicate(process, text.encode("utf-8", "replace"))
            status = wait_for(process)
        return SIGNALLED - status if status > SIGNALLED else status

    def read(self, command: str) -> tuple[str, int]:
        """Run a command of the system's shell and collect what it writes.

        Returns:
            Its output with its errors among it, and its exit status.
        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the command was ended.
        Suspends: until it ends.
        """
        process = subprocess.Popen(
            command,
            shell=True,
            executable=os.environ.get("SHELL") or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        blocks: list[bytes] = []
        try:
            communicate(process, b"", blocks.append)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return b"".join(blocks).decode("utf-8", "replace"), wait_for(process)

    @contextmanager
    def _ignoring_interrupts(self) -> Iterator[None]:
        # The key reaches every program of the terminal: what it means is the other's affair.
        previous, self._interrupts.at_prompt = self._interrupts.at_prompt, _nothing
        try:
            yield
        finally:
            self._interrupts.at_prompt = previous


def _nothing() -> None: ...


def communicate(
    process: subprocess.Popen[bytes], data: bytes, *take: Callable[[bytes], object]
) -> None:
    """Write to a program what it reads, and take what it writes, until it has closed its output.

    Args:
        data: for its standard input, if that is a pipe; it may close it before it has read all.
        take: called with the blocks of its standard output, and of its standard error, so far as
            these are pipes; b"" is the end.
    Suspends: until then.
    """
    turns: dict[int, tuple[int, Callable[[], bool]]] = {}
    with ExitStack() as streams:
        for stream, taker in zip((process.stdout, process.stderr), take, strict=False):
            if stream is not None:
                fd = streams.enter_context(stream).fileno()
                turns[fd] = POLLIN, partial(_drain, fd, taker)
        if process.stdin is not None:
            fd = streams.enter_context(process.stdin).fileno()
            os.set_blocking(fd, False)
            turns[fd] = POLLOUT, _Feed(process.stdin, data)
        while turns:
            for fd, _ in poll_list([(fd, mask) for fd, (mask, _) in turns.items()]):
                if turns[fd][1]():
                    del turns[fd]


def _drain(fd: int, take: Callable[[bytes], object]) -> bool:
    """Take what is there; True at the end."""
    block = os.read(fd, BLOCK)
    take(block)
    return not block


class _Feed:
    """Writes what a program can take; returns True when nothing is left, or nobody reads."""

    def __init__(self, stream: IO[bytes], data: bytes) -> None:
        self._stream = stream
        self._rest = memoryview(data)

    def __call__(self) -> bool:
        try:
            self._rest = self._rest[os.write(self._stream.fileno(), self._rest) :]
        except BrokenPipeError:
            self._rest = self._rest[:0]
        if not self._rest:
            self._stream.close()
        return not self._rest


def wait_for(process: subprocess.Popen[Any], timeout: float | None = None) -> int:
    """Wait for the end of a process and return its status.

    Raises:
        Timedout: it has not ended after `timeout` seconds.
    Suspends: until then.
    """
    try:
        fd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        deadline = inf if timeout is None else monotonic() + timeout
        while process.poll() is None:
            if monotonic() > deadline:
                raise Timedout(f"process {process.pid} has not ended within {timeout} s") from None
            Sleep(POLL_S)
        return int(process.returncode)
    try:
        wait_readable(fd, timeout)
    finally:
        os.close(fd)
    return process.wait()
