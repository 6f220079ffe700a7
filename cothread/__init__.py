# SPDX-License-Identifier: Apache-2.0
"""Cooperative threads: several tasks on one thread, each running until it chooses to wait."""

from .clock import AbsTimeout, Deadline, GetDeadline, Timedout
from .errors import Cancelled, CothreadError, WasCancelled, WrongThread
from .events import Event, EventQueue, Pulse, RLock
from .scheduler import scheduler
from .tasks import Protect, Spawn, WaitForAll, current
from .waiting import Sleep, SleepUntil, Yield

__all__ = [
    "AbsTimeout",
    "Cancelled",
    "CothreadError",
    "Deadline",
    "Event",
    "EventQueue",
    "GetDeadline",
    "Protect",
    "Pulse",
    "RLock",
    "Sleep",
    "SleepUntil",
    "Spawn",
    "Timedout",
    "WaitForAll",
    "WasCancelled",
    "WrongThread",
    "Yield",
    "current",
    "scheduler_thread_id",
]

scheduler_thread_id = scheduler.thread_id
