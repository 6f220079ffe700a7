# SPDX-License-Identifier: Apache-2.0
"""The core under its old module name; and two of its private names that programs came to use."""

from __future__ import annotations

from collections.abc import Iterable

from .clock import AbsTimeout, Deadline, GetDeadline, Timedout
from .coselect import POLLIN
from .events import Event, EventQueue, Pulse, RLock
from .quitting import Quit, WaitForQuit
from .scheduler import ready, scheduler
from .tasks import Spawn, WaitForAll
from .threads import Callback, CallbackQueue, CallbackResult, ThreadedEventQueue
from .timers import Timer
from .waiting import Sleep, SleepUntil, Yield

__all__ = [
    "AbsTimeout",
    "Callback",
    "CallbackResult",
    "Deadline",
    "Event",
    "EventQueue",
    "GetDeadline",
    "Pulse",
    "Quit",
    "RLock",
    "Sleep",
    "SleepUntil",
    "Spawn",
    "ThreadedEventQueue",
    "Timedout",
    "Timer",
    "WaitForAll",
    "WaitForQuit",
    "Yield",
    "scheduler_thread_id",
]

scheduler_thread_id = scheduler.thread_id
_Callback = CallbackQueue


class _Rounds:
    """Runs the scheduler from somebody else's poll loop, round by round."""

    @staticmethod
    def poll_scheduler(
        _ready_list: Iterable[tuple[int, int]],
    ) -> tuple[list[tuple[int, int]], float | None]:
        """Run what is ready.

        Returns:
            Pairs of descriptor and event mask to poll for, and the longest time to poll for them
            in seconds (None for ever), before this is to be called again.
        Suspends: always.
        """
        # It looks at its descriptors itself; and it takes a turn to do so when there is a message.
        scheduler.idle = False
        scheduler.call_soon_threadsafe(_take_a_turn)
        Yield()
        Yield()
        # From now on others must wake the poll loop.
        scheduler.idle = True
        poll_list = [(scheduler.poller.fileno(), POLLIN)]
        if ready:
            return poll_list, 0.0
        due = [deadline for deadline, _, alarm in scheduler.timers if alarm.target is not None]
        return poll_list, max(0.0, min(due) - scheduler.clock()) if due else None


def _take_a_turn() -> None:
    pass


_scheduler = _Rounds()
