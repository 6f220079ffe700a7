# SPDX-License-Identifier: Apache-2.0
"""Calls that are wrong, callbacks that misbehave, and ends that come at a bad moment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import catools
import cothread
from catools import (
    DBE_VALUE,
    CAException,
    Client,
    InvalidDatatype,
    ca_nothing,
    caget,
    cainfo,
    camonitor,
    caput,
    connect,
)
from catools.client import default
from catools.pv import PV, PV_array
from cothread import hooks
from tests.support.census import outstanding
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
IMPOSSIBLE = ["", "A\0B", "\0", "x" * 1008, "\u20ac" * 500]
ODD = ["x" * 1007, "no such pv", "\u20ac", "\udcff\udcfe", "a.b.c", "$", "{}", "\x1b[2J", "PV\n"]


@pytest.fixture
def ioc(shared_ioc: Ioc, see: Callable[..., None]) -> Ioc:
    """An IOC that all tests of this module share, with its values as they were at its start."""
    see(shared_ioc)
    caput([shared_ioc.name(str(number)) for number in range(20)], list(range(20)), wait=True)
    see(shared_ioc)
    return shared_ioc


@pytest.fixture
def reports() -> Iterator[list[BaseException]]:
    """What was reported of uncaught exceptions."""
    caught: list[BaseException] = []
    previous = hooks.set_report(lambda _where, exc, _task: caught.append(exc))
    yield caught
    hooks.set_report(previous)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_names_are_refused_at_once(ioc: Ioc, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: caget(name),
        lambda: caput(name, 1),
        lambda: connect(name),
        lambda: cainfo(name),
        lambda: camonitor(name, print),
        lambda: caget([ioc.name("1"), name]),
    ]
    for call in calls:
        with pytest.raises(CAException, match="name"):
            call()
    results = caget([ioc.name("1"), name, ioc.name("2")], throw=False)
    assert [result.ok for result in results] == [True, False, True]
    assert results[1].name == name


@pytest.mark.parametrize("name", ODD)
def test_odd_names_do_no_harm(ioc: Ioc, name: str) -> None:
    caget(ioc.name("1"))
    result = caget(name, timeout=0.2, throw=False)
    assert (result.ok, result.name) == (False, name)
    assert caget(ioc.name("1")) == 1


REFUSED: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "name": (CAException, {"pvs": ["1", "2", ""]}),
    "no text": (TypeError, {"pvs": ["1", None]}),
    "callback": (TypeError, {"callback": None}),
    "events": (CAException, {"events": 0}),
    "datatype": (InvalidDatatype, {"datatype": "nothing"}),
    "format": (InvalidDatatype, {"format": 9}),
    "count": (TypeError, {"count": 1.5}),
    "connect_timeout": (TypeError, {"connect_timeout": "soon"}),
    "connect_timeout, no number": (ValueError, {"connect_timeout": float("nan")}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_monitors_leave_none_behind(ioc: Ioc, what: str) -> None:
    error, arguments = REFUSED[what]
    names = [name and ioc.name(name) for name in arguments.get("pvs", ["1", "2"])]
    with pytest.raises(error):
        camonitor(**{"callback": print, **arguments, "pvs": names})
    assert catools.default_client().statistics().monitors == 0


def test_missing_names_in_a_list_share_one_deadline(ioc: Ioc) -> None:
    names = [ioc.name(str(n)) if n % 2 else ioc.name(f"NO{n}") for n in range(20)]
    connect(names[1::2])
    results = caget(names, timeout=1, throw=False)
    assert [result.ok for result in results] == [bool(n % 2) for n in range(20)]
    assert [result.name for result in results] == names
    with pytest.raises(ca_nothing) as raised:
        caget(names, timeout=1)
    assert list(raised.value.failing) == names[::2]
    assert not outstanding()


@pytest.mark.parametrize("timeout", [0, -1, (0.0,)])
def test_deadline_that_has_passed(ioc: Ioc, timeout: Any) -> None:
    connect(ioc.name("1"))
    for result in (
        caget(ioc.name("1"), timeout=timeout, throw=False),
        caput(ioc.name("NO"), 1, timeout=timeout, throw=False),
        connect(ioc.name("NO"), timeout=timeout, throw=False),
    ):
        assert result.errorcode == 80
    assert caget(ioc.name("1")) == 1
    assert not outstanding()


class Escape(BaseException):
    """Something that `except Exception` lets through."""


@pytest.mark.parametrize("error", [ValueError, Escape, SystemExit, GeneratorExit])
def test_callback_that_raises_costs_its_own_subscription(
    ioc: Ioc, reports: list[BaseException], error: type[BaseException]
) -> None:
    def bad(_value: object) -> None:
        raise error

    first = camonitor(ioc.name("1"), bad)
    wait_until(lambda: first.closed, "the subscription has ended")
    good: list[Any] = []
    second = camonitor(ioc.name("2"), good.append)
    wait_until(lambda: good, "callbacks go on")
    caput(ioc.name("2"), 77)
    wait_until(lambda: good[-1] == 77, "and on")
    assert any(isinstance(exc, error) for exc in reports)
    second.close()


def test_callback_that_cancels_its_own_cothread(ioc: Ioc, reports: list[BaseException]) -> None:
    calls: list[Any] = []

    def suicidal(value: Any) -> None:
        calls.append(value)
        task = cothread.current()
        assert isinstance(task, cothread.Spawn)
        task.Cancel()
        cothread.Sleep(0.1)

    first = camonitor(ioc.name("1"), suicidal)
    wait_until(lambda: calls, "the callback")
    good: list[Any] = []
    second = camonitor(ioc.name("2"), good.append)
    wait_until(lambda: good, "callbacks go on")
    first.close()
    second.close()


def test_callbacks_that_close_each_other_and_subscribe_anew(ioc: Ioc) -> None:
    name = ioc.name("1")
    calls = [0]
    monitors: list[Any] = []

    def again(_value: object) -> None:
        calls[0] += 1
        for monitor in monitors:
            monitor.close()
        monitors.clear()
        if calls[0] < 200:
            monitors.extend([camonitor(name, again), camonitor(name, again, all_updates=True)])

    monitors.append(camonitor(name, again))
    wait_until(lambda: calls[0] == 200, "two hundred generations")
    wait_until(lambda: not outstanding(), "every cancel was acknowledged")
    assert catools.default_client().statistics().monitors == 0


def test_threads_share_the_client_and_end_cleanly(ioc: Ioc) -> None:
    results: list[Any] = []

    def work(number: int) -> None:
        name = ioc.name(str(number))
        results.append(caget([name, name]) == [number, number])
        results.append(caput(name, number, wait=True).ok)
        results.append(not caget(ioc.name("NO"), timeout=0.1, throw=False).ok)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: not any(thread.is_alive() for thread in threads), "all threads", 60)
    assert results == [True] * 24


def test_closing_the_client_ends_what_waits(ioc: Ioc) -> None:
    connect(ioc.name("1"))
    ioc.freeze()
    waiting = [
        cothread.Spawn(caget, ioc.name("1"), timeout=None, throw=False),
        cothread.Spawn(caget, ioc.name("NO"), timeout=None, throw=False),
        cothread.Spawn(caput, ioc.name("1"), 1, wait=True, timeout=None, throw=False),
        cothread.Spawn(connect, ioc.name("NO"), timeout=None, throw=False),
    ]
    cothread.Sleep(0.1)
    catools.close_client()
    ioc.thaw()
    for task in waiting:
        result = task.Wait(10)
        assert not result.ok
        assert result.name in (ioc.name("1"), ioc.name("NO"))


LAST_WORDS = """
import sys
from catools import caput, connect
names = sys.argv[1:]
connect(names)
for value in range(100):
    caput(names, value)
