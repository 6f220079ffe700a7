# SPDX-License-Identifier: Apache-2.0
"""Group: several cothreads that succeed or fail together."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from .clock import AbsTimeout, Timeout
from .errors import CothreadError, WasCancelled
from .events import EventQueue
from .tasks import Spawn

__all__ = ["Group"]

T = TypeVar("T")


class _Ended:
    """Stands among a cothread's waiters, and tells the group when it has ended."""

    __slots__ = ("_ended", "_task")

    claims: ClassVar[bool] = True

    def __init__(self, task: Spawn[Any], ended: EventQueue[Spawn[Any]]) -> None:
        self._task = task
        self._ended = ended

    def wake(self) -> bool:
        self._ended.Signal(self._task)
        return True


class Group:
    """Cothreads that are waited for together; the first failure cancels the others.

        with Group() as group:
            group.Spawn(fill, tank)
            group.Spawn(watch, gauge)

    Leaving the `with` block waits for all of them.  The first exception is raised there, when all
    have ended; those of the others, if any, are attached to it as an ExceptionGroup (its cause).

    Suspends: the end of the block, unless all have ended.
    """

    def __init__(self) -> None:
        self._running: set[Spawn[Any]] = set()
        self._ended: EventQueue[Spawn[Any]] = EventQueue()
        self._closed = False

    def Spawn(self, function: Callable[..., T], *args: Any, **kargs: Any) -> Spawn[T]:
        """Start a cothread in the group.

        Raises:
            CothreadError: the group has ended.
        """
        if self._closed:
            raise CothreadError("Cannot spawn into a group that has ended")
        task = Spawn(function, *args, raise_on_wait=True, **kargs)
        self._running.add(task)
        task.add_waiter(_Ended(task, self._ended))
        return task

    def Cancel(self) -> None:
        """Cancel all cothreads of the group."""
        for task in list(self._running):
            task.Cancel()

    def Wait(self, timeout: Timeout = None) -> None:
        """Wait until all cothreads of the group have ended.

        Raises:
            Timedout: they had not all ended in time; they go on.
            BaseException: the first failure among them.
        Suspends: unless all have ended.
        """
        deadline = AbsTimeout(timeout)
        failures: list[BaseException] = []
        while self._running:
            task = self._ended.Wait(deadline)
            self._running.discard(task)
            try:
                task.Wait()
            except WasCancelled:
                continue
            except BaseException as exc:
                if not failures:
                    self.Cancel()
                failures.append(exc)
        if failures:
            _raise(failures)

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            if exc is not None:
                self.Cancel()
            self.Wait()
        except BaseException:
            # Cancelled or interrupted while waiting: the others must not outlive the block.
            self.Cancel()
            if exc is None:
                raise
        finally:
            self._closed = True


def _raise(failures: list[BaseException]) -> None:
    first, *others = failures
    if others:
        raise first from BaseExceptionGroup("other failures in the group", others)
    raise first
