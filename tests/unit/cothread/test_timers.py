# SPDX-License-Identifier: Apache-2.0
"""Timer: when it fires, and when it does not."""

import pytest

from cothread import CothreadError, Deadline, Event, Sleep, Timer, current


@pytest.fixture
def fired(clock):
    """Return a list and a callback that notes in it when it is called."""
    times = []

    def callback():
        times.append(round(clock.now - 100, 6))

    return times, callback


def test_a_timer_fires_once(fired):
    times, callback = fired
    Timer(2, callback)
    Sleep(10)
    assert times == [2]


def test_a_deadline(fired, clock):
    times, callback = fired
    Timer(Deadline(clock.time() + 3), callback)
    Sleep(10)
    assert times == [3]


def test_the_callback_runs_in_a_fresh_cothread_and_may_take_its_time(clock):
    who = []

    def callback():
        who.append(current())
        Sleep(5)

    Timer(1, callback)
    Timer(2, callback)
    Sleep(3)
    first, second = who
    assert first is not second
    assert None not in who
    Sleep(10)


def test_cancel_before_and_after_it_fired(fired):
    times, callback = fired
    timer = Timer(1, callback)
    timer.cancel()
    timer.cancel()
    Sleep(5)
    assert times == []
    timer = Timer(1, callback)
    Sleep(2)
    timer.cancel()
    assert times == [6]


def test_a_dropped_timer_still_fires(fired):
    times, callback = fired
    Timer(1, callback)
    Sleep(2)
    assert times == [1]


def test_retrigger_waits_for_the_callback(clock):
    times = []

    def callback():
        times.append(round(clock.now - 100, 6))
        Sleep(3)

    timer = Timer(2, callback, retrigger=True)
    Sleep(15)
    assert times == [2, 7, 12]
    timer.cancel()
    Sleep(10)
    assert len(times) == 3


def test_a_steady_timer_does_not_drift(clock):
    times = []

    def callback():
        times.append(round(clock.now - 100, 6))
        Sleep(0.5)

    timer = Timer(2, callback, retrigger=True, steady=True)
    Sleep(9)
    assert times == [2, 4, 6, 8]
    timer.cancel()


def test_a_steady_timer_leaves_out_what_it_missed(clock):
    times = []

    def callback():
        times.append(round(clock.now - 100, 6))
        Sleep(5)

    timer = Timer(2, callback, retrigger=True, steady=True)
    Sleep(15)
    assert times == [2, 8, 14]
    timer.cancel()
    Sleep(10)


def test_a_one_shot_timer_cannot_be_reset(fired):
    times, callback = fired
    timer = Timer(1, callback)
    with pytest.raises(CothreadError, match="Cannot reuse this timer"):
        timer.reset(5)
    Sleep(2)
    assert times == [1]


def test_reuse_sleeps_until_reset(fired):
    times, callback = fired
    timer = Timer(1, callback, reuse=True)
    Sleep(5)
    assert times == [1]
    timer.reset(2)
    Sleep(5)
    assert times == [1, 7]
    timer.reset(2)
    timer.reset(None)
    Sleep(5)
    assert times == [1, 7]
    timer.cancel()
    with pytest.raises(CothreadError, match="Cannot reuse this timer"):
        timer.reset(1)


def test_reset_replaces_the_time(fired):
    times, callback = fired
    timer = Timer(1, callback, reuse=True)
    timer.reset(3)
    Sleep(10)
    assert times == [3]
    timer.cancel()


def test_reset_may_change_retriggering(fired):
    times, callback = fired
    timer = Timer(1, callback, reuse=True)
    timer.reset(2, retrigger=True)
    Sleep(5)
    assert times == [2, 4]
    timer.reset(2, retrigger=False)
    Sleep(10)
    assert times == [2, 4, 7]
    timer.cancel()


def test_cancel_and_reset_inside_the_callback(clock):
    times = []

    def callback():
        times.append(round(clock.now - 100, 6))
        if len(times) == 1:
            timer.reset(5)
        else:
            timer.cancel()

    timer = Timer(1, callback, retrigger=True)
    Sleep(30)
    assert times == [1, 6]


def test_a_failing_callback_is_reported_and_kills_the_timer(reports, clock):
    def callback():
        raise ValueError("oops")

    Timer(1, callback, retrigger=True)
    Sleep(10)
    assert [str(exc) for _, exc in reports] == ["oops"]


def test_a_timer_that_waits_for_reset(fired):
    times, callback = fired
    timer = Timer(None, callback, reuse=True)
    Sleep(10)
    assert times == []
    timer.reset(1)
    Sleep(2)
    assert times == [11]
    timer.cancel()


def test_bad_arguments_are_refused_at_once():
    with pytest.raises(CothreadError, match="Ensure the callback is callable"):
        Timer(1, 42)
    with pytest.raises(ValueError, match="period in seconds"):
        Timer(Deadline(5), print, retrigger=True)
    with pytest.raises(TypeError):
        Timer("1", print)


def test_many_timers_fire_in_order(clock):
    fired = []
    for number in range(1000):
        Timer((number * 7919) % 1000, lambda number=number: fired.append((number * 7919) % 1000))
    Sleep(1001)
    assert fired == sorted(fired)
    assert len(fired) == 1000


def test_cancelled_timers_do_not_pile_up(clock):
    from cothread.scheduler import scheduler

    event = Event()
    for _ in range(5000):
        event.Signal()
        Timer(1000, print).cancel()
    assert len(scheduler.timers) <= 2001
