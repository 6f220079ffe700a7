# SPDX-License-Identifier: Apache-2.0
"""Timer: a call made later, in a cothread of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context

from .clock import Timeout, expiry
from .errors import CothreadError
from .scheduler import scheduler
from .switching import add_timer
from .tasks import Spawn

__all__ = ["Timer"]


class _Alarm:
    """One setting of a timer, in the scheduler's heap; disarmed by clearing its target."""

    __slots__ = ("target",)

    def __init__(self, timer: Timer) -> None:
        self.target: object = timer

    def expire(self) -> None:
        timer, self.target = self.target, None
        if isinstance(timer, Timer):
            timer.fire()


class Timer:
    """Calls `callback()` once a time has passed, and again and again if so asked.

    Args:
        timeout: when; seconds, a deadline, or None for a timer that waits for `reset`.
        retrigger: set the timer again, for the same time, as soon as the callback has ended.
        reuse: the timer may be set again with `reset` after it has fired.
        stack_size: accepted for old programs.
        steady: with `retrigger`, count from when the timer was due and not from when the
            callback ended, so that the period does not drift; periods missed are left out.

    The callback runs in a fresh cothread each time.  If it raises an exception that is reported,
    and the timer is dead.
    """

    __slots__ = (
        "_alarm",
        "_callback",
        "_cancelled",
        "_context",
        "_due",
        "_retrigger",
        "_reuse",
        "_steady",
        "_timeout",
    )

    def __init__(
        self,
        timeout: Timeout,
        callback: Callable[[], object],
        retrigger: bool = False,
        reuse: bool = False,
        stack_size: int = 0,  # noqa: ARG002
        *,
        steady: bool = False,
    ) -> None:
        if not callable(callback):
            raise CothreadError(f"Ensure the callback is callable: {callback!r} is not")
        scheduler.check_thread("Timer")
        scheduler.start()
        self._callback = callback
        self._context = copy_context()
        self._reuse = reuse
        self._steady = steady
        self._cancelled = False
        self._alarm: _Alarm | None = None
        self._due = 0.0
        self._retrigger = retrigger
        self._set(timeout)

    def _set(self, timeout: Timeout) -> None:
        if self._retrigger and isinstance(timeout, tuple):
            raise ValueError("a retriggering timer needs a period in seconds, not a deadline")
        self._timeout = timeout
        deadline = expiry(timeout)
        if deadline is not None:
            self._arm(deadline)

    def _arm(self, deadline: float) -> None:
        self._due = deadline
        self._alarm = _Alarm(self)
        add_timer(deadline, self._alarm)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.target = None
            self._alarm = None

    def cancel(self) -> None:
        """Do not fire (any more); may be called at any time, and repeatedly."""
        self._cancelled = True
        self._disarm()

    def reset(self, timeout: Timeout, retrigger: bool | None = None) -> None:
        """Set the timer anew, instead of any time it was set to; None only stops it.

        Args:
            retrigger: changes that setting too, unless None.
        Raises:
            CothreadError: it was made without `reuse` or `retrigger`, or has been cancelled.
        """
        if self._cancelled or not (self._reuse or self._retrigger):
            raise CothreadError("Cannot reuse this timer")
        self._disarm()
        if retrigger is not None:
            self._retrigger = retrigger
        self._set(timeout)

    def fire(self) -> None:
        """Spawn the callback: called by the scheduler when the time has come."""
        self._alarm = None
        task = Spawn(self._run)
        task.run_in(self._context.copy())
        task.name = f"timer {getattr(self._callback, '__name__', '')}".rstrip()

    def _run(self) -> None:
        timeout = self._timeout
        try:
            self._callback()
        except BaseException:
            self._cancelled = True
            raise
        # The callback may have cancelled or reset the timer.
        if not self._retrigger or self._cancelled or self._alarm is not None:
            return
        if timeout is self._timeout and isinstance(timeout, int | float):
            now = scheduler.clock()
            due = now + timeout
            if self._steady and timeout > 0:
                missed = (now - self._due) // timeout
                due = self._due + (missed + 1) * timeout
            self._arm(due)
