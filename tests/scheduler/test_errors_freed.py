# SPDX-License-Identifier: Apache-2.0
"""An error that nobody holds is freed at once, with all that stands in its frames: what it came
through between cothreads makes no cycle of it that would wait for the collector.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pytest

import cothread
from cothread import CothreadError, Event, EventQueue, GuestLoop, Spawn, WasCancelled, Yield

pytestmark = pytest.mark.usefixtures("no_collector")


class Failure(Exception):
    """What fails."""


@pytest.fixture
def end_of_shared_loop() -> Iterator[None]:
    """End the loop of `run_async` with the test."""
    yield
    for task in [task for task in Spawn.Cothreads if task.name == "asyncio"]:
        task.Cancel()
        with pytest.raises(WasCancelled):
            task.Wait(5)


def fail(*_args: object) -> None:
    """Fail."""
    raise Failure


def wait_for_the_end() -> None:
    """Wait for a cothread that fails meanwhile."""
    Spawn(fail, raise_on_wait=True).Wait()


def come_late() -> None:
    """Wait for a cothread that has failed before."""
    task = Spawn(fail, 1, raise_on_wait=True)
    Yield()
    try:
        task.Wait()
    finally:
        del task


def signalled() -> None:
    """Wait for an event that brings an exception and keeps it."""
    event = Event[None](auto_reset=False)
    event.SignalException(Failure())
    try:
        event.Wait()
    finally:
        del event


async def awaited_cothread() -> None:
    """Await a cothread."""
    await Spawn(fail, raise_on_wait=True)


async def awaited_event() -> None:
    """Await an event."""
    event = Event[None]()
    event.SignalException(Failure())
    await cothread.as_future(event)


async def awaited_queue() -> None:
    """Await the next value of a queue that is closed."""
    queue = EventQueue[None]()
    queue.close()
    await cothread.as_future(queue)


async def fail_in_asyncio() -> None:
    """Fail."""
    await asyncio.sleep(0)
    raise Failure


def wait_for_a_coroutine() -> None:
    """Wait for a coroutine that fails meanwhile."""
    cothread.run_async(fail_in_asyncio())


def caught(function: Callable[[], None]) -> BaseException:
    """Return what a function raises."""
    try:
        function()
    except (Failure, CothreadError) as error:
        return error
    raise AssertionError("no error")


def caught_on_a_loop(function: Callable[[], Coroutine[Any, Any, None]]) -> BaseException:
    """Return what a coroutine raises on a guest loop; asyncio's frames would make cycles of it."""

    async def catch() -> BaseException:
        try:
            await function()
        except (Failure, CothreadError) as error:
            return error
        raise AssertionError("no error")

    with asyncio.Runner(loop_factory=GuestLoop) as runner:
        return runner.run(catch())


WAYS: dict[str, Callable[[], BaseException]] = {
    "a cothread": partial(caught, wait_for_the_end),
    "a cothread that had ended": partial(caught, come_late),
    "an event": partial(caught, signalled),
    "an awaited cothread": partial(caught_on_a_loop, awaited_cothread),
    "an awaited event": partial(caught_on_a_loop, awaited_event),
    "an awaited queue": partial(caught_on_a_loop, awaited_queue),
    "a coroutine": partial(caught, wait_for_a_coroutine),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_freed_with_its_last_holder(end_of_shared_loop: None, way: str) -> None:
    if way.startswith("an awaited") and sys.version_info >= (3, 12):
        pytest.skip("since Python 3.12 asyncio itself makes a cycle of a future that fails")
    error = WAYS[way]()
    freed = weakref.ref(error)
    del error
    Yield()
    assert freed() is None


def test_a_reported_error_is_freed() -> None:
    reported: list[weakref.ref[BaseException]] = []
    previous = cothread.hooks.set_report(
        lambda _where, error, _task: reported.append(weakref.ref(error))
    )
    try:
        assert Spawn(fail, 1).Wait() is None
    finally:
        cothread.hooks.set_report(previous)
    (freed,) = reported
    assert freed() is None


def test_a_closed_queue_ends_what_awaits_it() -> None:
    """Its StopIteration is no error that a future would take."""
    error = caught_on_a_loop(awaited_queue)
    assert isinstance(error, CothreadError)
    assert "closed" in str(error)
