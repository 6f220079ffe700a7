# SPDX-License-Identifier: Apache-2.0
"""Cooperative threads: several tasks on one thread, each running until it chooses to wait.

Every `timeout` is a number of seconds, `(deadline,)` on the clock of `time.time()`, or None for
ever.  What may suspend the calling cothread, so that others run meanwhile, says *Suspends*; what
ordinary threads may call says *Thread*.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import hooks, threads
from . import input_hook as input_hook
from .clock import AbsTimeout, Deadline, GetDeadline, Timedout
from .coselect import *  # noqa: F403 - select, poll and the POLL… constants the system has
from .errors import Cancelled, CothreadError, WasCancelled, WrongThread
from .events import Event, EventQueue, Pulse, RLock
from .groups import Group
from .quitting import Quit, WaitForQuit
from .scheduler import scheduler
from .tasks import Protect, Spawn, WaitForAll, current
from .threads import CallbackResult, ThreadedEventQueue, in_thread
from .timers import Timer
from .waiting import Sleep, SleepUntil, Yield

if TYPE_CHECKING:
    from .inspection import Statistics, cothreads
    from .loops.asyncio_guest import GuestLoop, as_future, asyncio_hook, run_async
    from .loops.qt import iqt

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
    "in_thread",
    "iqt",
    "run_async",
    "scheduler_thread_id",
]

Callback = threads.Callback
"""Have `action(*args)` called in a cothread: `Callback(action, *args)`.

Calls are made one after the other, in the order in which they were handed over; one that waits
holds up those after it.

Thread: any.
"""

scheduler_thread_id = scheduler.thread_id
"""The thread in which cothreads run, as `threading.get_ident` names it."""

# For those who ask which cothread this is: its interface is that of this version.
__version__ = "2.20.1+coshell"

# Loaded when first used: asyncio takes as long to import as everything else here.
_LATE = {
    "Statistics": "inspection",
    "cothreads": "inspection",
    "GuestLoop": "loops.asyncio_guest",
    "as_future": "loops.asyncio_guest",
    "asyncio_hook": "loops.asyncio_guest",
    "iqt": "loops.qt",
    "run_async": "loops.asyncio_guest",
    "create_connection": "cosocket",
    "socket": "cosocket",
    "socket_hook": "cosocket",
    "socketpair": "cosocket",
}
# Modules that old programs find here without importing them.
_LATE_MODULES = {"cosocket", "cothread"}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f".{_LATE[name]}", __name__), name)
    if name in _LATE_MODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
