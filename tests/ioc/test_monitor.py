# SPDX-License-Identifier: Apache-2.0
"""camonitor against a real IOC."""

from __future__ import annotations

from typing import Any

import pytest

import catools
import cothread
from catools import (
    DBE_PROPERTY,
    FORMAT_CTRL,
    FORMAT_TIME,
    CAException,
    InvalidDatatype,
    ca_nothing,
    caget,
    camonitor,
    caput,
    connect,
)
from cothread import hooks
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until


def test_initial_value_and_updates(ioc: Ioc) -> None:
    seen: list[Any] = []
    caput(ioc.name("AO2"), 10, wait=True)
    monitor = camonitor(ioc.name("AO2"), seen.append)
    wait_until(lambda: seen, "the initial value")
    assert (seen[0], seen[0].name, seen[0].update_count) == (10, ioc.name("AO2"), 1)
    caput(ioc.name("AO2"), 11)
    wait_until(lambda: seen[-1] == 11, "the update")
    monitor.close()
    caput(ioc.name("AO2"), 12, wait=True)
    assert seen[-1] == 11
    monitor.close()


def test_list_gives_the_index(ioc: Ioc) -> None:
    seen: list[tuple[Any, int]] = []
    names = [ioc.name("LONG"), ioc.name("STRING"), ioc.name("LONG")]
    monitors = camonitor(names, lambda value, index: seen.append((value.name, index)))
    wait_until(lambda: len(seen) == 3, "three initial values")
    assert sorted(seen) == sorted([(names[0], 0), (names[1], 1), (names[2], 2)])
    for monitor in monitors:
        monitor.close()


def test_merging_keeps_the_newest_and_counts(ioc: Ioc) -> None:
    name = ioc.name("AO2")
    merged: list[Any] = []
    everything: list[Any] = []
    release = cothread.Event(auto_reset=False)

    def slow(value: Any) -> None:
        merged.append(value)
        release.Wait()

    caput(name, 0, wait=True)
    monitors = [
        camonitor(name, slow),
        camonitor(name, everything.append, all_updates=True),
    ]
    wait_until(lambda: merged, "the first callback")
    for value in range(1, 51):
        caput(name, value, wait=True)
    release.Signal()
    wait_until(lambda: everything and everything[-1] == 50, "the last of all updates")
    wait_until(lambda: merged[-1] == 50, "the newest")
    assert everything == list(range(51))
    assert {value.update_count for value in everything} == {1}
    assert merged == [0, 50]
    assert merged[-1].update_count == 50
    for monitor in monitors:
        monitor.close()


def test_callbacks_run_on_one_cothread_in_order(ioc: Ioc) -> None:
    tasks: set[object] = set()
    order: list[float] = []

    def note(value: Any) -> None:
        tasks.add(cothread.current())
        order.append(float(value))
        cothread.Yield()

    monitors = [
        camonitor(ioc.name(record), note, all_updates=True) for record in ("AO2", "LONG", "SLOW")
    ]
    wait_until(lambda: len(order) == 3, "the initial values")
    order.clear()
    for value in range(20):
        caput([ioc.name("AO2"), ioc.name("LONG")], value, wait=True)
    wait_until(lambda: len(order) == 40, "all updates")
    assert len(tasks) == 1
    assert order == sorted(order)
    for monitor in monitors:
        monitor.close()


def test_same_request_shares_one_subscription(ioc: Ioc) -> None:
    seen: list[Any] = [None] * 5
    name = ioc.name("AO2")
    first = camonitor(name, lambda value: seen.__setitem__(0, value), format=FORMAT_TIME)
    wait_until(lambda: seen[0] is not None, "the first monitor's value")
    others = [
        camonitor(
            name,
            lambda value, index=index: seen.__setitem__(index, value),
            format=FORMAT_TIME,
        )
        for index in range(1, 5)
    ]
    wait_until(lambda: None not in seen, "everyone's initial value")
    (link,) = catools.default_client().links.values()
    assert len(link.circuit.subscriptions) == 1
    assert {value.timestamp for value in seen} == {seen[0].timestamp}
    first.close()
    caput(name, 77)
    wait_until(lambda: seen[1:] == [77] * 4, "the others go on")
    assert seen[0] != 77
    for monitor in others:
        monitor.close()
    wait_until(lambda: not link.circuit.subscriptions, "the subscription ended")
    wait_until(lambda: not link.circuit.cancelling, "and was acknowledged")


def test_formats_and_events(ioc: Ioc) -> None:
    seen: list[Any] = []
    monitor = camonitor(ioc.name("AO.EGU"), print)
    monitor.close()
    monitor = camonitor(ioc.name("AO"), seen.append, format=FORMAT_CTRL, events=DBE_PROPERTY)
    wait_until(lambda: seen, "the initial value")
    caput(ioc.name("AO"), 2, wait=True)
    caput(ioc.name("AO.HOPR"), 20, wait=True)
    wait_until(lambda: len(seen) == 2, "the property event")
    assert [value.upper_disp_limit for value in seen] == [10, 20]
    caput(ioc.name("AO.HOPR"), 10, wait=True)
    monitor.close()


def test_alarms_arrive_with_time_format(ioc: Ioc) -> None:
    seen: list[Any] = []
    monitor = camonitor(ioc.name("AO"), seen.append, format=FORMAT_TIME)
    for value, severity in ((85, 1), (95, 2), (0, 0)):
        caput(ioc.name("AO"), value, wait=True)
        wait_until(
            lambda value=value, severity=severity: (
                seen and (seen[-1], seen[-1].severity) == (value, severity)
            ),
            f"{value}",
        )
    monitor.close()


