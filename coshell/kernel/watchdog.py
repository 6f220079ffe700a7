# SPDX-License-Identifier: Apache-2.0
"""The watchdog: notices, from a thread of its own, that somebody holds the scheduler.

It is the only thread of the program that looks at cothreads, and it changes nothing of theirs: it
names the hog on the last row of the screen, and makes Ctrl-C a signal at the prompt, where the
terminal is raw and nobody is left to read the key.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Protocol

from cothread import Spawn
from cothread.clock import monotonic
from cothread.scheduler import scheduler

__all__ = ["Hog", "Watchdog", "Watcher"]

BUSY_S: Final = 0.25
IDLE_S: Final = 1.0
STUCK_S: Final = 1.0


class Hog:
    """Who holds the scheduler.

    Attributes:
        task: the cothread; None is the main program.
        where: what it executes now, as `file:line in function`.
        held_s: for how long already.
    """

    __slots__ = ("held_s", "task", "where")

    def __init__(self, task: Spawn[Any] | None, where: str, held_s: float) -> None:
        self.task = task
        self.where = where
        self.held_s = held_s


class Watcher(Protocol):
    """Whoever is told, in the watchdog's thread."""

    def stuck(self, hog: Hog) -> None:
        """Take note that somebody has held the scheduler for long; called again and again."""

    def released(self) -> None:
        """Take note that the scheduler runs again."""


class Watchdog:
    """Looks at the scheduler once a second while it is idle, four times while it is busy.

    Args:
        watcher: is told.
        clock: monotonic seconds.
    """

    def __init__(self, watcher: Watcher, clock: Callable[[], float] = monotonic) -> None:
        self._watcher = watcher
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._turn = -1
        self._since = 0.0
        self._stuck = False

    def start(self) -> None:
        """Begin to watch."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        pause = IDLE_S
        while not self._stop.wait(pause):
            pause = self.look()

    def look(self) -> float:
        """Look once; return after how many seconds to look again.

        Thread: the watchdog's.
        """
        now = self._clock()
        turn = scheduler.turns
        if scheduler.idle or turn != self._turn:
            self._turn = turn
            self._since = now
            if self._stuck:
                self._stuck = False
                self._watcher.released()
            return IDLE_S if scheduler.idle else BUSY_S
        held_s = now - self._since
        if held_s >= STUCK_S:
            frame = sys._current_frames().get(scheduler.thread_id)
            self._stuck = True
            self._watcher.stuck(Hog(task_of(frame), place_of(frame), held_s))
        return BUSY_S


def task_of(frame: FrameType | None) -> Spawn[Any] | None:
    """Return the cothread that a running frame belongs to; None is the main program."""
    while frame is not None:
        if frame.f_code is Spawn._run.__code__:
            task: Spawn[Any] = frame.f_locals["self"]
            return task
        frame = frame.f_back
    return None


def place_of(frame: FrameType | None) -> str:
    """Name the line a frame is at."""
    if frame is None:
        return "unknown"
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
