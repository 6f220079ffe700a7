# SPDX-License-Identifier: Apache-2.0
"""Sleep, SleepUntil and Yield: who runs when."""

import weakref

import pytest

from cothread import Event, EventQueue, Sleep, SleepUntil, Spawn, Timedout, WaitForAll, Yield


@pytest.fixture
def others():
    """Spawn a cothread that counts its turns; the count tells whether the test was suspended."""
    turns = []

    def count():
        while True:
            turns.append(len(turns))
            Yield()

    task = Spawn(count)
    yield turns
    task.Cancel()


def times_out(wait, timeout):
    with pytest.raises(Timedout):
        wait(timeout)


@pytest.mark.parametrize(
    "wait",
    [
        lambda: Sleep(0),
        lambda: Sleep(-1),
        lambda: Sleep((1.0,)),
        lambda: SleepUntil(0),
        lambda: times_out(Event().Wait, 0),
        lambda: times_out(Event().Wait, -5),
        lambda: times_out(Event().Wait, (1.0,)),
        lambda: times_out(EventQueue().Wait, 0),
        lambda: WaitForAll([]),
    ],
)
def test_what_has_passed_already_does_not_suspend(others, wait):
    wait()
    assert not others


def test_what_is_ready_already_does_not_suspend(others):
    event = Event()
    event.Signal(1)
    assert event.Wait() == 1
    queue = EventQueue()
    queue.Signal(2)
    assert queue.Wait() == 2
    assert not others


def test_waiting_for_a_cothread_that_has_ended_does_not_suspend(others):
    task = Spawn(lambda: 5)
    Yield()
    turns = len(others)
    assert task.Wait() == 5
    assert task.Wait(0) == 5
    assert len(others) == turns


def test_yield_lets_all_others_run_once():
    ran = []
    for name in "abc":
        Spawn(ran.append, name)
    Yield()
    assert ran == ["a", "b", "c"]


def test_yield_suspends_even_when_the_timeout_has_passed(others):
    Yield(-1)
    assert others == [0]
    Yield((1.0,))
    assert others == [0, 1]


def test_yield_without_timeout_waits_until_nobody_is_ready():
    ran = []

    def busy():
        for turn in range(5):
            ran.append(turn)
            Yield()

    Spawn(busy)
    Yield(None)
    assert ran == [0, 1, 2, 3, 4]


def test_yield_returns_at_the_timeout_though_others_are_busy(clock, others):
    def passing_time():
        while clock.now < 110:
            clock.now += 0.5
            Yield()

    task = Spawn(passing_time)
    Yield(2)
    assert 102 <= clock.now < 110
    task.Wait()


def test_sleepers_wake_in_order_of_their_deadlines(clock):
    woken = []

    def sleeper(delay):
        Sleep(delay)
        woken.append((delay, clock.now))

    tasks = [Spawn(sleeper, delay) for delay in (3, 1, 2, 1)]
    WaitForAll(tasks)
    assert [delay for delay, _ in woken] == [1, 1, 2, 3]
    assert all(now == pytest.approx(100 + delay) for delay, now in woken)


def test_cothreads_start_in_order_of_creation_and_not_before():
    ran = []
    for number in range(5):
        Spawn(ran.append, number)
    assert ran == []
    Yield()
    assert ran == [0, 1, 2, 3, 4]


def test_a_busy_cothread_does_not_hold_up_timers(clock):
    done = Event()

    def busy():
        while not done:
            clock.now += 0.001
            Yield()

    Spawn(busy)
    Sleep(1)
    assert clock.now == pytest.approx(101, abs=0.01)
    done.Signal()
    Yield()


def test_nothing_wakes_when_nothing_is_due(clock):
    Sleep(1000)
    assert clock.slept == [1000]


def test_what_a_cancelled_one_held_is_let_go_while_others_wait(clock):
    """Whoever happened to give way to it must not hold its frames for as long as he waits."""

    class Large:
        pass

    event = Event()

    def hold():
        large = Large()
        known.add(large)
        event.Wait()
        del large

    known = weakref.WeakSet()
    seen = []
    task = Spawn(hold)
    Yield()
    assert len(known) == 1
    event.Signal()
    task.Cancel()
    del task
    Spawn(lambda: (Sleep(1), seen.append(len(known))))
    Sleep(2)
    assert seen == [0]
