# SPDX-License-Identifier: Apache-2.0
"""Cothreads: Spawn, what becomes of them, and how to wait for and cancel them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import Context, copy_context
from threading import get_ident
from types import CodeType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from greenlet import GreenletExit, getcurrent

from . import hooks, switching
from .clock import AbsTimeout, Timedout, Timeout, expiry
from .endings import Onlooker, Unclaimed, Waiter
from .errors import Cancelled, CothreadError, WasCancelled, WrongThread
from .scheduler import Strand, scheduler
from .switching import relinquish, wait_in

__all__ = ["Protect", "Spawn", "WaitForAll", "Waitable", "current"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# See `switching` for why these are not imported by their names.
ready = switching.ready
pool = switching.pool

_NEW, _STARTED, _DONE, _FAILED, _CANCELLED = range(5)


class Waitable(Protocol[T_co]):
    """Anything with a result to wait for: a cothread, an event, a queue."""

    def Wait(self, timeout: Timeout = None) -> T_co:
        """Wait for it."""


class Spawn(Generic[T]):
    """A cothread: a call of `function(*args, **kargs)` that runs beside its spawner.

    Args:
        raise_on_wait: keep an exception for `Wait` instead of reporting it at once.
        stack_size: accepted for old programs; a cothread's stack grows as it needs.

    Attributes:
        born: when it was spawned, in monotonic seconds.

    The cothread sees a copy of the spawner's contextvars.  May be used as a decorator.
    """

    __slots__ = (
        "_args",
        "_code",
        "_function",
        "_kargs",
        "_lasti",
        "_name",
        "_protected",
        "_raise_on_wait",
        "_result",
        "_state",
        "_strand",
        "_to_raise",
        "_waiters",
        "born",
    )

    Cothreads: ClassVar[set[Spawn[Any]]] = set()
    """All cothreads that have not ended."""

    def __init__(
        self,
        function: Callable[..., T],
        *args: Any,
        raise_on_wait: bool = False,
        stack_size: int = 0,  # noqa: ARG002
        **kargs: Any,
    ) -> None:
        if get_ident() != scheduler.thread_id:
            raise WrongThread("Spawn")
        self._function = function
        self._args = args
        self._kargs = kargs or None
        self._raise_on_wait = raise_on_wait
        self._state = _NEW
        self._result: Any = None
        self._waiters: list[Any] | None = None
        self._to_raise: BaseException | None = None
        self._protected = 0
        self._name: str | None = None
        self.born = scheduler.clock()
        frame = sys._getframe(1)
        self._code: CodeType = frame.f_code
        self._lasti = frame.f_lasti
        strand = pool.pop() if pool else scheduler.new_strand()
        strand.cpu_s = 0.0
        strand.task = self
        strand.gr_context = copy_context()
        self._strand: Strand | None = strand
        _cothreads.add(self)
        ready.append(strand)
        if hooks.spawn_hook is not None:
            hooks.spawned(self)

    # -- what users do with it

    def Wait(self, timeout: Timeout = None) -> T:
        """Return the cothread's result, waiting for it if need be; as often as one likes.

        Returns:
            What the function returned; None when it failed and its exception was reported.
        Raises:
            Timedout: it is still running; it goes on.
            WasCancelled: it was cancelled.
            BaseException: what the function raised, with `raise_on_wait`.
        Suspends: unless it has ended already.
        """
        if self._state < _DONE:
            if self._state == _STARTED and getcurrent() is self._strand:
                raise CothreadError(f"{self.name} cannot wait for itself")
            if self._waiters is None:
                self._waiters = []
            deadline = None if timeout is None else expiry(timeout)
            if not wait_in(self._waiters, self, deadline):
                raise Timedout("Timed out waiting for event")
        if self._state == _DONE:
            return self._result  # type: ignore[no-any-return]
        if self._state == _CANCELLED:
            raise WasCancelled(f"{self.name} was cancelled") from self._result
        failure = self.exception
        if failure is not None and self._raise_on_wait:
            try:
                raise failure
            finally:
                # The error knows this frame: what stands here would keep it, and be kept by it.
                del self, failure
        return None  # type: ignore[return-value]

    def AbortWait(self) -> None:
        """Give up the claim on the result: an exception kept for `Wait` will not be reported."""
        if type(self._result) is Unclaimed:
            self._result = self._result.claim()

    def Cancel(self) -> bool:
        """Raise Cancelled in the cothread, at the place where it is suspended.

        Returns:
            False when it had ended already.
        Raises:
            Cancelled: it is the calling cothread itself.
        """
        scheduler.check_thread("Cancel")
        if self._state >= _DONE:
            return False
        self.raise_in(Cancelled())
        return True

    def raise_in(self, exc: BaseException) -> None:
        """Raise `exc` in the cothread at its suspension point, or as its protected section ends.

        Raises:
            CothreadError: it has ended already.
        """
        strand = self._strand
        if strand is None:
            raise CothreadError(f"{self.name} has ended")
        if self._state == _NEW or self._protected:
            self._to_raise = exc
        elif strand is getcurrent():
            raise exc
        else:
            scheduler.throw(strand, exc)

    def __bool__(self) -> bool:
        return self._state >= _DONE

    def __await__(self) -> Generator[Any, None, T]:
        from .loops.asyncio_guest import as_future

        return as_future(self).__await__()

    # -- what it says about itself

    @property
    def name(self) -> str:
        """Its name: the function's, unless another was given."""
        if self._name is not None:
            return self._name
        return getattr(self._function, "__name__", None) or repr(self._function)

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def where(self) -> str:
        """Where it was spawned: `file:line in function`."""
        code = self._code
        line = code.co_firstlineno
        for start, end, number in code.co_lines():
            if start <= self._lasti < end and number is not None:
                line = number
        return f"{code.co_filename}:{line} in {code.co_name}"

    @property
    def state(self) -> str:
        """One of ready, waiting, running, done, failed, cancelled."""
        if self._state >= _DONE:
            return ("done", "failed", "cancelled")[self._state - _DONE]
        return scheduler.state_of(self._strand)

    @property
    def strand(self) -> Strand | None:
        """The greenlet that runs it, None when it has ended."""
        return self._strand

    @property
    def exception(self) -> BaseException | None:
        """What it raised, if it failed; asking counts as having been told."""
        if self._state != _FAILED:
            return None
        if type(self._result) is Unclaimed:
            self._result = self._result.claim()
        return self._result  # type: ignore[no-any-return]

    @property
    def unclaimed(self) -> bool:
        """Whether it failed with `raise_on_wait` and nobody has been told yet."""
        return type(self._result) is Unclaimed

    def __repr__(self) -> str:
        return f"<Cothread {self.name}: {self.state}>"

    def waiting_for(self) -> str:
        """Say what waiting for this cothread is, in words."""
        return f"end of {self.name}"

    def run_in(self, context: Context) -> None:
        """Run in this context instead of a copy of the spawner's; only before it has started."""
        if self._strand is not None:
            self._strand.gr_context = context

    def on_end(self, notice: Callable[[Spawn[Any]], object]) -> None:
        """Have `notice(task)` called when the cothread ends; at once if it has.

        It must not suspend.  It claims nothing: a failure that nobody waits for is reported still.
        """
        self.add_waiter(Onlooker(notice, self))

    def add_waiter(self, waiter: Waiter) -> None:
        """Have `waiter.wake()` called when the cothread ends; at once if it has."""
        if self._state >= _DONE:
            waiter.wake()
            return
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)

    # -- what the strand does with it

    def _run(self) -> None:
        self._state = _STARTED
        try:
            if self._to_raise is not None:
                raise self._to_raise
            self._result = self._call() if self._kargs or self._args else self._function()
            self._state = _DONE
        except Cancelled as exc:
            # What failed in a protected section, before the cancellation took its place.
            self._result = exc.__context__
            self._state = _CANCELLED
        except BaseException as exc:
            self._fail(exc)
        self._end()
        # An exception knows this frame and `_call`'s: neither may keep the cothread that keeps it.
        del self

    def _call(self) -> T:
        function, args, kargs = self._function, self._args, self._kargs
        del self
        if kargs:
            return function(*args, **kargs)
        # Python before 3.12 calls with `*args` by way of the C stack, of which each suspended
        # cothread keeps a copy: half a kilobyte more to hold, and to copy at every switch.
        if len(args) == 1:
            return function(args[0])
        return function(*args)

    def _end(self) -> None:
        self._strand = None
        self._args = ()
        self._kargs = None
        self._to_raise = None
        _cothreads.discard(self)
        waiters = self._waiters
        while waiters:
            waiters[0].wake()
            del waiters[0]

    def _cut_short(self, exc: BaseException) -> None:
        """End after a signal handler has raised `exc` in the code around the function."""
        if self._state < _DONE:
            self._fail(exc)
        self._end()

    def _fail(self, exc: BaseException) -> None:
        # Our own frames tell nobody anything.
        while exc.__traceback__ and exc.__traceback__.tb_frame.f_code.co_filename == __file__:
            exc.__traceback__ = exc.__traceback__.tb_next
        self._state = _FAILED
        if self._raise_on_wait:
            claimed = any(waiter.claims for waiter in self._waiters or ())
            self._result = exc if claimed else Unclaimed(exc, self.name, self.where)
        else:
            self._result = exc
            hooks.report(f"Spawned task {self.name} raised uncaught exception", exc, self)


