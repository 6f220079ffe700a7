# SPDX-License-Identifier: Apache-2.0
"""Timeouts in all their forms."""

import math

import pytest

from cothread import AbsTimeout, Deadline, Event, GetDeadline, Sleep, SleepUntil, Timedout
from cothread.clock import expiry


@pytest.mark.parametrize(
    ("timeout", "deadline"),
    [
        (None, None),
        ((None,), None),
        (0, 100.0),
        (2.5, 102.5),
        (-3, 97.0),
        (True, 101.0),
        (math.inf, math.inf),
    ],
)
def test_expiry_of_relative_timeouts(timeout, deadline):
    assert expiry(timeout) == deadline


def test_expiry_of_deadlines_is_on_the_monotonic_clock(clock):
    assert expiry((clock.time() + 7,)) == pytest.approx(107.0)


def test_a_timeout_becomes_absolute_once(clock):
    assert AbsTimeout(None) is None
    deadline = AbsTimeout(5)
    assert deadline == (clock.time() + 5,)
    clock.now += 2
    assert AbsTimeout(deadline) is deadline


def test_get_deadline(clock):
    assert GetDeadline(None) is None
    assert GetDeadline((None,)) is None
    assert GetDeadline(5) == clock.time() + 5
    assert GetDeadline((12.0,)) == 12.0
    assert Deadline(12.0) == (12.0,)


@pytest.mark.parametrize("timeout", ["1", b"1", [1], {}, object()])
@pytest.mark.parametrize("wait", [Sleep, Event().Wait])
def test_what_is_no_timeout_is_refused_at_once(wait, timeout):
    with pytest.raises(TypeError, match="timeout must be seconds"):
        wait(timeout)


@pytest.mark.parametrize("timeout", [(), (1, 2)])
def test_deadlines_have_one_element(timeout):
    with pytest.raises(TypeError, match="one element"):
        Sleep(timeout)


def test_nan_is_refused_at_once():
    with pytest.raises(ValueError, match="NaN"):
        Sleep(math.nan)
    with pytest.raises(ValueError, match="NaN"):
        Sleep((math.nan,))


def test_timedout_is_a_timeout_error():
    with pytest.raises(TimeoutError):
        Event().Wait(1)
    assert issubclass(Timedout, Exception)


def test_sleep_sleeps_that_long(clock):
    Sleep(3)
    assert clock.now == pytest.approx(103.0)
    SleepUntil(clock.time() + 4)
    assert clock.now == pytest.approx(107.0)
    Sleep((clock.time() + 5,))
    assert clock.now == pytest.approx(112.0)
