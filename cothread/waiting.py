# SPDX-License-Identifier: Apache-2.0
"""The plain ways to give way: Sleep, SleepUntil, Yield."""

from __future__ import annotations

from greenlet import getcurrent

from .clock import Timeout, expiry
from .scheduler import scheduler
from .switching import Yield, add_timer, park
from .waits import Wait

__all__ = ["Sleep", "SleepUntil", "Yield"]


class _Asleep:
    def waiting_for(self) -> str:
        return "Sleep"


_ASLEEP = _Asleep()


def Sleep(timeout: Timeout) -> None:
    """Suspend the calling cothread for at least `timeout` seconds; None sleeps for ever.

    Suspends: unless the time has passed already; `Sleep(0)` does not.
    """
    deadline = expiry(timeout)
    if deadline is not None and deadline <= scheduler.clock():
        scheduler.check_thread("Sleep")
        return
    wait = Wait.of(getcurrent(), _ASLEEP)
    if deadline is not None:
        wait.deadline = deadline
        add_timer(deadline, wait)
    park(wait)


def SleepUntil(deadline: float | None) -> None:
    """Suspend the calling cothread until `deadline`, a `time.time()` value.

    Suspends: unless the deadline has passed already.
    """
    Sleep((deadline,))
