# SPDX-License-Identifier: Apache-2.0
"""The record of one suspension.

Law: a wait ends exactly once, by whichever comes first of signal, timeout and exception.  `target`
is the greenlet to resume; whoever ends the wait takes it, and so disarms all the others.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar, Final, Protocol

from greenlet import getcurrent, greenlet

__all__ = ["TIMED_OUT", "Alarm", "Switchable", "Thrower", "Wait", "ready"]


class Switchable(Protocol):
    """What may stand in the ready queue."""

    def switch(self) -> object:
        """Resume it."""


class Alarm(Protocol):
    """What may stand in the timer heap: `expire` is called once, at its deadline.

    An alarm whose `target` is None is disarmed, and is dropped instead.
    """

    @property
    def target(self) -> object:
        """None once disarmed."""

    def expire(self) -> None:
        """Do what is to be done."""


class ReadyQueue(deque[Switchable]):
    """What runs next, in order.

    Attributes:
        popped: reading it removes the first in the queue and returns it.  It is no method, because
            Python runs signal handlers after a call: one that raises would lose what was popped.
    """

    __slots__ = ()

    popped: Any = property(deque.popleft)


ready: Final = ReadyQueue()
"""The ready queue of the process.  The scheduler's own greenlet stands in it too."""

TIMED_OUT: Final = object()


class Wait:
    """One suspension of one cothread.

    Attributes:
        target: the greenlet that is suspended; None once the wait has ended.
        what: what is waited for; its `waiting_for()` or repr tells people.
        deadline: monotonic, or None.
        outcome: None when woken, `TIMED_OUT`, or the exception to raise in the cothread.

    Whoever makes one fills in all four: an `__init__` would double the price.
    """

    __slots__ = ("deadline", "outcome", "target", "what")

    claims: ClassVar[bool] = True
    target: greenlet | None
    what: object
    deadline: float | None
    outcome: Any

    @staticmethod
    def of(strand: greenlet, what: object) -> Wait:
        """Return the record of a wait of `strand` for `what`, without a deadline."""
        wait = Wait()
        wait.target = strand
        wait.what = what
        wait.deadline = wait.outcome = None
        return wait

    def wake(self) -> bool:
        """Make the cothread ready; False when the wait had ended already."""
        strand = self.target
        if strand is None:
            return False
        self.target = None
        ready.append(strand)
        return True

    def expire(self) -> None:
        """End the wait because its deadline has passed."""
        if self.target is not None:
            self.outcome = TIMED_OUT
            self.wake()

    def throw(self, exc: BaseException) -> bool:
        """End the wait by raising `exc` in the cothread; False when it had ended already."""
        if self.target is None:
            return False
        self.outcome = exc
        return self.wake()


class Thrower:
    """Stands in the ready queue for a cothread that is to be resumed with an exception.

    The hub does it: whoever throws holds the exception, and with it all frames of its traceback,
    until he runs again himself, and the hub soon does.
    """

    __slots__ = ("exc", "hub", "strand")

    def __init__(self, strand: greenlet, exc: BaseException, hub: greenlet) -> None:
        self.strand = strand
        self.exc: BaseException | None = exc
        self.hub = hub

    def switch(self) -> object:
        """Resume the cothread by raising the exception in it."""
        if getcurrent() is not self.hub and not self.hub.dead:
            ready.appendleft(self)
            return self.hub.switch()
        exc, self.exc = self.exc, None
        assert exc is not None
        return self.strand.throw(exc)
