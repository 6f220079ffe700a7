# SPDX-License-Identifier: Apache-2.0
"""Other programs: `!cmd`, pagers and editors get the terminal, and cothreads run on meanwhile."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from cothread import Sleep
from cothread.coselect import wait_readable

from .console import Console
from .errors import CapturedErrors
from .interrupt import Interrupts

__all__ = ["Programs"]

POLL_S: Final = 0.02
SIGNALLED: Final = 128


class Programs:
    """Runs programs in the foreground of the shell."""

    def __init__(self, console: Console, interrupts: Interrupts, errors: CapturedErrors) -> None:
        self._console = console
        self._errors = errors
        self._interrupts = interrupts

    def run(self, command: str, text: str | None = None) -> int:
        """Run a command of the system's shell at the terminal.

        Args:
            text: given to its standard input instead of the keyboard.
        Returns:
            Its exit status; negative is the signal that ended it.
        Suspends: until it ends.
        """
        with self._console.lending(), self._ignoring_interrupts():
            process = subprocess.Popen(
                command,
                shell=True,
                executable=os.environ.get("SHELL") or None,
                stdin=None if text is None else subprocess.PIPE,
                stderr=self._errors.terminal_fd,
            )
            if text is not None:
                _feed(process, text)
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
        assert process.stdout is not None
        blocks = []
        with process.stdout as output:
            try:
                while True:
                    wait_readable(output)
                    block = os.read(output.fileno(), 65_536)
                    if not block:
                        break
                    blocks.append(block)
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


def _feed(process: subprocess.Popen[bytes], text: str) -> None:
    """Write to a pager what it can take; it may have been left before it took everything."""
    assert process.stdin is not None
    data = memoryview(text.encode("utf-8", "replace"))
    fd = process.stdin.fileno()
    os.set_blocking(fd, False)
    try:
        while data:
            try:
                data = data[os.write(fd, data) :]
            except BlockingIOError:
                if process.poll() is not None:
                    return
                Sleep(POLL_S)
    except BrokenPipeError:
        return
    finally:
        process.stdin.close()


def wait_for(process: subprocess.Popen[Any]) -> int:
    """Wait for the end of a process and return its status.

    Suspends: until then.
    """
    try:
        fd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        while process.poll() is None:
            Sleep(POLL_S)
        return int(process.returncode)
    try:
        wait_readable(fd)
    finally:
        os.close(fd)
    return process.wait()
