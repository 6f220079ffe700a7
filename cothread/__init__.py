# SPDX-License-Identifier: Apache-2.0
"""Cooperative threads: several tasks on one thread, each running until it chooses to wait."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import hooks
from .clock import AbsTimeout, Deadline, GetDeadline, Timedout
from .errors import Cancelled, CothreadError, WasCancelled, WrongThread
from .events import Event, EventQueue, Pulse, RLock
from .groups import Group
from .inspection import Statistics, cothreads
from .quitting import Quit, WaitForQuit
from .scheduler import scheduler
from .tasks import Protect, Spawn, WaitForAll, current
from .threads import Callback, CallbackResult, ThreadedEventQueue
from .timers import Timer
from .waiting import Sleep, SleepUntil, Yield

if TYPE_CHECKING:
    from .loops.asyncio_guest import GuestLoop, as_future, asyncio_hook, run_async

__all__ = [
    "AbsTimeout",
    "Callback",
    "CallbackResult",
    "Cancelled",
    "CothreadError",
    "Deadline",
    "Event",
    "EventQueue",
    "GetDeadline",
    "Group",
    "GuestLoop",
    "Protect",
    "Pulse",
    "Quit",
    "RLock",
    "Sleep",
    "SleepUntil",
    "Spawn",
    "Statistics",
    "ThreadedEventQueue",
    "Timedout",
    "Timer",
    "WaitForAll",
    "WaitForQuit",
    "WasCancelled",
    "WrongThread",
    "Yield",
    "cothreads",
    "as_future",
    "asyncio_hook",
    "current",
    "hooks",
    "run_async",
    "scheduler_thread_id",
]

scheduler_thread_id = scheduler.thread_id

# asyncio takes as long to import as everything else here: it is loaded when first used.
_LATE = {
    "GuestLoop": "loops.asyncio_guest",
    "as_future": "loops.asyncio_guest",
    "asyncio_hook": "loops.asyncio_guest",
    "run_async": "loops.asyncio_guest",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
