# SPDX-License-Identifier: Apache-2.0
"""The switch: how a cothread gives way.  Everything here runs thousands of times a second.

Theory: one deque holds the greenlets that are ready.  A cothread that suspends takes the next one
from it and switches straight there; no greenlet in the middle is passed through.  The hub (see
`scheduler`) gets its turn when nothing is ready, and when it is due.

Invariants:
 * The clock is read once per switch, and bounds the time between two turns of the hub.
 * The next greenlet is popped and switched to without a call in between: a Python signal handler
   that raises can run only after a call, so it can never lose a cothread.

Giving way is spelt out in `park`, `wait_in`, `Yield` and `relinquish`, and their state is global,
because a call and an attribute each cost as much as a tenth of the switch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from heapq import heapify, heappush
from typing import Any, Final, TypeAlias

from greenlet import getcurrent

from . import waits
from .clock import Timeout, expiry, monotonic
from .waits import TIMED_OUT, Alarm, ReadyQueue, Wait

__all__ = ["Yield", "add_timer", "park", "relinquish", "wait_in", "wake_everyone", "wake_one"]

# Not imported by its name: Python takes a call of an imported name's method for one of a module's
# function, and never specialises it.  That is a tenth of the switch.
ready: Final[ReadyQueue] = waits.ready

# The hub writes these, and so does whoever wants it to have its turn soon.
since = 0.0
"""When the hub had its last turn."""
due = 0.0
"""When the hub must have its next turn."""
clock: Callable[[], float] = monotonic

# The hub's own part, which it fills in.
through_hub: Callable[[Any, float], None] = None  # type: ignore[assignment]
"""Suspend the given greenlet, at the given time, and let the hub have its turn."""
enter: Callable[[Any], None] = None  # type: ignore[assignment]
"""Make a greenlet that the scheduler does not know yet one that may suspend, or raise."""

timers: Final[list[tuple[float, int, Alarm]]] = []
"""A heap: deadline, order of setting, what to do then."""
idlers: Final[deque[Wait]] = deque()
"""Who waits for nothing else to be ready."""
pool: Final[list[Any]] = []
"""Finished greenlets, ready for the next cothread."""

Queue: TypeAlias = deque[Wait] | list[Wait]

_sequence = 0
_stale_limit = 1000


def park(wait: Wait) -> bool:
    """Suspend the calling cothread until `wait` ends.

    Args:
        wait: made for the calling greenlet, and already in the reach of whoever will wake it.
    Returns:
        True when woken, False when its deadline passed.
    Raises:
        WrongThread: not in the scheduler's thread.
    Suspends: always.
    """
    strand: Any = wait.target
    try:
        try:
            strand.cpu_s  # noqa: B018  # only those that have entered the scheduler have it
        except AttributeError:
            enter(strand)
        strand.wait = wait
        if ready and clock() < due:
            ready.popped.switch()
        else:
            through_hub(strand, clock())
    except BaseException:
        _give_up(wait, strand)
        raise
    # Its timer may stay for long yet, and must not keep alive what was waited for.
    wait.what = None
    return wait.outcome is None or _outcome(wait)


def wait_in(queue: Queue, what: object, deadline: float | None) -> bool:
    """Suspend the calling cothread in `queue`, from which somebody will wake it.

    Args:
        what: what is waited for, for inspection.
        deadline: monotonic, or None.
    Returns:
        True when woken; False when the deadline passed, or had passed already.
    Raises:
        WrongThread: not in the scheduler's thread.
    Suspends: unless the deadline has passed already.
    """
    strand: Any = getcurrent()
    wait = Wait()
    wait.target = strand
    wait.what = what
    wait.deadline = deadline
    wait.outcome = None
    try:
        if deadline is not None:
            if deadline <= clock():
                enter(strand)
                return False
            add_timer(deadline, wait)
        queue.append(wait)
        try:
            strand.cpu_s  # noqa: B018  # only those that have entered the scheduler have it
        except AttributeError:
            enter(strand)
        strand.wait = wait
        if ready and clock() < due:
            ready.popped.switch()
        else:
            through_hub(strand, clock())
    except BaseException:
        _give_up(wait, strand)
        _drop(wait, queue)
        raise
    wait.what = None
    if wait.outcome is None:
        return True
    _drop(wait, queue)
    return _outcome(wait)


def wake_one(queue: deque[Wait]) -> None:
    """Wake the first in `queue` who still waits."""
    while queue:
        wait = queue[0]
        strand = wait.target
        if strand is not None:
            # As `wait.wake()`, without a call.
            wait.target = None
            ready.append(strand)
            queue.popleft()
            return
        queue.popleft()


def wake_everyone(queue: deque[Wait]) -> None:
    """Wake all who wait in `queue`."""
    while queue:
        queue[0].wake()
        queue.popleft()


def _give_up(wait: Wait, strand: Any) -> None:
    """End a wait because a signal handler raised in it, or the thread was wrong."""
    if wait.target is None:
        with suppress(ValueError):
            ready.remove(strand)
    wait.target = wait.what = None


def _outcome(wait: Wait) -> bool:
    outcome, wait.outcome = wait.outcome, None
    if outcome is TIMED_OUT:
        return False
    assert isinstance(outcome, BaseException)
    raise outcome


def _drop(wait: Wait, queue: Queue) -> None:
    # A signal that came after the timeout has dropped it from the queue already.
    with suppress(ValueError):
        queue.remove(wait)


class _Yielding:
    def waiting_for(self) -> str:
        return "Yield until nothing else is ready"


_YIELDING: Final = _Yielding()


def Yield(timeout: Timeout = 0) -> None:
    """Let all other ready cothreads run.

    Args:
        timeout: 0 returns when every cothread that is ready now has run once.  Otherwise returns
            when no other cothread is ready at all, or at the timeout; None is no timeout.
    Raises:
        WrongThread: not in the scheduler's thread.
    Suspends: always.
    """
    if timeout != 0:
        deadline = expiry(timeout)
        if deadline is None or deadline > clock():
            wait_in(idlers, _YIELDING, deadline)
            return
    strand: Any = getcurrent()
    try:
        try:
            strand.cpu_s  # noqa: B018  # only those that have entered the scheduler have it
        except AttributeError:
            enter(strand)
        ready.append(strand)
        if clock() < due:
            ready.popped.switch()
        else:
            through_hub(strand, clock())
    except BaseException:
        with suppress(ValueError):
            ready.remove(strand)
        raise


def relinquish(strand: Any) -> None:
    """Give way at the end of a cothread: its greenlet comes back with the next cothread.

    Suspends: always.
    """
    # Its last wait may hold an exception, and so everything that the cothread could see.
    strand.wait = None
    pool.append(strand)
    if ready and clock() < due:
        strand.task = None
        ready.popped.switch()
    else:
        through_hub(strand, clock())


def add_timer(deadline: float, alarm: Alarm) -> None:
    """Have `alarm.expire()` called at a monotonic time; disarm it by clearing its target."""
    global due, _sequence, _stale_limit
    _sequence += 1
    heappush(timers, (deadline, _sequence, alarm))
    if deadline < due:
        due = deadline
    if len(timers) > _stale_limit:
        # Most waits end before their timeout: drop them when they are the majority.
        timers[:] = [timer for timer in timers if timer[2].target is not None]
        heapify(timers)
        _stale_limit = max(1000, 2 * len(timers))
