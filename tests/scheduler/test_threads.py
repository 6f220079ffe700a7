# SPDX-License-Identifier: Apache-2.0
"""Ordinary threads and cothreads: Callback, CallbackResult, ThreadedEventQueue, thread checks."""

import gc
import os
import select
import threading

import pytest

import cothread
from cothread import (
    Callback,
    CallbackResult,
    CothreadError,
    Event,
    EventQueue,
    Pulse,
    RLock,
    Sleep,
    Spawn,
    ThreadedEventQueue,
    Timedout,
    Timer,
    WrongThread,
    Yield,
    hooks,
)
from cothread.cothread import _Callback


@pytest.fixture
def in_thread():
    """Return a function that calls another in a thread; its result comes from the join."""
    threads = []

    def start(function, *args):
        outcome = []

        def run():
            try:
                outcome.append(function(*args))
            except BaseException as exc:
                outcome.append(exc)

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)

        def join():
            while thread.is_alive():
                Sleep(0.001)
            return outcome[0]

        return join

    yield start
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    # An exception that a thread came to knows the frame that holds it.
    gc.collect()


# -- Callback


def test_callbacks_are_made_in_order_in_a_cothread(in_thread):
    made = []
    done = Event()

    def hand_over():
        for number in range(100):
            assert (
                Callback(lambda n: made.append((n, cothread.current() is not None)), number) is None
            )
        Callback(done.Signal)

    join = in_thread(hand_over)
    done.Wait(5)
    join()
    assert made == [(number, True) for number in range(100)]


def test_a_callback_that_sleeps_delays_later_ones():
    order = []
    done = Event()

    def slow():
        Sleep(0.01)
        order.append("slow")

    Callback(slow)
    Callback(order.append, "fast")
    Callback(done.Signal)
    assert order == []
    done.Wait(5)
    assert order == ["slow", "fast"]


def test_queues_do_not_delay_each_other():
    held = Event()
    done = Event()
    other = _Callback()
    other(held.Wait)
    Callback(done.Signal)
    done.Wait(5)
    held.Signal()
    Yield()


def test_a_failing_callback_is_reported_and_the_next_is_made():
    told = []
    previous = hooks.set_report(lambda where, exc, _: told.append((where, str(exc))))
    try:
        done = Event()
        Callback(int, "x")
        Callback(done.Signal)
        done.Wait(5)
    finally:
        hooks.set_report(previous)
    assert [where for where, _ in told] == ["Asynchronous callback raised uncaught exception"]


def test_waiting_callbacks_are_counted():
    held, done = Event(), Event()
    Callback(held.Wait)
    Sleep(0.001)
    for _ in range(3):
        Callback(done.Signal)
    assert len(Callback) == 3
    assert cothread.Statistics().callbacks == 3
    held.Signal()
    done.Wait(5)
    Yield()
    assert len(Callback) == 0


def test_no_callback_is_lost_from_many_threads(in_thread):
    count = 0
    done = Event()

    def add():
        nonlocal count
        count += 1
        if count == 4000:
            done.Signal()

    def hand_over():
        for _ in range(1000):
            Callback(add)

    joins = [in_thread(hand_over) for _ in range(4)]
    done.Wait(20)
    for join in joins:
        join()
    assert count == 4000


# -- CallbackResult


def test_callback_result_in_the_schedulers_thread_is_a_plain_call():
    assert CallbackResult(cothread.current) is None


@pytest.mark.parametrize("spawn", [True, False])
def test_callback_result_returns_and_raises_in_the_thread(in_thread, spawn):
    def work(value, key):
        Sleep(0.001)
        return value, key, threading.get_ident()

    join = in_thread(lambda: CallbackResult(work, 1, key=2, callback_spawn=spawn))
    assert join() == (1, 2, cothread.scheduler_thread_id)
    exc = in_thread(lambda: CallbackResult(int, "x", callback_spawn=spawn))()
    assert isinstance(exc, ValueError)


