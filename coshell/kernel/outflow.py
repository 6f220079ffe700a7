# SPDX-License-Identifier: Apache-2.0
"""What goes to the terminal, also to one that does not take it.

A terminal may stop reading for hours: the network between it and us is down, or the lid of the
laptop is closed.  A program that writes to it then stands still, and here that would be every job
and every monitor.  So what it does not take waits in a buffer, those who paint see that and leave
it, and only a foreground that goes on printing is held up in the end.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

__all__ = ["Outflow"]

LIMIT: Final = 1 << 20
"""How many bytes may wait before a writer does."""


class Outflow:
    """Writes to a terminal without waiting for it.

    Args:
        fd: the terminal.
        on_stall: called when something begins to wait.
    """

    def __init__(self, fd: int, on_stall: Callable[[], object]) -> None:
        self._shared = fd
        self._own = _reopened(fd)
        self._waiting = bytearray()
        self._lock = threading.Lock()
        self._on_stall = on_stall

    @property
    def stalled(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    def write(self, data: bytes | memoryview) -> None:
        """Write, after what waits already.

        Thread: any.
        """
        with self._lock:
            began = not self._waiting
            self._waiting += data
            self._push()
            while len(self._waiting) > LIMIT:
                select.select([], [self._own], [])
                self._push()
            began = began and bool(self._waiting)
        if began:
            self._on_stall()

    def resume(self) -> bool:
        """Write what waits, as far as it is taken; True while something still does.

        Thread: any.
        """
        with self._lock:
            self._push()
            return bool(self._waiting)

    def close(self) -> None:
        """Write what waits, and wait for that; then let go of what was opened."""
        while self.resume():
            select.select([], [self._own], [])
        if self._own != self._shared:
            os.close(self._own)

    def _push(self) -> None:
        while self._waiting:
            try:
                del self._waiting[: os.write(self._own, self._waiting)]
            except BlockingIOError:
                return
            except OSError:
                self._waiting.clear()
                raise


def _reopened(fd: int) -> int:
    """Open a terminal once more, so that not waiting for it is our affair alone."""
    with suppress(OSError):
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return fd
