# SPDX-License-Identifier: Apache-2.0
"""Everything that programs hold may be used, and let go, in any thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import catools
import cothread
from catools import Client, ca_nothing, caget, cainfo, camonitor, caput, connect, forward
from catools.pv import PV, PV_array
from tests.support.census import outstanding
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until


@pytest.fixture
def ioc(shared_ioc: Ioc, see: Callable[..., None]) -> Ioc:
    """An IOC that all tests of this module share."""
    see(shared_ioc)
    return shared_ioc


def elsewhere(work: Callable[[], Any]) -> Any:
    """Do some work in another thread and return its result, or raise its error."""
    ends: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            ends.append((work(), None))
        except BaseException as error:
            ends.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: ends, "the end of the work")
    thread.join()
    ((result, error),) = ends
    if error is not None:
        raise error
    return result


def test_functions(ioc: Ioc) -> None:
    one, two = ioc.name("1"), ioc.name("2")
    seen: list[Any] = []
    assert all(elsewhere(lambda: caput([one, two], [10, 20], wait=True)))
    assert elsewhere(lambda: caget([one, two])) == [10, 20]
    assert elsewhere(lambda: connect(one)).ok
    assert elsewhere(lambda: cainfo(one)).connected
    monitor = elsewhere(lambda: camonitor(one, seen.append))
    wait_until(lambda: seen == [10], "the value")
    assert elsewhere(lambda: catools.default_client().statistics()).monitors == 1
    monitor.close()


def test_bad_arguments(ioc: Ioc) -> None:
    for bad in (lambda: caget(), lambda: caget(5), lambda: caget(["a", None])):  # type: ignore[call-overload]
        with pytest.raises(TypeError):
            elsewhere(bad)
    for timeout in ("5", (), (1, 2)):
        with pytest.raises(TypeError, match=r"timeout|deadline"):
            elsewhere(lambda timeout=timeout: caget(ioc.name("1"), timeout=timeout))  # type: ignore[misc]
    assert elsewhere(lambda: caget([])) == []
    assert elsewhere(lambda: caget(pvs=[ioc.name("1")])[0].ok)


def test_monitor_closed_elsewhere_leaves_the_circuit_alone(ioc: Ioc) -> None:
    name = ioc.name("3")
    seen: list[Any] = []
    monitors = [camonitor(name, seen.append) for _ in range(3)]
    wait_until(lambda: len(seen) == 3, "the values")
    for monitor in monitors:
        elsewhere(monitor.close)
        elsewhere(monitor.close)
        assert monitor.closed
    (link,) = catools.default_client().links.values()
    wait_until(lambda: not link.circuit.subscriptions, "the end of the subscription")
    caput(name, 33, wait=True)
    assert caget(name) == 33
    assert len(seen) == 3
    assert not outstanding()


def test_objects(ioc: Ioc) -> None:
    pv = elsewhere(lambda: PV(ioc.name("4"), initial_timeout=10))
    array = elsewhere(lambda: PV_array([ioc.name("4"), ioc.name("5")]))
    elsewhere(lambda: pv.caput(44, wait=True))
    elsewhere(array.sync)
    wait_until(lambda: pv.get() == 44 and array.get()[0] == 44, "the put")
    assert elsewhere(lambda: pv.get_next(10)) == 44
    elsewhere(pv.reset)
    elsewhere(pv.close)
    elsewhere(array.close)
    assert catools.default_client().statistics().monitors == 0
    assert caget(ioc.name("4")) == 44


def test_closing_everything(ioc: Ioc) -> None:
    name = ioc.name("6")
    monitor = camonitor(name, print)
    connect(name)
    elsewhere(catools.default_client().purge)
    assert monitor.closed
    caput(name, 66)
    elsewhere(catools.close_client)
    assert caget(name) == 66
    client = Client()
    elsewhere(client.close)
    assert client.closed


def test_starting_the_client(ioc: Ioc) -> None:
    catools.close_client()
    client = elsewhere(catools.default_client)
    assert client is catools.default_client()
    assert caget(ioc.name("1"), timeout=10).ok
    elsewhere(catools.close_client)
    assert client.closed


def test_monitors_come_and_go_in_many_threads(ioc: Ioc) -> None:
    names = [ioc.name(str(number)) for number in range(20)]
    connect(names)
    done: list[int] = []

    def work(first: int) -> None:
        for turn in range(10):
            seen = threading.Event()
            monitors = camonitor(names[first:], lambda *_: seen.set())  # noqa: B023
            caput(names[first], first + turn)
            assert seen.wait(20)
            for monitor in monitors:
                monitor.close()
        done.append(first)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    wait_until(lambda: not any(thread.is_alive() for thread in threads), "all threads")
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(6))
    assert catools.default_client().statistics().monitors == 0
    cothread.Yield()
    caput(names, 5, wait=True)
    assert caget(names) == [5] * 20


def test_a_call_ends_though_the_scheduler_waits_for_its_thread(
    ioc: Ioc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "GRACE_S", 0.05)
    names = [ioc.name("7"), ioc.name("8")]
    caput(names, 7, wait=True)
    results: list[Any] = []

    def work() -> None:
        results.append(caget((name for name in names), timeout=0.05, throw=False))
        results.append(caput(names[0], 8, timeout=0.05, throw=False))
        try:
            caget(pvs=names[0], timeout=0)
        except ca_nothing as error:
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    values, put, error = results
    assert [value.name for value in values] == names
    for failed in (*values, put, error):
        assert failed.errorcode == 80
        assert "cothread.in_thread(thread.join)" in str(failed)
    cothread.Yield()
    # What was given up is not done later.
    assert caget(names[0]) == 7


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("threading.Thread(target=work).start()", "3\n3\n"),
        ("pool = ThreadPoolExecutor(2); pool.submit(work)", "3\n3\n"),
        ("threading.Thread(target=caget, args=('NO:PV',), daemon=True).start(); Sleep(0.1)", ""),
        ("late = Late(); caget(name)", "RuntimeError\n"),
    ],
)
def test_the_end_of_the_program(ioc: Ioc, program: str, printed: str) -> None:
    caput(ioc.name("9"), 3, wait=True)
    head = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from cothread import Sleep
from cothread.catools import caget
name = sys.argv[1]
def work():
    for _ in range(2):
        print(int(caget(name)), flush=True)
class Late:
    def __del__(self, caget=caget, name=name, print=print):
        try:
            caget(name)
        except RuntimeError as error:
            print(type(error).__name__, flush=True)
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", head + program, ioc.name("9")]
    environment = {**os.environ, **ioc.env}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == (printed, "")
