# SPDX-License-Identifier: Apache-2.0
"""Communication between cothreads: Event, Pulse, EventQueue, RLock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from threading import get_ident
from typing import Any, Generic, TypeVar

from greenlet import getcurrent

from . import switching
from .clock import Timedout, Timeout, expiry
from .errors import CothreadError, WrongThread
from .scheduler import scheduler
from .switching import wait_in, wake_everyone, wake_one
from .waits import Wait

__all__ = ["Event", "EventQueue", "Pulse", "RLock"]

T = TypeVar("T")

ready = switching.ready  # see there why it is not imported by its name

_EMPTY, _VALUE, _EXCEPTION = range(3)
_TIMED_OUT = "Timed out waiting for event"


class _Waited:
    """Something that cothreads queue up for, first come first served."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: deque[Wait] = deque()

    def waiting_for(self) -> str:
        """Say in words what waiting for this is."""
        return type(self).__name__


class Event(_Waited, Generic[T]):
    """Holds at most one value, or exception, and wakes those who wait for it.

    Args:
        auto_reset: one `Wait` consumes the value; otherwise it stays until `Reset`, for all.
    """

    __slots__ = ("_auto_reset", "_state", "_value")

    def __init__(self, auto_reset: bool = True) -> None:
        self._waiters = deque()
        self._auto_reset = auto_reset
        self._state = _EMPTY
        self._value: Any = None

    def __bool__(self) -> bool:
        return self._state != _EMPTY

    def Wait(self, timeout: Timeout = None) -> T:
        """Return the value signalled, waiting for it if need be.

        Raises:
            Timedout: there was no signal in time.
            BaseException: the one given to `SignalException`.
        Suspends: unless the event is signalled or the timeout has expired.
        """
        if self._state == _EMPTY:
            deadline = None if timeout is None else expiry(timeout)
            try:
                while True:
                    if not wait_in(self._waiters, self, deadline):
                        raise Timedout(_TIMED_OUT)
                    # Somebody may have taken the value between our wake-up and our turn.
                    if self._state != _EMPTY:
                        break
            except BaseException:
                # We may have been woken and then cancelled: the signal belongs to the next one.
                if self._state != _EMPTY:
                    wake_one(self._waiters)
                raise
        state = self._state
        value = self._value
        if self._auto_reset:
            self._state = _EMPTY
            self._value = None
        if state == _EXCEPTION:
            try:
                raise value
            finally:
                # The error knows this frame: what stands here would keep it, and be kept by it.
                del self, value
        return value  # type: ignore[no-any-return]

    def Signal(self, value: T | None = None) -> None:
        """Mark the event as signalled with `value`, and wake one waiter, or all of them.

        Raises:
            WrongThread: called from an ordinary thread.
        """
        if get_ident() != scheduler.thread_id:
            raise WrongThread("Event.Signal")
        # First wake, then set: if a signal handler raises in between, nobody is left waiting for
        # a value that is there.
        waiters = self._waiters
        if waiters:
            wait = waiters[0]
            strand = wait.target
            if self._auto_reset and self._state == _EMPTY and strand is not None:
                # This is `wake_one`, spelt out because most signals come this way.
                wait.target = None
                ready.append(strand)
                waiters.popleft()
            else:
                self._wake()
        self._state = _VALUE
        self._value = value

    def SignalException(self, exception: BaseException | type[BaseException]) -> None:
        """Mark the event as signalled; waiting for it raises `exception`.

        Raises:
            TypeError: `exception` cannot be raised.
        """
        kind = exception if isinstance(exception, type) else type(exception)
        if not issubclass(kind, BaseException):
            raise TypeError(f"SignalException takes an exception, not {exception!r}")
        scheduler.check_thread("Event.SignalException")
        self._wake()
        self._state = _EXCEPTION
        self._value = exception

    def _wake(self) -> None:
        if not self._auto_reset:
            wake_everyone(self._waiters)
        elif self._state == _EMPTY:
            wake_one(self._waiters)
        # Otherwise whoever is to take the value that is there has been woken already.

    def Reset(self) -> None:
        """Forget the value or exception."""
        self._state = _EMPTY
        self._value = None

    def AbortWait(self) -> None:
        """Give up a claim on the event, as WaitForAll does for those it will not wait for."""

    def __repr__(self) -> str:
        state = "signalled" if self else "not signalled"
        return f"<{type(self).__name__}: {state}, {len(self._waiters)} waiting>"


