# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C: whom it interrupts, decided in one place.

Laws:
  1. At the prompt it clears the line and touches nothing else.
  2. While a cell runs it raises KeyboardInterrupt in the foreground, wherever that waits.
  3. It never reaches a background cothread, unless that one holds the scheduler: then the second
     Ctrl-C within two seconds does, and the first does if the operator was already told of it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from greenlet import getcurrent

from cothread.clock import monotonic
from cothread.scheduler import scheduler

__all__ = ["Interrupts"]

AGAIN_S: Final = 2.0
BOUNCE_S: Final = 0.03
"""Two signals so close together are one key stroke."""


class Interrupts:
    """Decides for each SIGINT who is interrupted.

    Attributes:
        at_prompt: called instead of interrupting anybody; None while a cell runs.
        foreground: the greenlet to interrupt; None is the main one.
        hog_known: set when the operator was told that a cothread holds the scheduler.
        broken: counts the cothreads that were broken because they would not yield.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.at_prompt: Callable[[], object] | None = None
        self.foreground: Callable[[], Any] = lambda: None
        self.hog_known = False
        self.broken = 0
        self._clock = clock
        self._last = float("-inf")
        self._last_turn = -1
        self._requested = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the handler of SIGINT in the `with` block."""
        previous = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _on_signal(self, _number: int, _frame: Any) -> None:
        now = self._clock()
        since, self._last = now - self._last, now
        last_turn, self._last_turn = self._last_turn, scheduler.turns
        running = getcurrent()
        target = self._target()
        if running is target and self.at_prompt is None:
            raise KeyboardInterrupt
        if since < BOUNCE_S and self._requested:
            return
        if running is not scheduler.hub and running is not target:
            again = since < AGAIN_S and scheduler.turns == last_turn
            if again or self.hog_known:
                self.broken += 1
                raise KeyboardInterrupt
        self.request()

    def request(self) -> None:
        """Interrupt the foreground, or clear the prompt's line, from the scheduler.

        Thread: any; also from signal handlers.
        """
        self._requested = True
        scheduler.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        if not self._requested:
            return
        self._requested = False
        if self.at_prompt is not None:
            self.at_prompt()
        else:
            scheduler.throw(self._target(), KeyboardInterrupt())

    def _target(self) -> Any:
        return self.foreground() or scheduler.main or getcurrent()
