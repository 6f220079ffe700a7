# SPDX-License-Identifier: Apache-2.0
"""Groups: together to the end, or cancelled together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cothread import Cancelled, CothreadError, Event, Group, Sleep, Spawn, Timedout, WasCancelled


def run_together(*functions: Callable[[], object]) -> None:
    """Run functions as one group."""
    with Group() as group:
        for function in functions:
            group.Spawn(function)


def test_leaving_the_block_waits_for_all() -> None:
    """Nothing of the group runs on behind the block."""
    ended: list[int] = []

    def work(number: int) -> None:
        Sleep(0.005 * number)
        ended.append(number)

    with Group() as group:
        for number in range(3):
            group.Spawn(work, number)
    assert ended == [0, 1, 2]


def test_the_first_failure_cancels_the_others_and_is_raised() -> None:
    """The others clean up before the block is left."""
    cleaned: list[str] = []

    def wait() -> None:
        try:
            Sleep(None)
        finally:
            cleaned.append("cleaned")

    def fail() -> None:
        Sleep(0.001)
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        run_together(wait, fail)
    assert cleaned == ["cleaned"]


def test_other_failures_are_attached() -> None:
    """A cothread that fails while it is being cancelled is not forgotten."""

    def fail_late() -> None:
        try:
            Sleep(None)
        except Cancelled:
            raise OSError("second") from None

    def fail() -> None:
        Sleep(0.001)
        raise KeyError("first")

    with pytest.raises(KeyError) as caught:
        run_together(fail_late, fail)
    cause = caught.value.__cause__
    assert isinstance(cause, BaseExceptionGroup)
    assert [str(exc) for exc in cause.exceptions] == ["second"]


def test_an_exception_in_the_block_cancels_the_group() -> None:
    """The block's own exception is the one that is raised."""
    tasks: list[Spawn[None]] = []

    def block() -> None:
        with Group() as group:
            tasks.append(group.Spawn(Sleep, None))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    with pytest.raises(WasCancelled):
        tasks[0].Wait(1)


def test_cancelling_the_one_who_waits_cancels_the_group() -> None:
    """A group does not outlive the cothread that opened it."""
    inner: list[Spawn[None]] = []

    def outer() -> None:
        with Group() as group:
            inner.append(group.Spawn(Sleep, None))

    task = Spawn(outer)
    Sleep(0.005)
    task.Cancel()
    with pytest.raises(WasCancelled):
        task.Wait(1)
    with pytest.raises(WasCancelled):
        inner[0].Wait(1)


def test_a_timeout_leaves_the_group_running() -> None:
    """`Wait` with a timeout may be repeated."""
    event = Event[None]()
    group = Group()
    group.Spawn(event.Wait)
    with pytest.raises(Timedout):
        group.Wait(0.001)
    event.Signal()
    group.Wait(5)


def test_an_ended_group_takes_no_more() -> None:
    """Nobody would wait for it."""
    with Group() as group:
        pass
    with pytest.raises(CothreadError, match="has ended"):
        group.Spawn(Sleep, 1)
