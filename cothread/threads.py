# SPDX-License-Identifier: Apache-2.0
"""The bridge to ordinary threads: everything here may be called from any of them."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any, Final, Generic, ParamSpec, Protocol, TypeVar

from . import hooks
from .clock import Timedout, Timeout, expiry, monotonic
from .coselect import wait_readable
from .events import Event
from .scheduler import scheduler
from .tasks import Spawn
from .waiting import Sleep

__all__ = ["Callback", "CallbackQueue", "CallbackResult", "ThreadedEventQueue", "in_thread"]

P = ParamSpec("P")
T = TypeVar("T")

_LOOK_S: Final = 0.02
"""How often the end of the main program looks whether other threads have ended."""

_callers: set[int] = set()
"""The threads that wait in `CallbackResult`."""
_left = False
"""Whether the interpreter ends: cothreads are cancelled, and nobody is told."""


class CallbackQueue:
    """Calls handed over by other threads, made one after the other in one cothread.

    Attributes:
        made: how many calls have been made so far.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._worker: Spawn[None] | None = None
        self.made = 0

    def __len__(self) -> int:
        return len(self._calls)

    def __call__(self, action: Callable[..., object], *args: Any) -> None:
        """Have `action(*args)` called in a cothread, after all calls handed over before.

        Thread: any.
        """
        self._calls.append((action, args))
        scheduler.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        if self._calls and (self._worker is None or self._worker):
            self._worker = Spawn(self._work)
            self._worker.name = "callbacks"

    def _work(self) -> None:
        while self._calls:
            action, args = self._calls.popleft()
            self.made += 1
            try:
                action(*args)
            except Exception as exc:
                hooks.report("Asynchronous callback raised uncaught exception", exc)

    def forget(self) -> None:
        """Drop all calls: they were handed over to the parent of a fork."""
        self._calls.clear()
        self._worker = None


Callback = CallbackQueue()
scheduler.at_fork(Callback.forget)


class _Hand(Protocol):
    def __call__(self, action: Callable[..., object], *args: Any) -> None: ...


def CallbackResult(
    action: Callable[..., T],
    *args: Any,
    callback_queue: _Hand = Callback,
    callback_timeout: float | None = None,
    callback_spawn: bool = True,
    **kargs: Any,
) -> T:
    """Call `action(*args, **kargs)` in a cothread, and return its result to this thread.

    Args:
        callback_queue: where to hand over the call.
        callback_timeout: seconds to wait for the result, or None.
        callback_spawn: give the call a cothread of its own, so that it holds up no other.
    Raises:
        Timedout: there was no result in time; the call goes on.
        BaseException: what `action` raised.
    Suspends: only as `action` does, in the scheduler's own thread, where this is a plain call.
    Thread: any; another one blocks.
    """
    if threading.get_ident() == scheduler.thread_id:
        return action(*args, **kargs)
    done = threading.Event()
    result: Any = None
    failure: BaseException | None = None

    def call() -> None:
        nonlocal result, failure
        try:
            result = action(*args, **kargs)
        except BaseException as exc:
            if _left:
                return  # only daemons are left, and they end in silence
            failure = exc
        done.set()

    me = threading.get_ident()
    _callers.add(me)
    try:
        _serve_pools_at_exit()
        if callback_spawn:
            callback_queue(Spawn, call)
        else:
            callback_queue(call)
        if not done.wait(callback_timeout):
            raise Timedout("Timed out waiting for callback result")
    finally:
        _callers.discard(me)
    if failure is not None:
        try:
            raise failure
        finally:
            failure = None
    return result  # type: ignore[no-any-return]


def leave() -> None:
    """Let threads that still wait for cothreads wait on: the interpreter ends."""
    global _left
    _left = True


def _serve() -> None:
    """Let cothreads run until the threads have ended for which the interpreter waits.

    They may wait for a cothread, and if the interpreter only waited for them, so would all.
    """
    while threading.get_ident() == scheduler.thread_id and any(
        map(_awaited, threading.enumerate())
    ):
        Sleep(_LOOK_S)


