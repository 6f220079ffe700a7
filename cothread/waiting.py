# SPDX-License-Identifier: Apache-2.0
"""The plain ways to give way: Sleep, SleepUntil, Yield; and waiting in somebody's queue."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from greenlet import getcurrent

from .clock import Timeout, expiry
from .scheduler import park, scheduler, yield_now
from .waits import Wait

__all__ = ["Sleep", "SleepUntil", "Yield", "wait_in"]


class _Asleep:
    def waiting_for(self) -> str:
        return "Sleep"


class _Yielding:
    def waiting_for(self) -> str:
        return "Yield until nothing else is ready"


_ASLEEP = _Asleep()
_YIELDING = _Yielding()


def Sleep(timeout: Timeout) -> None:
    """Suspend the calling cothread for at least `timeout` seconds; None sleeps for ever.

    Suspends: unless the time has passed already; `Sleep(0)` does not.
    """
    deadline = expiry(timeout)
    if deadline is not None and deadline <= scheduler.clock():
        scheduler.check_thread("Sleep")
        return
    wait = Wait(getcurrent(), _ASLEEP)
    if deadline is not None:
        wait.deadline = deadline
        scheduler.add_timer(deadline, wait)
    park(wait)


def SleepUntil(deadline: float | None) -> None:
    """Suspend the calling cothread until `deadline`, a `time.time()` value.

    Suspends: unless the deadline has passed already.
    """
    Sleep((deadline,))


def Yield(timeout: Timeout = 0) -> None:
    """Let all other ready cothreads run.

    Args:
        timeout: 0 returns when every cothread that is ready now has run once.  Otherwise returns
            when no other cothread is ready at all, or at the timeout; None is no timeout.
    Suspends: always.
    """
    if timeout == 0:
        yield_now()
    else:
        _yield_until_idle(timeout)


def _yield_until_idle(timeout: Timeout) -> None:
    deadline = expiry(timeout)
    if deadline is not None and deadline <= scheduler.clock():
        yield_now()
        return
    scheduler.check_thread("Yield")
    wait_in(scheduler.idlers, _YIELDING, deadline)


def wait_in(queue: deque[Wait], what: object, deadline: float | None) -> bool:
    """Suspend the calling cothread in `queue`, from which somebody will wake it.

    Args:
        what: what is waited for, for inspection.
        deadline: monotonic, or None.
    Returns:
        True when woken; False when the deadline passed, or had passed already.
    Suspends: unless the deadline has passed already.
    """
    wait = Wait(getcurrent(), what)
    if deadline is not None:
        if deadline <= scheduler.clock():
            scheduler.check_thread("waiting")
            return False
        wait.deadline = deadline
        scheduler.add_timer(deadline, wait)
    queue.append(wait)
    woken = False
    try:
        woken = park(wait)
    finally:
        if not woken:
            # A signal that came after the timeout has dropped it from the queue already.
            with suppress(ValueError):
                queue.remove(wait)
    return woken
