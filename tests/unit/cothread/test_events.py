# SPDX-License-Identifier: Apache-2.0
"""Event, Pulse, EventQueue, RLock."""

import pytest

from cothread import (
    CothreadError,
    Event,
    EventQueue,
    Pulse,
    RLock,
    Sleep,
    Spawn,
    Timedout,
    WaitForAll,
    WasCancelled,
    Yield,
)


def waiting(wait, count, results):
    """Spawn cothreads that wait once each, and let them get there."""

    def once(number):
        results.append((number, wait()))

    tasks = [Spawn(once, number) for number in range(count)]
    Yield()
    return tasks


def cancel(tasks):
    for task in tasks:
        task.Cancel()
    Yield()


# -- Event


def test_an_event_starts_unsignalled_and_holds_one_value():
    event = Event()
    assert not event
    event.Signal(1)
    event.Signal(2)
    assert event
    assert event.Wait() == 2
    assert not event
    with pytest.raises(Timedout, match="Timed out waiting for event"):
        event.Wait(1)


def test_the_value_defaults_to_none():
    event = Event()
    event.Signal()
    assert event
    assert event.Wait() is None


def test_signal_does_not_suspend():
    event = Event()
    results = []
    waiting(event.Wait, 1, results)
    event.Signal(1)
    assert not results
    Yield()
    assert results == [(0, 1)]


@pytest.mark.parametrize("signals", [1, 2])
def test_auto_reset_wakes_one_waiter_in_order(signals):
    event = Event()
    results = []
    tasks = waiting(event.Wait, 4, results)
    for value in range(signals):
        event.Signal(value)
    Yield()
    Yield()
    # Two signals before anyone runs: the last value wins, and only one gets it.
    assert results == [(0, signals - 1)]
    event.Signal("next")
    Yield()
    assert results[1:] == [(1, "next")]
    cancel(tasks)


def test_without_auto_reset_all_wake_and_the_value_stays():
    event = Event(auto_reset=False)
    results = []
    waiting(event.Wait, 3, results)
    event.Signal("go")
    Yield()
    assert results == [(0, "go"), (1, "go"), (2, "go")]
    assert event.Wait() == "go"
    event.Reset()
    assert not event
    with pytest.raises(Timedout):
        event.Wait(0)


def test_reset_erases_the_value():
    event = Event()
    event.Signal(1)
    event.Reset()
    assert not event
    with pytest.raises(Timedout):
        event.Wait(1)


def test_a_signal_taken_by_another_is_no_wake_up(clock):
    event = Event()
    results = []
    tasks = waiting(event.Wait, 1, results)
    event.Signal("snatched")
    assert event.Wait() == "snatched"
    Yield()
    assert not results
    event.Signal("for the waiter")
    Yield()
    assert results == [(0, "for the waiter")]
    WaitForAll(tasks)


def test_a_snatched_signal_does_not_extend_the_timeout(clock):
    event = Event()
    task = Spawn(event.Wait, 5, raise_on_wait=True)
    Yield()
    Sleep(3)
    event.Signal()
    event.Wait()
    with pytest.raises(Timedout):
        task.Wait()
    assert clock.now == pytest.approx(105)


@pytest.mark.parametrize("exc", [ValueError("oops"), ValueError])
def test_signal_exception_raises_in_the_waiter(exc):
    event = Event()
    task = Spawn(event.Wait, raise_on_wait=True)
    Yield()
    event.SignalException(exc)
    with pytest.raises(ValueError):  # noqa: PT011
        task.Wait()
    assert not event


def test_an_exception_stays_without_auto_reset():
    event = Event(auto_reset=False)
    event.SignalException(ValueError("oops"))
    assert event
    for _ in range(2):
        with pytest.raises(ValueError, match="oops"):
            event.Wait()
    event.Reset()
    assert not event


@pytest.mark.parametrize("what", ["text", None, 5, int])
def test_only_exceptions_can_be_raised(what):
    event = Event()
    with pytest.raises(TypeError, match="takes an exception"):
        event.SignalException(what)
    assert not event


def test_a_cancelled_waiter_passes_its_signal_on():
    event = Event()
    results = []
    first, second = waiting(event.Wait, 2, results)
    event.Signal("kept")
    first.Cancel()
    Yield()
    Yield()
    assert results == [(1, "kept")]
    assert second


def test_timed_out_waiters_leave_the_queue():
    event = Event()
    for _ in range(3):
        with pytest.raises(Timedout):
            event.Wait(1)
    assert repr(event) == "<Event: not signalled, 0 waiting>"


def test_a_signal_at_the_very_timeout_is_not_lost(clock):
    event = Event()

    def signaller():
        Sleep(1)
        event.Signal("value")

    Spawn(signaller)
    # Both are due at the same time; whoever comes first, the value is somewhere.
    try:
        got = event.Wait(1)
    except Timedout:
        got = event.Wait(0.1)
    assert got == "value"


# -- Pulse