def test_callback_result_times_out(in_thread):
    held = Event()
    exc = in_thread(lambda: CallbackResult(held.Wait, callback_timeout=0.01))()
    assert isinstance(exc, Timedout)
    assert str(exc) == "Timed out waiting for callback result"
    held.Signal()
    Yield()


def test_calls_of_one_thread_do_not_hold_up_those_of_another(in_thread):
    held = Event()
    slow = in_thread(lambda: CallbackResult(held.Wait))
    assert in_thread(lambda: CallbackResult(int, "5"))() == 5
    held.Signal("released")
    assert slow() == "released"


# -- ThreadedEventQueue


def test_from_a_thread_to_a_cothread(in_thread):
    queue = ThreadedEventQueue()

    def produce():
        for number in range(1000):
            queue.Signal(number)

    join = in_thread(produce)
    assert [queue.Wait(5) for _ in range(1000)] == list(range(1000))
    join()


def test_from_a_cothread_to_a_thread(in_thread):
    queue = ThreadedEventQueue()
    join = in_thread(lambda: [queue.Wait(5) for _ in range(100)])
    for number in range(100):
        queue.Signal(number)
    assert join() == list(range(100))


def test_timeouts_at_both_ends(in_thread):
    queue = ThreadedEventQueue()
    with pytest.raises(Timedout, match="Timed out waiting for signal"):
        queue.Wait(0.01)
    with pytest.raises(Timedout):
        queue.Wait(0)
    assert isinstance(in_thread(queue.Wait, 0.01)(), Timedout)


def test_the_descriptor_is_readable_while_there_is_a_value():
    queue = ThreadedEventQueue()

    def readable():
        return bool(select.select([queue.wait_descriptor], [], [], 0)[0])

    assert not readable()
    queue.Signal(1)
    queue.Signal(2)
    assert len(queue) == 2
    assert readable()
    queue.Wait()
    assert readable()
    queue.Wait()
    assert not readable()


def test_signal_never_blocks_however_many_values_there_are(in_thread):
    queue = ThreadedEventQueue()

    def produce():
        for number in range(70_000):
            queue.Signal(number)

    in_thread(produce)()
    assert len(queue) == 70_000


def test_its_descriptors_are_closed_with_it():
    queue = ThreadedEventQueue()
    fd = queue.wait_descriptor
    del queue
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_two_readers_of_one_value():
    queue = ThreadedEventQueue()
    tasks = [Spawn(queue.Wait, 5) for _ in range(2)]
    Yield()
    queue.Signal("a")
    Sleep(0.01)
    assert sum(map(bool, tasks)) == 1
    queue.Signal("b")
    assert {task.Wait(5) for task in tasks} == {"a", "b"}


# -- thread checks


@pytest.mark.parametrize(
    "use",
    [
        lambda: Spawn(int),
        lambda: Sleep(0),
        lambda: Sleep(1),
        lambda: Yield(),
        lambda: Event().Signal(),
        lambda: Event().SignalException(ValueError()),
        lambda: Event().Wait(0),
        lambda: Event().Wait(1),
        lambda: EventQueue().Signal(1),
        lambda: EventQueue().Wait(1),
        lambda: Pulse().Signal(),
        lambda: Pulse().Wait(1),
        lambda: RLock().acquire(),
        lambda: Timer(1, int),
    ],
)
def test_a_foreign_thread_is_told_what_to_use_instead(in_thread, use):
    exc = in_thread(use)()
    assert isinstance(exc, WrongThread)
    assert isinstance(exc, AssertionError)
    assert "Consider using Callback or CallbackResult" in str(exc)


def test_a_foreign_thread_may_not_cancel(in_thread):
    task = Spawn(Sleep, None)
    Yield()
    assert isinstance(in_thread(task.Cancel)(), WrongThread)
    task.Cancel()
    Yield()


def test_suspending_inside_the_scheduler_is_refused():
    from cothread.scheduler import scheduler

    caught = Event()

    def suspend():
        try:
            Sleep(1)
        except CothreadError as exc:
            caught.Signal(exc)

    scheduler.call_soon_threadsafe(suspend)
    assert "inside the scheduler" in str(caught.Wait(5))
