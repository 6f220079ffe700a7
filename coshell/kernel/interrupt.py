# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the shell: what `cothread.interrupts` does not know, the prompt and the watchdog.

Laws:
  1. At the prompt it clears the line and touches nothing else.
  2. While a cell runs it raises KeyboardInterrupt in the foreground, wherever that waits; typed
     between Enter and the first statement, it keeps the cell from beginning.
  3. It never reaches a background cothread, unless that one holds the scheduler: then the second
     Ctrl-C within two seconds does, and the first does if the operator was already told of it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from greenlet import getcurrent

from cothread.clock import monotonic
from cothread.interrupts import AGAIN_S, request_interrupt
from cothread.scheduler import scheduler

__all__ = ["Interrupts", "handling"]

BOUNCE_S: Final = 0.1
"""Two signals so close together are one key stroke."""


class Interrupts:
    """Decides for each SIGINT who is interrupted.

    Attributes:
        at_prompt: called instead of interrupting anybody; None while a cell runs.
        hog_known: set when the operator was told that a cothread holds the scheduler.
        forget_keys: all are called for each: a terminal lets go of what was typed before a Ctrl-C.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.at_prompt: Callable[[], object] | None = None
        self.hog_known = False
        self.forget_keys: list[Callable[[], object]] = []
        self._clock = clock
        self._last = float("-inf")
        self._last_turn = -1
        self._starting = False
        self._noted: float | None = None
        self._on_the_way = 0
        self._elsewhere: Callable[[], object] | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the handler of SIGINT in the `with` block."""
        with handling(signal.SIGINT, self._on_signal):
            yield

    @contextmanager
    def left_to(self, elsewhere: Callable[[], object]) -> Iterator[None]:
        """Interrupt nobody in the `with` block: the terminal is another program's.

        Args:
            elsewhere: called instead.
        """
        previous, self._elsewhere = self._elsewhere, elsewhere
        try:
            yield
        finally:
            self._elsewhere = previous

    # -- between Enter and the first statement of the cell

    def entered(self) -> None:
        """Keep interrupts, from now on, for the cell that is about to begin."""
        self._starting = True

    def note(self) -> None:
        """Keep one for the cell that is about to begin."""
        if self._noted is None:
            self._noted = self._clock()

    def forget(self) -> None:
        """Let go of what was kept: no cell came of it."""
        self._starting = False
        self._noted = None

    def begin(self) -> bool:
        """Say that the cell begins now.

        Returns:
            True when it must not: it was interrupted already, perhaps by one that was meant for the
            prompt, and has not reached it in time.
        """
        self._starting = False
        noted, self._noted = self._noted, None
        if self.at_prompt is None and self._on_the_way:
            self._on_the_way = 0
            return True
        return noted is not None

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        for forget in self.forget_keys:
            forget()
        running: Any = getcurrent()
        in_background = running is not scheduler.hub and getattr(running, "task", None) is not None
        if in_background and self.hog_known:
            self.hog_known = False
            raise KeyboardInterrupt
        if self.at_prompt is None and self._elsewhere is None:
            if self._starting and (self._noted is None or self._clock() - self._noted < BOUNCE_S):
                self.note()
            else:
                request_interrupt(frame)
            return
        age, self._last = self._clock() - self._last, self._clock()
        turn, self._last_turn = self._last_turn, scheduler.turns
        if in_background and turn == scheduler.turns and BOUNCE_S <= age <= AGAIN_S:
            raise KeyboardInterrupt
        # Chosen now: later it would come after the program that it was meant for.
        self._on_the_way += self._elsewhere is None
        scheduler.call_soon_threadsafe(self._elsewhere or self._press)

    def _press(self) -> None:
        if not self._on_the_way:
            return  # it came too late, and has kept a cell from beginning instead
        self._on_the_way -= 1
        if self.at_prompt is not None:
            self.at_prompt()
        else:
            # The prompt ended before the word reached it: its cell is meant.
            self.note() if self._starting else request_interrupt()


@contextmanager
def handling(number: signal.Signals, handler: Callable[..., object]) -> Iterator[None]:
    """Handle a signal in the `with` block."""
    previous = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, previous)