def test_a_pulse_wakes_those_who_wait_now():
    pulse = Pulse()
    results = []
    pulse.Signal()
    waiting(pulse.Wait, 3, results)
    assert not results
    pulse.Signal()
    Yield()
    assert results == [(0, None), (1, None), (2, None)]
    with pytest.raises(Timedout, match="Timed out waiting for event"):
        pulse.Wait(1)


def test_a_pulse_may_wake_only_the_first():
    pulse = Pulse()
    results = []
    tasks = waiting(pulse.Wait, 3, results)
    pulse.Signal(wake_all=False)
    Yield()
    Yield()
    assert results == [(0, None)]
    cancel(tasks)


def test_a_pulse_is_true():
    assert Pulse()


# -- EventQueue


def test_a_queue_keeps_order():
    queue = EventQueue()
    assert len(queue) == 0
    assert not queue
    for value in range(3):
        assert queue.Signal(value) is True
    assert len(queue) == 3
    assert queue
    assert [queue.Wait() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Timedout, match="Timed out waiting for event"):
        queue.Wait(1)


def test_each_value_wakes_one_waiter():
    queue = EventQueue()
    results = []
    waiting(queue.Wait, 3, results)
    for value in "abc":
        queue.Signal(value)
    Yield()
    assert results == [(0, "a"), (1, "b"), (2, "c")]


def test_a_full_queue_refuses_the_newest():
    queue = EventQueue(max_length=2)
    assert [queue.Signal(value) for value in "abc"] == [True, True, False]
    assert [queue.Wait(), queue.Wait()] == ["a", "b"]
    assert queue.Signal("d") is True
    assert queue.Wait() == "d"


def test_reset_drops_all_values():
    queue = EventQueue()
    queue.Signal(1)
    queue.Reset()
    assert len(queue) == 0


def test_iteration_ends_when_closed_and_drained():
    queue = EventQueue()
    got = []
    task = Spawn(got.extend, queue)
    Yield()
    for value in range(3):
        queue.Signal(value)
        Yield()
    queue.Signal(3)
    queue.close()
    task.Wait(1)
    assert got == [0, 1, 2, 3]
    queue.close()
    with pytest.raises(StopIteration):
        queue.Wait()
    with pytest.raises(StopIteration):
        next(queue)


def test_close_wakes_all_waiters():
    queue = EventQueue()
    tasks = [Spawn(list, queue) for _ in range(3)]
    Yield()
    queue.close()
    assert WaitForAll(tasks, 1) == [[], [], []]


def test_a_closed_queue_takes_no_more():
    queue = EventQueue()
    queue.close()
    with pytest.raises(CothreadError, match="Can't write to a closed queue"):
        queue.Signal(1)
    with pytest.raises(AssertionError):
        queue.Signal(1)


def test_a_cancelled_reader_loses_no_value():
    queue = EventQueue()
    results = []
    first, second = waiting(queue.Wait, 2, results)
    queue.Signal("kept")
    first.Cancel()
    Yield()
    Yield()
    assert results == [(1, "kept")]
    assert second
    with pytest.raises(WasCancelled):
        first.Wait()


def test_a_value_snatched_before_the_reader_runs():
    queue = EventQueue()
    results = []
    waiting(queue.Wait, 1, results)
    queue.Signal("snatched")
    assert queue.Wait() == "snatched"
    Yield()
    assert not results
    queue.Signal("next")
    Yield()
    assert results == [(0, "next")]


# -- RLock


def test_a_lock_is_taken_in_order_and_may_be_nested():
    lock = RLock()
    order = []

    def work(name):
        with lock, lock:
            order.append(f"{name} in")
            Sleep(1)
            order.append(f"{name} out")

    WaitForAll([Spawn(work, name) for name in "ab"])
    assert order == ["a in", "a out", "b in", "b out"]


def test_acquire_returns_none_and_times_out():
    lock = RLock()
    assert lock.acquire() is None
    task = Spawn(lock.acquire, 1, raise_on_wait=True)
    with pytest.raises(Timedout, match="Timed out waiting for event"):
        task.Wait()
    lock.release()


def test_only_the_owner_may_release():
    lock = RLock()
    with pytest.raises(CothreadError, match="cannot release un-acquired lock"):
        lock.release()
    with lock:
        task = Spawn(lock.release, raise_on_wait=True)
        with pytest.raises(AssertionError, match="cannot release un-acquired lock"):
            task.Wait()
    with pytest.raises(CothreadError):
        lock.release()


def test_a_cancelled_waiter_leaves_the_lock_to_the_next():
    lock = RLock()
    got = []

    def work(name):
        with lock:
            got.append(name)

    lock.acquire()
    first, second = Spawn(work, "first"), Spawn(work, "second")
    Yield()
    lock.release()
    first.Cancel()
    second.Wait(1)
    assert got == ["second"]


def test_cothreads_on_the_same_greenlet_are_different_owners():
    lock = RLock()
    Spawn(lock.acquire).Wait()
    task = Spawn(lock.acquire, 1, raise_on_wait=True)
    with pytest.raises(Timedout):
        task.Wait()
