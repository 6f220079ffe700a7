# SPDX-License-Identifier: Apache-2.0
"""A value that comes once, for one who waits: what an `Event` does, at two thirds of the price."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar, cast

from greenlet import getcurrent

from . import switching, waits
from .clock import Timedout, Timeout, expiry
from .switching import add_timer, park
from .waits import ReadyQueue, Wait

__all__ = ["Once"]

T = TypeVar("T")

ready: Final[ReadyQueue] = waits.ready
_NONE_YET: Final = object()
_TIMED_OUT: Final = "Timed out waiting for a value"


class Once(Wait, Generic[T]):
    """Holds a value that is signalled once, until the one cothread that waits for it takes it.

    For engines that make one for each request.  It is its own record of the wait.
    """

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self.target = None
        self.what: object = self
        self.deadline = self.outcome = None
        self._value: Any = _NONE_YET

    def waiting_for(self) -> str:
        """Say in words what is waited for."""
        return type(self).__name__

    def Wait(self, timeout: Timeout = None) -> T:
        """Return the value, waiting for it if need be.

        Raises:
            Timedout: it did not come in time.
        Suspends: unless the value is there, or the timeout has expired.
        """
        if self._value is _NONE_YET:
            if timeout is not None:
                self.deadline = deadline = expiry(timeout)
                if deadline is not None:
                    if deadline <= switching.clock():
                        raise Timedout(_TIMED_OUT)
                    add_timer(deadline, self)
            self.target = getcurrent()
            if not park(self):
                raise Timedout(_TIMED_OUT)
        # Its timer may stay for long yet, and must not keep alive what came.
        value, self._value = self._value, _NONE_YET
        return cast(T, value)

    def Signal(self, value: T) -> None:
        """Give the value, and wake who waits for it."""
        self._value = value
        strand = self.target
        if strand is not None:
            self.target = None
            ready.append(strand)
