# SPDX-License-Identifier: Apache-2.0
"""Names are searched as long as somebody needs them, and little longer."""

from __future__ import annotations

from typing import Any

import pytest

import catools
import cothread
from catools import ca_nothing, caget, camonitor, connect
from catools.client import unwanted
from catools.testing import Pv, Server
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have names given up as soon as possible."""
    monkeypatch.setattr(unwanted, "UNWANTED_S", 0.02)


def searched() -> int:
    """Return how many names are searched."""
    return catools.default_client().statistics().searching


def connecting() -> bool:
    """Tell whether a cothread waits for the PVs of monitors to connect."""
    tasks = (info.task for info in cothread.cothreads())
    return any(task is not None and task.name == "catools connect" for task in tasks)


@pytest.mark.parametrize("connect_timeout", [None, 3600])
def test_search_ends_with_the_last_monitor(server: Server, connect_timeout: float | None) -> None:
    monitors = [
        camonitor("NONE", print, connect_timeout=connect_timeout),
        camonitor("NONE", print, format=catools.FORMAT_TIME, connect_timeout=connect_timeout),
        camonitor("NONE", print, connect_timeout=connect_timeout),
    ]
    wait_until(lambda: server.searches.count(b"NONE") > 2, "searches")
    monitors[0].close()
    monitors[1].close()
    cothread.Sleep(0.1)
    assert searched() == 1
    monitors[2].close()
    wait_until(lambda: not searched(), "the end of the search")
    assert "NONE" not in catools.default_client().channels
    wait_until(lambda: not connecting(), "the end of the wait for connections")


def test_monitors_of_a_list_end_one_by_one(server: Server) -> None:
    seen: list[tuple[Any, int]] = []
    names = ["NONE1", "NONE2", "NONE1"]
    monitors = camonitor(names, lambda *item: seen.append(item), connect_timeout=2)
    wait_until(lambda: searched() == 2, "two searches")
    monitors[1].close()
    wait_until(lambda: searched() == 1, "the end of one search")
    monitors[0].close()
    wait_until(lambda: seen, "the notice")
    assert [(value.name, value.errorcode, index) for value, index in seen] == [("NONE1", 192, 2)]
    assert searched() == 1
    monitors[2].close()
    wait_until(lambda: not searched(), "the end of the other search")


def test_search_goes_on_for_those_who_wait(server: Server) -> None:
    results: list[Any] = []
    monitor = camonitor("LATER", print, connect_timeout=3600)
    task = cothread.Spawn(lambda: results.append(caget("LATER", timeout=20)))
    wait_until(lambda: searched() and b"LATER" in server.searches, "a search")
    monitor.close()
    cothread.Sleep(0.1)
    assert searched() == 1
    server.pvs["LATER"] = Pv([4.5])
    task.Wait(20)
    assert results == [4.5]


def test_name_that_is_given_up_is_found_when_asked_for_again(server: Server) -> None:
    seen: list[Any] = []
    camonitor("LATER", print).close()
    wait_until(lambda: not searched(), "the end of the search")
    server.pvs["LATER"] = Pv([4.5])
    monitor = camonitor("LATER", seen.append)
    wait_until(lambda: seen == [4.5], "the value")
    monitor.close()


def test_connection_that_was_asked_for_outlives_monitors(server: Server) -> None:
    connect("LATER", wait=False)
    camonitor("LATER", print).close()
    cothread.Sleep(0.1)
    assert searched() == 1


def test_lost_channel_is_given_up_with_its_monitor(server: Server) -> None:
    seen: list[Any] = []
    monitor = camonitor("PV", seen.append, notify_disconnect=True)
    wait_until(lambda: seen, "the value")
    server.answers_searches = False
    server.connection.close()
    wait_until(lambda: isinstance(seen[-1], ca_nothing), "the notice")
    assert searched() == 1
    monitor.close()
    wait_until(lambda: not searched(), "the end of the search")


def test_purge_closes_every_monitor_of_a_channel(server: Server) -> None:
    monitors = [camonitor(name, print) for name in ("NONE", "NONE", "NONE", "PV", "PV")]
    connect("PV")
    catools.default_client().purge()
    assert all(monitor.closed for monitor in monitors)
    assert not catools.default_client().channels
    assert not searched()
