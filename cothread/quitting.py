# SPDX-License-Identifier: Apache-2.0
"""The end of a program: Quit, WaitForQuit, and what becomes of cothreads at exit."""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress
from typing import Final

from .clock import Timedout
from .events import Event
from .interrupts import set_foreground
from .scheduler import scheduler
from .tasks import Spawn, current
from .threads import leave
from .waiting import Sleep

__all__ = ["Quit", "WaitForQuit"]

EXIT_S: Final = 1.0
"""How long cothreads may take to clean up when the interpreter ends."""

_quit = Event[None](auto_reset=False)


def Quit() -> None:
    """Make `WaitForQuit` return, now and whenever it is called later.

    Thread: any.
    """
    if threading.get_ident() == scheduler.thread_id:
        _quit.Signal()
    else:
        scheduler.call_soon_threadsafe(_quit.Signal)


def WaitForQuit(catch_interrupt: bool = True) -> None:
    """Wait until `Quit` is called: the last line of a program that lives in its cothreads.

    Args:
        catch_interrupt: return on Ctrl-C too, instead of raising KeyboardInterrupt.
    Suspends: unless `Quit` has been called.
    """
    previous = set_foreground(current())
    try:
        _quit.Wait()
    except KeyboardInterrupt:
        if not catch_interrupt:
            raise
    finally:
        set_foreground(previous)


def _end_cothreads() -> None:
    """Cancel all cothreads, so that their `finally` blocks run before the interpreter ends."""
    if not scheduler.started or threading.get_ident() != scheduler.thread_id:
        return
    leave()
    deadline = scheduler.clock() + EXIT_S
    while Spawn.Cothreads and scheduler.clock() < deadline:
        for task in list(Spawn.Cothreads):
            with suppress(Exception):
                task.Cancel()
        for task in list(Spawn.Cothreads):
            with suppress(Exception, Timedout):
                task.Wait(max(0.0, deadline - scheduler.clock()) / 4)
        Sleep(0.001)


def _at_start() -> None:
    atexit.unregister(_end_cothreads)
    atexit.register(_end_cothreads)


scheduler.at_start(_at_start)
