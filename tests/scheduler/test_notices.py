# SPDX-License-Identifier: Apache-2.0
"""Looking on: hooks for new cothreads, notices of their end, and what a cancellation hides."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from cothread import Protect, Spawn, WasCancelled, Yield, hooks


@pytest.fixture
def reports() -> Iterator[list[BaseException]]:
    """Collect what the report hook is told."""
    seen: list[BaseException] = []
    previous = hooks.set_report(lambda _where, exc, _task: seen.append(exc))
    yield seen
    hooks.set_report(previous)


def fail() -> None:
    """Fail."""
    raise KeyError("reason")


def test_every_new_cothread_is_told() -> None:
    """Also one that ends before anybody looks."""
    seen: list[Spawn[Any]] = []
    previous = hooks.set_spawn_hook(seen.append)
    try:
        tasks = [Spawn(Yield), Spawn(lambda: 5)]
    finally:
        hooks.set_spawn_hook(previous)
    assert seen == tasks
    assert tasks[1].Wait(5) == 5
    tasks[0].Wait(5)


def test_a_spawn_hook_that_raises_harms_nobody(reports: list[BaseException]) -> None:
    """It is reported; the cothread runs."""

    def broken(_task: Spawn[Any]) -> None:
        raise ValueError("hook")

    previous = hooks.set_spawn_hook(broken)
    try:
        task = Spawn(lambda: 5)
    finally:
        hooks.set_spawn_hook(previous)
    assert task.Wait(5) == 5
    assert [str(exc) for exc in reports] == ["hook"]


def test_a_notice_of_the_end_claims_nothing(reports: list[BaseException]) -> None:
    """Somebody looks on, nobody waits: the failure is reported all the same, once."""
    seen: list[str] = []
    task = Spawn(fail, raise_on_wait=True)
    task.on_end(lambda ended: seen.append(ended.state))
    Yield()
    assert seen == ["failed"]
    assert reports == []
    del task
    gc.collect()
    assert [type(exc) for exc in reports] == [KeyError]


def test_a_notice_after_the_end_comes_at_once() -> None:
    """Nothing is missed by asking late."""
    task = Spawn(lambda: 5)
    task.Wait(5)
    seen: list[int] = []
    task.on_end(lambda ended: seen.append(ended.Wait()))
    assert seen == [5]


def test_a_failure_hidden_by_a_cancellation_is_its_cause() -> None:
    """What a protected section raised is not lost when a cancellation was waiting for its end."""

    def work() -> None:
        with Protect():
            Yield()
            raise KeyError("inside")

    task = Spawn(work)
    Yield()
    task.Cancel()
    with pytest.raises(WasCancelled) as caught:
        task.Wait(5)
    assert isinstance(caught.value.__cause__, KeyError)
