# SPDX-License-Identifier: Apache-2.0
"""Whatever is thrown at the scheduler, and wherever: no cothread is lost, and none runs twice."""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import pytest
from greenlet import getcurrent

import cothread
from cothread import Event, EventQueue, Sleep, Spawn, Timedout, WasCancelled, Yield
from cothread.scheduler import scheduler


class Surprise(Exception):
    """What the signal handler raises."""


def test_raising_signal_handlers_lose_nobody() -> None:
    """A handler that raises hits whoever runs; everyone else ends as if nothing had happened."""
    surprises = 0
    finished: Counter[int] = Counter()

    last = 0.0

    def handler(_signum: int, _frame: FrameType | None) -> None:
        nonlocal last
        # The main program is the test itself, and is spared.  So is whoever still deals with the
        # last surprise: a busy machine may deliver two of them microseconds apart.
        now = time.process_time()
        if getcurrent() is not scheduler.main and now - last > 0.001:
            last = now
            raise Surprise

    def worker(number: int) -> None:
        nonlocal surprises
        rounds = 0
        while rounds < 200:
            try:
                rounds += 1
                Yield()
                queue.Signal(number)
                queue.Wait(0.01)
                if rounds % 50 == 0:
                    Sleep(0.001)
            except (Surprise, Timedout):
                surprises += 1
        finished[number] += 1

    queue: EventQueue[int] = EventQueue()
    reports: list[BaseException] = []
    previous_report = cothread.hooks.set_report(lambda _where, exc, _task: reports.append(exc))
    previous = signal.signal(signal.SIGALRM, handler)
    tasks = [Spawn(worker, number) for number in range(50)]
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        cothread.WaitForAll(tasks, 30)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        cothread.hooks.set_report(previous_report)
    # One that is hit outside its own `try` dies of it, and says so; no other may be missing.
    dead = [exc for exc in reports if isinstance(exc, Surprise)]
    assert surprises > 0
    assert all(count == 1 for count in finished.values())
    assert len(finished) + len(dead) >= 50


@pytest.mark.parametrize("seed", range(5))
def test_random_cancellation(seed: int) -> None:
    """Cancelled at random moments, every cothread cleans up exactly once, and the rest go on."""
    rng = random.Random(seed)
    cleaned: Counter[int] = Counter()
    event = Event[int]()
    queue: EventQueue[int] = EventQueue()
    lock = cothread.RLock()

    def locked() -> None:
        with lock:
            Yield()

    waits: list[Callable[[], object]] = [
        Yield,
        lambda: event.Wait(0.002),
        lambda: queue.Wait(0.002),
        lambda: Sleep(rng.random() * 0.002),
        locked,
        lambda: event.Signal(1),
        lambda: queue.Signal(1),
    ]

    def worker(number: int) -> int:
        try:
            for _ in range(30):
                with suppress(Timedout):
                    rng.choice(waits)()
            return number
        finally:
            cleaned[number] += 1

    tasks = [Spawn(worker, number) for number in range(100)]
    for _ in range(200):
        rng.choice(tasks).Cancel()
        if rng.randrange(4) == 0:
            Yield()
        if rng.randrange(20) == 0:
            Sleep(0.001)
    ended = cancelled = 0
    for number, task in enumerate(tasks):
        try:
            assert task.Wait(20) == number
            ended += 1
        except WasCancelled:
            cancelled += 1
    assert ended + cancelled == 100
    assert max(cleaned.values()) == 1
    # The lock is free again: nobody died holding it.
    lock.acquire(1)
    lock.release()


def test_broken_del_in_a_cothread() -> None:
    """An exception in `__del__` as a cothread ends is Python's to print, and harms nobody."""

    class Broken:
        def __del__(self) -> None:
            Sleep(0.001)

    def hold() -> None:
        Broken()
        Yield()

    others = [Spawn(Sleep, 0.002) for _ in range(10)]
    Spawn(hold).Wait(5)
    gc.collect()
    cothread.WaitForAll(others, 5)


def test_a_signal_alone_wakes_the_scheduler() -> None:
    """A handler that signals an event is served at once, though nothing else happens."""
    event = Event[None]()
    previous = signal.signal(signal.SIGUSR1, lambda *_: event.Signal())
    pid = os.getpid()
    try:
        child = os.fork()
        if child == 0:
            os.kill(pid, signal.SIGUSR1)
            os._exit(0)
        event.Wait(30)
        os.waitpid(child, 0)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_an_interrupted_wait_leaves_the_event_usable() -> None:
    """A signal handed to a cothread that is cancelled before it runs goes to the next one."""
    event = Event[str]()
    first = Spawn(event.Wait)
    second = Spawn(event.Wait)
    Yield()
    event.Signal("value")
    first.Cancel()
    assert second.Wait(5) == "value"
    with pytest.raises(WasCancelled):
        first.Wait(5)


def test_memory_of_a_million_spawns() -> None:
    """A hundred thousand spawns and yields leave nothing behind, a round after the other."""

    def round_of_spawns() -> None:
        for _ in range(1000):
            cothread.WaitForAll([Spawn(Yield) for _ in range(100)])

    round_of_spawns()
    gc.collect()
    before = len(gc.get_objects())
    round_of_spawns()
    gc.collect()
    assert len(gc.get_objects()) - before < 100
