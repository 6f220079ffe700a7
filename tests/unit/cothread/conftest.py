# SPDX-License-Identifier: Apache-2.0
"""A clock that jumps: where the scheduler would sleep, the time is simply later."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cothread import hooks
from cothread.scheduler import scheduler

EPOCH = 1_700_000_000.0


class NobodyCanWake(Exception):
    """Everybody waits, and no timer is set: outside of a test this would be for ever."""


class JumpingClock:
    """The time of a test.

    Attributes:
        now: the monotonic time.
        slept: how long the scheduler would have slept, each time.
    """

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the monotonic time."""
        return self.now

    def time(self) -> float:
        """Return the time of day."""
        return EPOCH + self.now

    def idle_wait(self, timeout: float | None) -> None:
        """Jump to the next timer."""
        if timeout is None:
            scheduler.throw(scheduler.main, NobodyCanWake())
        else:
            self.slept.append(timeout)
            self.now += timeout


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[JumpingClock]:
    """Put a jumping clock in the place of the real one."""
    fake = JumpingClock()
    scheduler.start()
    monkeypatch.setattr("cothread.clock.monotonic", fake.monotonic)
    monkeypatch.setattr("cothread.clock.time", fake.time)
    monkeypatch.setattr(scheduler, "idle_wait", fake.idle_wait)
    scheduler.use_clock(fake.monotonic)
    yield fake
    scheduler.use_clock(time.monotonic)


@pytest.fixture
def reports() -> Iterator[list[tuple[str, BaseException]]]:
    """Collect what the report hook is told."""
    told: list[tuple[str, BaseException]] = []
    previous = hooks.set_report(lambda where, exc, _task: told.append((where, exc)))
    yield told
    hooks.set_report(previous)
