# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C: it always interrupts the foreground cothread, and never one in the background.

The handler raises KeyboardInterrupt there and then only when it finds the foreground running its
own code.  In all other cases (the scheduler is idle, a background cothread runs, or the library's
own bookkeeping would be cut short) it leaves word with the hub, which raises it in the foreground
where that is suspended.  If that does not happen because some cothread holds the scheduler, a
second Ctrl-C within `AGAIN_S` interrupts that one.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Final

from greenlet import getcurrent

from .clock import monotonic
from .errors import CothreadError
from .scheduler import scheduler
from .tasks import Spawn

__all__ = ["AGAIN_S", "BOUNCE_S", "foreground", "pending", "request_interrupt", "set_foreground"]

AGAIN_S: Final = 2.0
BOUNCE_S: Final = 0.1
"""A second Ctrl-C sooner than this is the first one, delivered twice."""

# An exception in the middle of their bookkeeping could leave it inconsistent.
_DEFERRING: Final = {"cothread", "catools", "contextlib"}

_foreground: Spawn[Any] | None = None
_first = float("-inf")
_pending = False


def set_foreground(task: Spawn[Any] | None) -> Spawn[Any] | None:
    """Say which cothread Ctrl-C interrupts; None is the main program.

    Returns:
        The one before.
    """
    global _foreground
    previous, _foreground = _foreground, task
    return previous


def foreground() -> Spawn[Any] | None:
    """Return the cothread that Ctrl-C interrupts; None is the main program."""
    return _foreground


def pending() -> bool:
    """Whether an interrupt has been asked for and could not be delivered yet."""
    return _pending


def _strand() -> Any:
    if _foreground is not None and not _foreground:
        return _foreground.strand
    return scheduler.main


def request_interrupt(frame: FrameType | None = None) -> None:
    """Raise KeyboardInterrupt in the foreground, as soon as that is safe.

    Args:
        frame: what was running when the signal came, if called by a signal handler.
    Raises:
        KeyboardInterrupt: the foreground itself is running its own code.
    """
    global _first, _pending
    now = monotonic()
    running = getcurrent()
    in_user_code = (
        frame is not None
        and running is not scheduler.hub
        and frame.f_globals.get("__name__", "").partition(".")[0] not in _DEFERRING
    )
    age = now - _first
    if in_user_code and (running is _strand() or (_pending and BOUNCE_S <= age <= AGAIN_S)):
        _pending = False
        raise KeyboardInterrupt
    if not _pending or age > AGAIN_S:
        _first = now
    _pending = True
    scheduler.interrupt = _deliver
    scheduler.call_soon_threadsafe(_nothing)


def _nothing() -> None:
    """Make the hub take its turn."""


def _deliver() -> None:
    global _pending
    if not _pending:
        return
    _pending = False
    try:
        scheduler.throw(_strand(), KeyboardInterrupt())
    except CothreadError:
        # It ended meanwhile; there is nothing to interrupt.
        return


def _on_sigint(_signum: int, frame: FrameType | None) -> None:
    if frame is None:
        # No Python code runs at all: Python's own prompt is waiting for a key.
        raise KeyboardInterrupt
    request_interrupt(frame)


def installed() -> bool:
    """Tell whether SIGINT is ours."""
    return signal.getsignal(signal.SIGINT) is _on_sigint


def install() -> None:
    """Take over SIGINT, unless the program has a handler of its own."""
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, _on_sigint)


scheduler.at_start(install)
