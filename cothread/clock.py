# SPDX-License-Identifier: Apache-2.0
"""The two clocks, and the border between them.

Inside the library every deadline is monotonic, so that a stepped system clock moves no timer.
Deadlines given by users as `(t,)` are `time.time()` values: `expiry` converts them, once.
"""

from __future__ import annotations

from time import monotonic, time
from typing import TypeAlias

__all__ = ["AbsTimeout", "Deadline", "GetDeadline", "Timedout", "Timeout", "expiry", "monotonic"]

Timeout: TypeAlias = float | tuple[float | None] | None
"""Seconds from now, `(deadline,)` on the `time.time()` clock, or None for never."""


class Timedout(TimeoutError):
    """A wait ended because its timeout expired."""


def expiry(timeout: Timeout) -> float | None:
    """Convert any form of timeout to a monotonic deadline.

    Returns:
        Seconds on the monotonic clock, or None for never.
    Raises:
        TypeError: `timeout` is neither a number, None nor a one-element tuple.
        ValueError: `timeout` is not a number (NaN).
    """
    if timeout is None:
        return None
    offset = 0.0
    seconds: float | None
    if isinstance(timeout, tuple):
        if len(timeout) != 1:
            raise TypeError(f"a deadline is a tuple of one element, (t,), not {timeout!r}")
        (seconds,) = timeout
        if seconds is None:
            return None
        offset = time()
    else:
        seconds = timeout
    try:
        deadline = monotonic() + (seconds - offset)
    except TypeError:
        raise TypeError(
            f"timeout must be seconds, None or a deadline (t,), not {timeout!r}"
        ) from None
    if deadline != deadline:
        raise ValueError("timeout is NaN; give seconds, None or a deadline (t,)")
    return deadline


def AbsTimeout(timeout: Timeout) -> tuple[float | None] | None:
    """Convert a timeout to an absolute one, so that several waits can share it.

    Returns:
        None for never, otherwise `(deadline,)` on the `time.time()` clock.
    """
    if timeout is None or isinstance(timeout, tuple):
        return timeout
    return (timeout + time(),)


def GetDeadline(timeout: Timeout) -> float | None:
    """Return the deadline of a timeout on the `time.time()` clock, or None for never."""
    absolute = AbsTimeout(timeout)
    return None if absolute is None else absolute[0]


def Deadline(deadline: float | None) -> tuple[float | None]:
    """Return `deadline` (a `time.time()` value) as a timeout."""
    return (deadline,)