class Pulse(_Waited):
    """Wakes whoever waits at the moment of the signal; holds nothing."""

    __slots__ = ()

    def Wait(self, timeout: Timeout = None) -> None:
        """Wait for the next signal.

        Raises:
            Timedout: there was none in time.
        Suspends: unless the timeout has expired.
        """
        if not wait_in(self._waiters, self, expiry(timeout)):
            raise Timedout(_TIMED_OUT)

    def Signal(self, wake_all: bool = True) -> None:
        """Wake all who wait, or only the first of them."""
        scheduler.check_thread("Pulse.Signal")
        if wake_all:
            wake_everyone(self._waiters)
        else:
            wake_one(self._waiters)


class EventQueue(_Waited, Generic[T]):
    """A stream of values between cothreads; also an iterator over them, which waits as `Wait` does.

    Args:
        max_length: how many values it holds; further ones are refused.  None is no limit.
    """

    __slots__ = ("_closed", "_max_length", "_queue")

    def __init__(self, max_length: int | None = None) -> None:
        super().__init__()
        self._queue: deque[T] = deque()
        self._max_length = max_length
        self._closed = False

    def __len__(self) -> int:
        return len(self._queue)

    def Wait(self, timeout: Timeout = None) -> T:
        """Return the next value, waiting for it if need be.

        Raises:
            Timedout: there was none in time.
            StopIteration: the queue is closed and empty.
        Suspends: unless there is a value, or the timeout has expired.
        """
        if not self._queue:
            self._wait(None if timeout is None else expiry(timeout))
        return self._queue.popleft()

    def _wait(self, deadline: float | None) -> None:
        try:
            while not self._queue:
                if self._closed:
                    raise StopIteration
                if not wait_in(self._waiters, self, deadline):
                    raise Timedout(_TIMED_OUT)
        except BaseException:
            if self._queue:
                wake_one(self._waiters)
            raise

    def Signal(self, value: T = None) -> bool:  # type: ignore[assignment]
        """Append a value and wake one waiter.

        Returns:
            False when the queue is full; the value is dropped.
        Raises:
            CothreadError: the queue is closed.
            WrongThread: called from an ordinary thread.
        """
        if get_ident() != scheduler.thread_id:
            raise WrongThread("EventQueue.Signal")
        if self._closed:
            raise CothreadError("Can't write to a closed queue")
        if self._max_length is not None and len(self._queue) >= self._max_length:
            return False
        waiters = self._waiters
        if waiters:
            wait = waiters[0]
            strand = wait.target
            if strand is not None:
                # This is `wake_one`, spelt out as in `Event.Signal`.
                wait.target = None
                ready.append(strand)
                waiters.popleft()
            else:
                wake_one(waiters)
        self._queue.append(value)
        return True

    def Reset(self) -> None:
        """Drop all values."""
        self._queue.clear()

    def close(self) -> None:
        """Refuse further values; those who wait when it is empty get StopIteration."""
        self._closed = True
        wake_everyone(self._waiters)

    def AbortWait(self) -> None:
        """Give up a claim on the queue, as WaitForAll does for those it will not wait for."""

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self.Wait()


class RLock(_Waited):
    """A lock that one cothread may hold several times over; waiters get it in order.

    As a context manager it is taken with `acquire`, which may suspend.
    """

    __slots__ = ("_count", "_owner")

    def __init__(self) -> None:
        super().__init__()
        self._owner: Any = None
        self._count = 0

    def acquire(self, timeout: Timeout = None) -> None:
        """Take the lock.

        Raises:
            Timedout: others held it too long.
        Suspends: unless it is free, or the caller's own.
        """
        scheduler.check_thread("RLock.acquire")
        caller = self._caller()
        if self._owner is not caller:
            deadline = expiry(timeout)
            try:
                while self._owner is not None:
                    if not wait_in(self._waiters, self, deadline):
                        raise Timedout(_TIMED_OUT)
            except BaseException:
                if self._owner is None:
                    wake_one(self._waiters)
                raise
            self._owner = caller
        self._count += 1

    def release(self) -> None:
        """Give the lock back.

        Raises:
            CothreadError: the caller does not hold it.
        """
        if self._owner is not self._caller():
            raise CothreadError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            wake_one(self._waiters)

    @staticmethod
    def _caller() -> object:
        # The cothread, not its greenlet: greenlets are used again by other cothreads.
        strand = getcurrent()
        task = getattr(strand, "task", None)
        return strand if task is None else task

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()