def _awaited(thread: threading.Thread) -> bool:
    if thread.daemon or thread is threading.current_thread():
        return False
    # Those that belong to a pool are told to end after this.
    for module, pool in (("thread", "_threads_queues"), ("process", "_threads_wakeups")):
        if thread in getattr(sys.modules.get(f"concurrent.futures.{module}"), pool, ()):
            return thread.ident in _callers
    return True


def _serve_at_exit() -> None:
    """Have cothreads run before the interpreter waits for threads."""
    register: Callable[[Callable[[], None]], None] | None
    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        with contextlib.suppress(RuntimeError):  # it waits already
            register(_serve)


_serve_at_exit()
# Once more, for what is registered last is called first: before a pool waits for its threads.
_serve_pools_at_exit = cache(_serve_at_exit)


def in_thread(function: Callable[P, T], *args: P.args, **kargs: P.kwargs) -> T:
    """Call a function that blocks in an ordinary thread, and return its result.

    It must not call anything here but `Callback` and what else says "Thread: any".

    Raises:
        BaseException: what the function raised.
    Suspends: always, in the scheduler's thread.  A cancelled cothread does not wait any longer,
        but the function cannot be stopped, and goes on.
    Thread: any; in all but the scheduler's this is a plain call.
    """
    if threading.get_ident() != scheduler.thread_id:
        return function(*args, **kargs)
    result: Event[T] = Event()

    def call() -> None:
        try:
            value = function(*args, **kargs)
        except BaseException as exc:
            failure = exc  # the name in the clause is gone by the time of the call
            scheduler.call_soon_threadsafe(lambda: result.SignalException(failure))
        else:
            scheduler.call_soon_threadsafe(lambda: result.Signal(value))

    name = getattr(function, "__name__", repr(function))
    threading.Thread(target=call, name=name, daemon=True).start()
    return result.Wait()


class ThreadedEventQueue(Generic[T]):
    """A stream of values between threads and cothreads, in either direction.

    Attributes:
        wait_descriptor: readable while there is a value; for waiting only, never to be read.
    """

    def __init__(self) -> None:
        self._queue: deque[T] = deque()
        self._lock = threading.Lock()
        self.wait_descriptor, self._signal_descriptor = os.pipe()
        os.set_blocking(self.wait_descriptor, False)

    def __len__(self) -> int:
        return len(self._queue)

    def Signal(self, value: T) -> None:
        """Append a value; never blocks.

        Thread: any.
        """
        with self._lock:
            self._queue.append(value)
            if len(self._queue) == 1:
                os.write(self._signal_descriptor, b"\0")

    def Wait(self, timeout: Timeout = None) -> T:
        """Return the next value, waiting for it if need be.

        Raises:
            Timedout: there was none in time.
        Suspends: a cothread, unless there is a value.
        Thread: any; a thread blocks.
        """
        deadline = None if timeout is None else expiry(timeout)
        while True:
            with self._lock:
                if self._queue:
                    value = self._queue.popleft()
                    if not self._queue:
                        os.read(self.wait_descriptor, 1)
                    return value
            left = None if deadline is None else deadline - monotonic()
            if left is not None and left <= 0:
                raise Timedout("Timed out waiting for signal")
            self._wait_descriptor(left)

    def _wait_descriptor(self, left: float | None) -> None:
        if threading.get_ident() == scheduler.thread_id:
            with contextlib.suppress(Timedout):
                wait_readable(self.wait_descriptor, left)
        else:
            poll = select.poll()
            poll.register(self.wait_descriptor, select.POLLIN)
            poll.poll(None if left is None else left * 1000)

    def __del__(self) -> None:
        for name in ("wait_descriptor", "_signal_descriptor"):
            if hasattr(self, name):
                with contextlib.suppress(OSError):
                    os.close(getattr(self, name))
