# SPDX-License-Identifier: Apache-2.0
"""Other programs: `!cmd`, pagers and editors get the terminal, and cothreads run on meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from math import inf
from typing import IO, Any, Final, TypeAlias

from cothread import Sleep, Timedout, current
from cothread.clock import monotonic
from cothread.coselect import POLLIN, POLLOUT, poll_list, wait_readable

from .interrupt import handling

__all__ = ["Lend", "Programs", "communicate", "decoded", "lent_as_it_is"]

Process: TypeAlias = subprocess.Popen[bytes]
Lend: TypeAlias = Callable[[], AbstractContextManager[int | None]]
"""Gives the terminal to a program in the `with` block, and the descriptor for its errors if that
is not descriptor 2."""

CAPACITY: Final = 65_536
"""What a pipe holds."""
GRACE_S: Final = 0.1
"""How long a program may take to end after it was asked to, before it is asked less kindly."""
POLL_S: Final = 0.02
SIGNALLED: Final = 128
NOT_RUN: Final = (126, 127)
"""What the system's shell says of a program that is none, or is not there."""


class Programs:
    """Runs programs: in the foreground at the terminal, in a job beside it.

    Args:
        lend: how a program gets the terminal.
        is_foreground: whether a cothread (None: the main one) is what the operator waits for.
    """

    def __init__(self, lend: Lend, is_foreground: Callable[[Any], bool]) -> None:
        self._lend = lend
        self._is_foreground = is_foreground

    @property
    def in_foreground(self) -> bool:
        """Whether the operator waits for whoever asks."""
        return self._is_foreground(current())

    def run(self, command: str) -> int:
        """Run a command of the system's shell: at the terminal, unless this is a job.

        Returns:
            Its exit status; negative is the signal that ended it.
        Suspends: until it ends.
        """
        if self.in_foreground:
            return self._run_at_terminal(command)
        process = self.start_shell(command)
        return _status(communicate(process, b"", decoded(sys.stdout.write)))

    def page(self, pager: str, text: str) -> bool:
        """Show a text with a program that reads the keyboard; False when it cannot be run.

        Suspends: until it ends.
        """
        return self._run_at_terminal(pager, text) not in NOT_RUN

    def read(self, command: str) -> tuple[str, int]:
        """Run a command of the system's shell and collect what it writes.

        Returns:
            Its output with its errors among it, and its exit status.
        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the command was ended.
        Suspends: until it ends.
        """
        process = self.start_shell(command)
        blocks: list[bytes] = []
        status = communicate(process, b"", blocks.append)
        return b"".join(blocks).decode("utf-8", "replace"), status

    def start_shell(self, command: str) -> Process:
        """Start a command of the system's shell that reads nothing, and writes into one pipe."""
        return self.start(
            command,
            shell=True,
            executable=_shell(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )

    def start(self, command: str | list[str], **options: Any) -> Process:
        """Start a program that writes into pipes; Ctrl-C at the terminal does not reach a job's."""
        group = None if self.in_foreground else 0
        return subprocess.Popen(command, stdout=subprocess.PIPE, process_group=group, **options)

    def _run_at_terminal(self, command: str, text: str | None = None) -> int:
        with self._lend() as errors:
            process = subprocess.Popen(
                command,
                shell=True,
                executable=_shell(),
                stdin=None if text is None else subprocess.PIPE,
                stderr=errors,
            )
            return _status(communicate(process, (text or "").encode("utf-8", "replace")))


@contextmanager
def lent_as_it_is() -> Iterator[None]:
    """Leave a terminal that is nobody's at the moment to a program: `Lend`.

    The key Ctrl-C reaches every program of the terminal: what it means is the other's affair.
    """
    with handling(signal.SIGINT, _nothing):
        yield


def _nothing(*_: object) -> None: ...


def _shell() -> str | None:
    """Return the operator's own shell, or None for the system's when that cannot be run."""
    path = os.environ.get("SHELL")
    return path if path and os.access(path, os.X_OK) else None


def _status(returned: int) -> int:
    """Return the status that a shell gave: a signal is negative, also one that it only reports."""
    return SIGNALLED - returned if returned > SIGNALLED else returned


def end(process: Process) -> None:
    """End a program, first kindly.

    Suspends: until it has ended.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        _send(process, number)
        with suppress(Timedout):
            wait_for(process, GRACE_S)
            return
    wait_for(process)


def _send(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def decoded(take: Callable[[str], object]) -> Callable[[bytes], object]:
    """Return what decodes the blocks of a stream, however they were cut, and hands them on."""
    decoder = getincrementaldecoder("utf-8")("replace")

    def decode(block: bytes) -> None:
        text = decoder.decode(block, final=not block)
        if text:
            take(text)

    return decode


def communicate(process: Process, data: bytes, *take: Callable[[bytes], object]) -> int:
    """Write to a program what it reads, take what it writes, and wait until it has ended.

    Args:
        data: for its standard input, if that is a pipe; it may close it before it has read all.
        take: called with the blocks of its standard output, and of its standard error, so far as
            these are pipes; b"" is the end.
    Returns:
        Its exit status.
    Raises:
        BaseException: the wait was interrupted; the program was ended first, and what it had to
            say to that was taken.
    Suspends: until then.
    """
    turns: dict[int, tuple[int, Callable[[], bool]]] = {}
    with ExitStack() as streams:
        for stream, taker in zip((process.stdout, process.stderr), take, strict=False):
            if stream is not None:
                fd = streams.enter_context(stream).fileno()
                os.set_blocking(fd, False)
                turns[fd] = POLLIN, partial(_drain, fd, taker)
        if process.stdin is not None:
            fd = streams.enter_context(process.stdin).fileno()
            os.set_blocking(fd, False)
            turns[fd] = POLLOUT, _Feed(process.stdin, data)
        try:
            while turns:
                for fd, _ in poll_list([(fd, mask) for fd, (mask, _) in turns.items()]):
                    if turns[fd][1]():
                        del turns[fd]
            return wait_for(process)
        except BaseException:
            end(process)
            for mask, turn in turns.values():
                if mask == POLLIN:
                    turn()
            raise


def _drain(fd: int, take: Callable[[bytes], object]) -> bool:
    """Take what is there; True at the end."""
    try:
        block = os.read(fd, CAPACITY)
    except BlockingIOError:
        return False
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


def wait_for(process: Process, timeout: float | None = None) -> int:
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