def test_empty_array_is_delivered(ioc: Ioc) -> None:
    seen: list[Any] = []
    monitor = camonitor(ioc.name("EMPTY"), seen.append)
    wait_until(lambda: seen, "the empty array")
    assert len(seen[0]) == 0
    monitor.close()


def test_raising_callback_ends_its_own_subscription_only(
    ioc: Ioc, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[tuple[str, BaseException]] = []
    previous = hooks.set_report(lambda where, exc, _task: reports.append((where, exc)))
    try:
        good: list[Any] = []
        bad = camonitor(ioc.name("AO2"), lambda value: 1 / 0)
        other = camonitor(ioc.name("AO2"), good.append)
        wait_until(lambda: reports and good, "the report, and the other's value")
        assert bad.closed
        assert not other.closed
        assert ioc.name("AO2") in reports[0][0]
        assert "callback raised exception" in reports[0][0]
        assert isinstance(reports[0][1], ZeroDivisionError)
        other.close()
    finally:
        hooks.set_report(previous)


def test_caget_inside_a_callback(ioc: Ioc) -> None:
    results: list[Any] = []
    monitor = camonitor(ioc.name("AO2"), lambda _: results.append(caget(ioc.name("STRING"))))
    wait_until(lambda: results, "the value read inside the callback")
    monitor.close()


def test_close_inside_a_callback(ioc: Ioc) -> None:
    seen: list[Any] = []

    def once(value: Any) -> None:
        seen.append(value)
        monitor.close()

    monitor = camonitor(ioc.name("COUNT"), once, all_updates=True)
    wait_until(lambda: seen, "one value")
    cothread.Sleep(0.3)
    assert len(seen) == 1


@pytest.mark.parametrize("all_updates", [True, False])
def test_a_callback_may_close_the_client(ioc: Ioc, all_updates: bool) -> None:
    client = catools.default_client()
    names = [ioc.name("AO2"), ioc.name("LONG"), ioc.name("AO")]
    connect(names)
    steps: list[str] = []

    def callback(_value: object, _index: int) -> None:
        steps.append("called")
        catools.close_client()
        steps.append("closed")

    monitors = camonitor(names, callback, format=FORMAT_TIME, all_updates=all_updates)
    wait_until(lambda: "closed" in steps, "the end of the callback")
    assert client.closed
    assert not client.links
    assert all(monitor.closed for monitor in monitors)
    assert caget(names[0]).ok
    assert steps == ["called", "closed"]


def test_no_callback_after_close_even_if_pending(ioc: Ioc) -> None:
    seen: list[Any] = []
    other: list[Any] = []

    def close_all(value: Any) -> None:
        other.append(value)
        monitor.close()

    first = camonitor(ioc.name("LONG"), close_all)
    monitor = camonitor(ioc.name("LONG"), seen.append)
    wait_until(lambda: other, "the first monitor's callback")
    cothread.Sleep(0.05)
    assert seen == []
    first.close()


def test_connect_timeout(ioc: Ioc) -> None:
    seen: list[Any] = []
    monitor = camonitor(ioc.name("NO:SUCH"), seen.append, connect_timeout=0.1)
    wait_until(lambda: seen, "the notice")
    assert isinstance(seen[0], ca_nothing)
    assert seen[0].errorcode == 192
    monitor.close()
    connect(ioc.name("AO2"))
    connected = camonitor(ioc.name("AO2"), seen.append, connect_timeout=0.2)
    cothread.Sleep(0.4)
    connected.close()
    assert [value.ok for value in seen] == [False, True]


def test_waiting_for_connections_ends_with_the_last_of_them(ioc: Ioc) -> None:
    def waits() -> bool:
        return any(
            info.task is not None and info.task.name == "catools connect"
            for info in cothread.cothreads()
        )

    seen: list[Any] = []
    names = [ioc.name("AO2"), ioc.name("LONG")]
    monitors = camonitor(names, lambda *item: seen.append(item), connect_timeout=3600)
    assert waits()
    wait_until(lambda: len(seen) == 2, "both values")
    wait_until(lambda: not waits(), "the end of the wait for connections")
    assert all(value.ok for value, _ in seen)
    for monitor in monitors:
        monitor.close()


def test_bad_arguments(ioc: Ioc) -> None:
    with pytest.raises(InvalidDatatype):
        camonitor(ioc.name("AO2"), print, datatype="no such type")
    with pytest.raises(InvalidDatatype):
        camonitor(ioc.name("AO2"), print, format=9)
    for events in (0, 256, -1):
        with pytest.raises(CAException) as raised:
            camonitor(ioc.name("AO2"), print, events=events)
        assert raised.value.errorcode == 330
    with pytest.raises(TypeError, match="callable"):
        camonitor(ioc.name("AO2"), None)  # type: ignore[call-overload]
    for count in (None, "3", 1.5):
        with pytest.raises(TypeError, match="count must be a whole number"):
            camonitor(ioc.name("WF"), print, count=count)  # type: ignore[call-overload]
    assert catools.default_client().statistics().monitors == 0


def test_big_array_monitor(ioc: Ioc) -> None:
    sizes: list[int] = []
    monitor = camonitor(ioc.name("BIG"), lambda value: sizes.append(len(value)))
    wait_until(lambda: sizes, "the initial value")
    caput(ioc.name("BIG"), [1.0] * 500_000, wait=True)
    wait_until(lambda: sizes[-1] == 500_000, "the big array")
    monitor.close()
