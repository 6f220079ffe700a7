# SPDX-License-Identifier: Apache-2.0
"""A value that comes once."""

import weakref

import pytest

from cothread import Cancelled, Sleep, Spawn, Timedout, WasCancelled, cothreads
from cothread.once import Once


def test_it_is_waited_for(clock):
    once = Once()
    Spawn(lambda: (Sleep(1), once.Signal("value")))
    assert once.Wait() == "value"
    assert clock.slept == [1]


def test_what_came_is_not_kept_by_the_timeout_that_was_not_needed(clock):
    class Large:
        pass

    once, large = Once(), Large()
    known = weakref.ref(large)
    Spawn(once.Signal, large)
    assert once.Wait(1000) is large
    del large, once
    assert known() is None


def test_it_may_come_before_anybody_waits(clock):
    once = Once()
    once.Signal(None)
    assert once.Wait(0) is None
    assert clock.slept == []


def test_it_is_not_waited_for_longer_than_asked(clock):
    once = Once()
    Spawn(lambda: (Sleep(2), once.Signal("late")))
    with pytest.raises(Timedout):
        once.Wait(1)
    assert clock.slept == [1]
    Sleep(2)
    assert once.Wait() == "late"


def test_an_expired_timeout_does_not_suspend(clock):
    turns = []
    Spawn(turns.append, "other")
    for timeout in (0, -1, (clock.time(),)):
        with pytest.raises(Timedout):
            Once().Wait(timeout)
    assert turns == []


def test_a_wait_may_be_cancelled(clock):
    once, ends = Once(), []

    def wait():
        try:
            once.Wait(5)
        except Cancelled:
            ends.append("cancelled")
            raise

    task = Spawn(wait)
    Sleep(1)
    (info,) = (info for info in cothreads() if info.task is task)
    assert info.waiting_for == "Once 4.0 s left"
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait()
    once.Signal("nobody")
    Sleep(10)
    assert ends == ["cancelled"]
