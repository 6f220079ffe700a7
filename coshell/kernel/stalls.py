# SPDX-License-Identifier: Apache-2.0
"""What the operator is told when somebody holds the scheduler, while it lasts and afterwards."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cothread import current, hooks
from cothread.interrupts import pending
from cothread.scheduler import scheduler

from .colours import tint
from .console import Console
from .interrupt import Interrupts
from .jobs import Jobs
from .watchdog import Hog, Watchdog

__all__ = ["Stalls"]

TOLD_S: Final = 1.0
BROKEN_S: Final = 2.0
"""How long one has held the scheduler whom a single Ctrl-C, typed before anything was said, breaks.

A shorter calculation survives it: the operator may have meant the line."""
CTRL_C: Final = b"\x03"
ADVICE: Final = (
    "That cell held everything for {held_s:.1f} s: jobs and panels stood still. sleep() lets them"
    " run, time.sleep() does not; long calculations call Yield()."
)
"""Told once: the next time, PAUSED on the screen is enough."""


class Stalls:
    """Names the hog on the screen, and lets Ctrl-C reach it.

    Args:
        show: prints a line above the prompt.
        type_ahead: gives keys to the prompt.
    """

    def __init__(
        self,
        console: Console,
        jobs: Jobs,
        interrupts: Interrupts,
        show: Callable[[str], object],
        type_ahead: Callable[[bytes], object],
    ) -> None:
        self._console = console
        self._jobs = jobs
        self._interrupts = interrupts
        self._show = show
        self._type_ahead = type_ahead
        self._typed = b""
        self._typed_interrupt = False
        self._seen = ""
        self._watchdog = Watchdog(self)
        self._advised = False
        self.cell_ran = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the scheduler in the `with` block."""
        previous = hooks.set_stall_hook(self._stalled)
        self._interrupts.forget_keys.append(self._forget_keys)
        self._watchdog.start()
        try:
            yield
        finally:
            self._interrupts.forget_keys.remove(self._forget_keys)
            self._watchdog.stop()
            hooks.set_stall_hook(previous)

    def prompted(self) -> None:
        """Take note that the prompt waits: what holds the scheduler now is no cell."""
        self.cell_ran = False

    def stuck(self, hog: Hog) -> None:
        """Say who holds the scheduler, and make Ctrl-C a signal.

        Thread: the watchdog's.
        """
        if hog.task is None:
            name = "the running cell"
        else:
            job = self._jobs.known(hog.task)
            name = hog.task.name if job is None else f"job {job.number} ({job.name})"
            self._interrupts.hog_known = True
        if self._console.screen is not None:
            self._console.terminal.allow_signals()
            self._look_for_interrupt(hog)
        if hog.task is None and pending():
            # It came while the cell was in the library's own code, and waits for a suspension.
            signal.pthread_kill(scheduler.thread_id, signal.SIGINT)
        self._seen = hog.where
        place, _, function = hog.where.partition(" in ")
        self._console.alert(
            f" PAUSED, Ctrl-C breaks it · {name} has not yielded for {hog.held_s:.1f} s"
            f" · {Path(place).name} in {function} "
        )

    def _look_for_interrupt(self, hog: Hog) -> None:
        """Find a Ctrl-C that was typed before it was a signal: nobody else reads the keys now.

        Thread: the watchdog's.
        """
        if self._console.lent:
            return
        self._typed += self._console.terminal.typed()
        count = self._typed.count(CTRL_C)
        if hog.task is not None and (count > 1 or (count and hog.held_s >= BROKEN_S)):
            self._typed = self._typed.rpartition(CTRL_C)[2]
            self._typed_interrupt = True
            signal.pthread_kill(scheduler.thread_id, signal.SIGINT)

    def _forget_keys(self) -> None:
        """Let go of the keys that the watchdog has read, as the terminal does of those it has."""
        if self._typed_interrupt:
            # It was among those keys, and only what followed it is left.
            self._typed_interrupt = False
        else:
            self._typed = b""

    def released(self) -> None:
        """Put the screen in order again.

        Thread: the watchdog's.
        """
        scheduler.call_soon_threadsafe(self._released)

    def _released(self) -> None:
        self._interrupts.hog_known = False
        self._seen = ""
        typed, self._typed = self._typed, b""
        if typed:
            self._type_ahead(typed)
        if self._console.screen is not None:
            self._console.terminal.forbid_signals()
        self._console.restore()

    def _stalled(self, stall: hooks.Stall) -> None:
        if stall.held_s < TOLD_S:
            return
        task = current()
        if task is not None:
            job = self._jobs.job_of(task)
            name = stall.name if job is None else f"job {job.number} ({job.name})"
            # A slot of Qt's has ended when it is found out, and only the watchdog saw where it was.
            place = f"seen at {self._seen}" if self._seen else f"until {stall.where}"
            self._show(tint(f"{name} held everything for {stall.held_s:.1f} s, {place}", "33"))
        elif self.cell_ran and (self._jobs.count_running or self._console.dock.items):
            self.cell_ran = False
            if not self._advised:
                self._advised = True
                self._show(tint(ADVICE.format(held_s=stall.held_s), "33"))
