# SPDX-License-Identifier: Apache-2.0
"""asyncio as a guest: an event loop whose `select()` suspends only its own cothread.

A `GuestLoop` is an ordinary asyncio selector loop that runs inside one cothread.  When it has
nothing to do, its cothread waits like any other, so everything else goes on.  asyncio marks the
thread as having a running loop, and a running task; these marks belong to the cothread, so they are
lifted whenever the cothread is suspended, and others may run loops of their own.
"""

from __future__ import annotations

import asyncio
import selectors
import signal
import threading
import warnings
from asyncio import events, tasks
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, Final, TypeVar

from ..clock import monotonic
from ..coselect import POLLIN, wait_events
from ..errors import CothreadError
from ..events import Event
from ..scheduler import scheduler
from ..tasks import Spawn, Waitable
from ..waiting import Yield

__all__ = ["CooperativeSelector", "GuestLoop", "as_future", "asyncio_hook", "run_async"]

T = TypeVar("T")

swap_current_task: Final[Callable[..., Any]] = getattr(tasks, "_swap_current_task", lambda *_: None)
"""Since Python 3.14 a thread has one running task, and before each loop had one."""
URGENT_TURN_S: Final = 0.002
"""An urgent loop that has callbacks to run may go on so long before others get a turn: a key is
echoed by the fourth callback or so after the one that reads it, and others may have long turns."""


class CooperativeSelector(selectors.BaseSelector):
    """A selector that waits by suspending the calling cothread.

    Args:
        urgent: whether its descriptors, and the callbacks that follow, overtake other work; the
            keyboard's do.
    """

    def __init__(self, urgent: bool = False) -> None:
        self._inner = selectors.EpollSelector()
        self._urgent = urgent
        self._turn_ends = 0.0
        self._running: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self.waiting = False

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a file."""
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Stop watching a file."""
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Change what is watched of a file."""
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the files watched, and their keys."""
        return self._inner.get_map()

    def close(self) -> None:
        """Close the selector."""
        self._inner.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, waiting up to `timeout` seconds for it.

        Suspends: always, so that a busy loop starves nobody; an urgent one that has something to
            do goes on until it has had a turn of 2 ms.
        """
        if self._urgent and timeout is not None and timeout <= 0 and monotonic() < self._turn_ends:
            return self._inner.select(0)
        self.suspend()
        scheduler.host(None)
        try:
            if timeout is not None and timeout <= 0:
                Yield()
            else:
                deadline = None if timeout is None else monotonic() + timeout
                self.waiting = True
                wait_events({self._inner.fileno(): POLLIN}, deadline, self._urgent)
        finally:
            self.waiting = False
            self.resume()
            scheduler.host(self)
            if self._urgent:
                self._turn_ends = monotonic() + URGENT_TURN_S
        return self._inner.select(0)

    def suspend(self) -> None:
        """Lift asyncio's marks of a running loop and task from the thread."""
        self._running = events._get_running_loop()
        if self._running is not None:
            self._task = swap_current_task(self._running, None)
        events._set_running_loop(None)

    def resume(self) -> None:
        """Put the marks back."""
        events._set_running_loop(self._running)
        if self._task is not None:
            swap_current_task(self._running, self._task)
            self._task = None


class GuestLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop that runs inside a cothread: `asyncio.Runner(loop_factory=GuestLoop)`.

    Args:
        urgent: whether its input overtakes everything else that is ready.
    """

    def __init__(self, urgent: bool = False) -> None:
        self._cooperative = CooperativeSelector(urgent)
        super().__init__(self._cooperative)

    def run_forever(self) -> None:
        """Run until stopped.

        Suspends: whenever it has nothing to do, and once per round of callbacks.
        """
        try:
            super().run_forever()
        finally:
            scheduler.host(None)

    def call_soon(  # type: ignore[override]  # typeshed ties the arguments to the callback's
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule a callback; other cothreads of the thread may call this too."""
        handle = super().call_soon(callback, *args, context=context)
        if self._cooperative.waiting:
            self._wake()
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback for a time; other cothreads of the thread may call this too."""
        handle = super().call_at(when, callback, *args, context=context)
        if self._cooperative.waiting:
            self._wake()
        return handle

    def _wake(self) -> None:
        self._cooperative.waiting = False
        self._write_to_self()  # type: ignore[attr-defined]

    def remove_signal_handler(self, sig: int) -> bool:
        """Remove a signal handler, and give the scheduler its wake-up descriptor back."""
        removed: bool = super().remove_signal_handler(sig)
        if scheduler.hub is not None and signal.set_wakeup_fd(-1) == -1:
            signal.set_wakeup_fd(scheduler.poller.wake_fileno(), warn_on_full_buffer=False)
        return removed


_shared: GuestLoop | None = None


def _shared_loop() -> GuestLoop:
    """Return the loop that serves `run_async`: it runs in a cothread of its own, for ever."""
    global _shared
    if _shared is None:
        _shared = GuestLoop()
        Spawn(_serve, _shared).name = "asyncio"
    return _shared


def _serve(loop: GuestLoop) -> None:
    global _shared
    try:
        loop.run_forever()
    finally:
        _shared = None
        with suppress(BaseException):
            loop.run_until_complete(_cancel_all())
        loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _forget() -> None:
    global _shared
    _shared = None


scheduler.at_fork(_forget)


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, from a cothread, while all others go on.

    All coroutines run so share one event loop, and what they leave behind on it lives on.

    Raises:
        BaseException: what the coroutine raised.
    Suspends: always.
    """
    done = Event[None](auto_reset=False)
    loop = _shared_loop()
    task = loop.create_task(coroutine, context=copy_context())
    task.add_done_callback(lambda _: done.Signal())
    try:
        done.Wait()
    except BaseException:
        task.cancel()
        raise
    try:
        return task.result()
    finally:
        # Like the future of `as_future`: the error knows this frame.
        del task


def as_future(
    event: Waitable[T], loop: asyncio.AbstractEventLoop | None = None
) -> asyncio.Future[T]:
    """Return an asyncio future of a cothread's result, or of an event's next value.

    Args:
        loop: the loop to await it on; the running one by default.
    Raises:
        CothreadError: that loop is no `GuestLoop`, and would stop all cothreads.
    Suspends: never; awaiting the future does.
    """
    if loop is None:
        loop = asyncio.get_running_loop()
    if not isinstance(loop, GuestLoop):
        raise CothreadError(
            f"{loop!r} stops all cothreads while it waits, so it cannot wait for one; "
            "run it with asyncio.Runner(loop_factory=cothread.GuestLoop) or asyncio_hook()"
        )
    future: asyncio.Future[T] = loop.create_future()

    def wait() -> None:
        nonlocal event, future
        try:
            result = event.Wait()
        except StopIteration:
            # So a queue ends, and so a coroutine does: no future takes it for an error.
            if not future.done():
                future.set_exception(CothreadError(f"{event!r} is closed"))
        except BaseException as exc:
            if not future.done():
                future.set_exception(exc)
        else:
            if not future.done():
                future.set_result(result)
        finally:
            # The error knows this frame: what stands here would keep it, and be kept by it.
            del event, future

    waiter = Spawn(wait)
    waiter.name = f"future of {event!r}"
    future.add_done_callback(lambda _: waiter.Cancel())
    return future


def asyncio_hook() -> None:
    """Make `asyncio.run` and all new event loops cooperative: they suspend only their cothread."""
    with warnings.catch_warnings():
        # Policies go with Python 3.16, and nothing else reaches a library's own `asyncio.run`.
        warnings.simplefilter("ignore", DeprecationWarning)

        class GuestPolicy(asyncio.DefaultEventLoopPolicy):
            """Makes guest loops in the scheduler's thread, and ordinary ones in others."""

            def new_event_loop(self) -> asyncio.AbstractEventLoop:
                if threading.get_ident() == scheduler.thread_id:
                    return GuestLoop()
                return super().new_event_loop()

        asyncio.set_event_loop_policy(GuestPolicy())