"""


def test_puts_before_the_end_of_the_process_arrive(ioc: Ioc) -> None:
    names = [ioc.name(str(number)) for number in range(20)]
    subprocess.run(
        [sys.executable, "-c", LAST_WORDS, *names],
        env={**os.environ, **ioc.env},
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    assert caget(names) == [99] * 20


def test_children_of_a_fork_have_circuits_of_their_own(ioc: Ioc) -> None:
    name = ioc.name("3")
    seen: list[Any] = []
    monitor = camonitor(name, seen.append)
    wait_until(lambda: seen, "the value")
    children: list[int] = []
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                caput(name, 100 + number, wait=True)
                status = 0 if caget(ioc.name("4")) == 4 else 2
                catools.close_client()
            finally:
                os._exit(status)
        children.append(pid)
        assert os.waitpid(pid, 0)[1] == 0
        wait_until(lambda number=number: seen[-1] == 100 + number, "the child's put")
    (link,) = catools.default_client().links.values()
    assert link.up
    monitor.close()


def test_objects_of_the_parent_watch_anew_in_the_child_of_a_fork(ioc: Ioc) -> None:
    told: list[Any] = []
    pv = PV(ioc.name("5"), told.append)
    closed = PV(ioc.name("6"))
    prompt = PV(ioc.name("7"), initial_timeout=10)
    array = PV_array([ioc.name("5"), ioc.name("6")])
    prompt.sync(10)
    closed.sync(10)
    closed.close()
    array.sync(10)
    wait_until(lambda: told, "on_update")
    caput(pv.name, 55, wait=True)
    wait_until(lambda: pv.value == 55, "the update")

    def in_the_child() -> None:
        told.clear()
        assert default.running() is None
        assert not pv.ok
        assert (pv.value, pv.value.ok) == (55, False)
        assert "fork" in str(pv.error)
        caput(pv.name, 56, wait=True)
        pv.sync(10)
        wait_until(lambda: pv.ok and pv.value == 56 and told, "the child's value")
        assert pv.connected
        caput(pv.name, 57)
        wait_until(lambda: pv.value == 57, "the child's update")
        # It may wait for its first value, as it might when it was made.
        assert prompt.get() == 7
        assert not array.ok.any()
        array.sync(10)
        assert array.get().tolist() == [57, 6]
        assert array.all_ok
        assert not closed.ok
        assert not closed.connected
        pv.close()
        assert not pv.ok
        (link,) = catools.default_client().links.values()
        assert len(link.channels) == 3

    assert in_a_child(in_the_child) == 0
    # The parent's own subscriptions have gone on.
    wait_until(lambda: pv.value == 57 and array.get()[0] == 57, "the child's put")
    for item in (pv, prompt, array):
        item.close()


@pytest.mark.parametrize("shared", [True, False])
def test_monitors_of_the_parent_stay_its_own_in_the_child_of_a_fork(ioc: Ioc, shared: bool) -> None:
    name = ioc.name("8")
    seen: list[Any] = []
    missing = camonitor(ioc.name("NONE"), print, connect_timeout=3600)
    client = catools.default_client() if shared else Client()
    asked: dict[str, Any] = {"datatype": None, "format": 0, "count": 0, "mask": DBE_VALUE}
    monitors = [client.monitor(name, seen.append, **asked) for _ in range(3)]
    wait_until(lambda: len(seen) == 3, "the values")
    (link,) = client.links.values()
    sent = link.bytes_out

    def in_the_child() -> None:
        seen.clear()
        monitors[0].close()
        mine: list[Any] = []
        monitor = camonitor(name, mine.append)
        wait_until(lambda: mine, "the child's value")
        caput(name, 88, wait=True)
        wait_until(lambda: mine[-1] == 88, "the child's update")
        for each in (missing, monitor, *monitors):
            each.close()
        client.close()
        assert not client.statistics().circuits
        assert link.bytes_out == sent
        assert not seen
        catools.close_client()

    assert in_a_child(in_the_child) == 0
    wait_until(lambda: seen[3:] == [88] * 3, "the child's put")
    caput(name, 89)
    wait_until(lambda: seen[6:] == [89] * 3, "the parent's own put")
    assert link.up
    for monitor in (missing, *monitors):
        monitor.close()
    client.close()


def in_a_child(work: Callable[[], None]) -> int:
    """Return the exit status of a child of a fork that does some work."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
