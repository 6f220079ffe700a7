# SPDX-License-Identifier: Apache-2.0
"""Updates that come in long runs: callbacks see no difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import catools
import cothread
from catools import FORMAT_TIME, camonitor
from catools.client.monitors import Monitor
from catools.protocol import commands as c
from catools.testing import Pv, Server
from cothread import hooks
from tests.support.waiting import wait_until

UPDATES = 200


def monitor_all(name: Any, callback: Any) -> Any:
    return camonitor(name, callback, format=FORMAT_TIME, all_updates=True)


def post(server: Server, *names: str, start: int = 0) -> None:
    """Send many updates in one go, to each PV in turn."""
    for number in range(start, start + UPDATES):
        for name in names:
            server[name].post([number])


def test_none_is_lost_and_none_is_late(server: Server) -> None:
    names = ["PV", "OTHER"]
    seen: list[tuple[int, float]] = []

    def callback(value: Any, index: int) -> None:
        assert value.name == names[index]
        assert value.update_count == 1
        seen.append((index, float(value)))

    monitors = monitor_all(names, callback)
    wait_until(lambda: len(seen) == 2, "first values")
    seen.clear()
    post(server, *names)
    wait_until(lambda: len(seen) == 2 * UPDATES, "all updates")
    assert seen == [(index, float(number)) for number in range(UPDATES) for index in range(2)]
    for monitor in monitors:
        monitor.close()


def test_a_monitor_that_joins_begins_with_the_newest_of_a_run(server: Server) -> None:
    first: list[float] = []
    second: list[Any] = []
    one = monitor_all("PV", first.append)
    wait_until(lambda: first, "subscribed")
    post(server, "PV", "OTHER")
    wait_until(lambda: first[-1] == UPDATES - 1, "all updates")
    two = monitor_all("PV", second.append)
    wait_until(lambda: second, "the first value")
    assert second == [UPDATES - 1]
    assert second[0].update_count == 1
    assert server.connection.count(c.EVENT_ADD) == 1
    assert server.connection.count(c.READ_NOTIFY) == 0
    one.close()
    two.close()


def test_a_monitor_that_joins_while_a_run_waits_gets_its_newest_once(server: Server) -> None:
    gate = cothread.Event[None](auto_reset=False)
    first: list[float] = []
    second: list[float] = []

    def slow(value: Any) -> None:
        gate.Wait()
        first.append(float(value))

    one = monitor_all("PV", slow)
    wait_until(lambda: server["PV"].watchers, "subscribed")
    gate.Signal()
    wait_until(lambda: first, "the first value")
    gate.Reset()
    statistics = catools.default_client().statistics
    expected = statistics().bytes_in + UPDATES * 40
    post(server, "PV")
    wait_until(lambda: statistics().bytes_in >= expected, "all have come")
    two = monitor_all("PV", lambda value: second.append(float(value)))
    gate.Signal()
    wait_until(lambda: first[-1] == UPDATES - 1 and second, "all callbacks")
    server["PV"].post([-1.0])
    wait_until(lambda: second[-1] == -1 and first[-1] == -1, "the one after")
    assert second == [UPDATES - 1, -1.0]
    assert first == [1.5, *range(UPDATES), -1.0]
    one.close()
    two.close()


def test_closing_within_a_run_ends_it_for_this_monitor_alone(server: Server) -> None:
    names = ["PV", "OTHER"]
    seen: tuple[list[float], list[float]] = ([], [])
    monitors: list[Monitor] = []

    def callback(value: Any, index: int) -> None:
        seen[index].append(float(value))
        if value == 100:
            monitors[0].close()

    monitors += monitor_all(names, callback)
    wait_until(lambda: all(seen), "first values")
    post(server, *names)
    wait_until(lambda: seen[1][-1] == UPDATES - 1, "all updates")
    assert seen[0][-1] == 100
    assert seen[1][1:] == list(range(UPDATES))
    monitors[1].close()


def throw(_value: object) -> None:
    raise ZeroDivisionError("on purpose")


def cancel(_value: object) -> None:
    cothread.current().Cancel()
    cothread.Sleep(0)


@pytest.mark.parametrize("harm", [throw, cancel])
@pytest.mark.parametrize("all_updates", [True, False])
def test_a_callback_that_fails_within_a_run_ends_its_own_subscription(
    server: Server, harm: Callable[[object], None], all_updates: bool
) -> None:
    names = ["PV", "OTHER"]
    seen: list[float] = []
    harmed = 0

    def callback(value: Any, index: int) -> None:
        nonlocal harmed
        if index:
            seen.append(float(value))
        elif value >= 50:
            harmed += 1
            harm(value)

    reports: list[str] = []
    previous = hooks.set_report(lambda where, _exc, _task: reports.append(where))
    try:
        monitors = camonitor(names, callback, format=FORMAT_TIME, all_updates=all_updates)
        wait_until(lambda: seen, "first values")
        post(server, *names)
        wait_until(lambda: seen[-1] == UPDATES - 1, "all updates")
    finally:
        hooks.set_report(previous)
    if all_updates:
        assert seen[1:] == list(range(UPDATES))
    assert harmed == 1
    assert reports == ["Subscription PV callback raised exception; subscription PV closed"]
    assert [monitor.closed for monitor in monitors] == [True, False]
    monitors[1].close()


def test_merged_updates_of_runs(server: Server) -> None:
    gate = cothread.Event[None](auto_reset=False)
    seen: list[list[Any]] = [[], []]

    def slow(value: Any, index: int) -> None:
        gate.Wait()
        seen[index].append(value)

    statistics = catools.default_client().statistics
    monitors = camonitor(["PV", "OTHER"], slow, format=FORMAT_TIME)
    gate.Signal()
    wait_until(lambda: all(seen), "first values")
    gate.Reset()
    expected = statistics().bytes_in + 2 * UPDATES * 40
    post(server, "PV", "OTHER")
    wait_until(lambda: statistics().bytes_in >= expected, "all have come")
    assert statistics().waiting_updates <= 2
    late: list[float] = []
    joined = camonitor("PV", lambda value: late.append(float(value)), format=FORMAT_TIME)
    gate.Signal()
    wait_until(lambda: all(values[-1] == UPDATES - 1 for values in seen) and late, "the last")
    for values in seen:
        assert values == sorted(values)
        assert sum(value.update_count for value in values[1:]) == UPDATES
    assert late == [UPDATES - 1]
    for monitor in (*monitors, joined):
        monitor.close()


def test_types_side_by_side(server: Server) -> None:
    server.pvs["SHORT"] = Pv([3], dbr=1)
    names = ["PV", "LONG", "SHORT"]
    seen: list[tuple[int, float, int]] = []

    def callback(value: Any, index: int) -> None:
        seen.append((index, float(value), value.datatype))

    monitors = monitor_all(names, callback)
    wait_until(lambda: len(seen) == 3, "first values")
    seen.clear()
    for name in names:
        post(server, name)
    wait_until(lambda: len(seen) == 3 * UPDATES, "all updates")
    expected = [(0, 6), (1, 5), (2, 1)]
    assert seen == [(index, n, dbr) for index, dbr in expected for n in range(UPDATES)]
    for monitor in monitors:
        monitor.close()