_cothreads = Spawn.Cothreads


def _strand_body() -> None:
    """Run one cothread after the other on this greenlet."""
    strand: Any = getcurrent()
    raised: BaseException | None = None
    while True:
        try:
            if raised is not None:
                _recover(strand, raised)
                raised = None
                relinquish(strand)
            # Python runs signal handlers as it jumps back, so that must be within the `try`.
            while True:
                strand.task._run()
                relinquish(strand)
        except GreenletExit:
            return  # the pool was larger than need be
        except BaseException as exc:
            # A signal handler raised outside the cothread's own code; nobody may be lost by it.
            raised = exc


def _recover(strand: Any, exc: BaseException) -> None:
    if strand in pool:
        pool.remove(strand)
    if strand.task is not None:
        strand.task._cut_short(exc)


def _bury(exc: BaseException) -> None:
    """Clear up behind a greenlet that died of `exc`: its cothread, if it had one, ends."""
    pool[:] = [strand for strand in pool if not strand.dead]
    for task in list(_cothreads):
        if task._strand is not None and task._strand.dead:
            task._cut_short(exc)


scheduler.strand_body = _strand_body
scheduler.bury = _bury
scheduler.at_fork(_cothreads.clear)


def current() -> Spawn[Any] | None:
    """Return the running cothread; None in the main program."""
    return getattr(getcurrent(), "task", None)


def WaitForAll(event_list: Iterable[Waitable[T]], timeout: Timeout = None) -> list[T]:
    """Wait for each of `event_list` in turn, all within one timeout.

    Returns:
        Their results, in order.
    Raises:
        Timedout: not all of them were ready in time.
        BaseException: what the first of them to fail raised.
    Suspends: unless all are ready.
    """
    deadline = AbsTimeout(timeout)
    rest = iter(event_list)
    try:
        return [event.Wait(deadline) for event in rest]
    except BaseException:
        for event in rest:
            abort = getattr(event, "AbortWait", None)
            if abort is not None:
                abort()
        raise


@contextmanager
def Protect() -> Generator[None, None, None]:
    """Put off a cancellation of the calling cothread until the end of the `with` block."""
    task = current()
    if task is None:
        yield
        return
    task._protected += 1
    try:
        yield
    finally:
        task._protected -= 1
        if task._to_raise is not None and not task._protected:
            exc, task._to_raise = task._to_raise, None
            raise exc
