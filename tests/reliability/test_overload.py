# SPDX-License-Identifier: Apache-2.0
"""More updates than callbacks can take: the last one always arrives, and memory stays bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import catools
import cothread
from catools import caget, camonitor, connect
from catools.client import dispatcher as delivery
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

RECORDS = 20
UPDATES = 6_000
DB = "".join(f'record(ao, "$(P)X{n}") {{ field(PINI, "YES") }}\n' for n in range(RECORDS))


class Flood:
    """The IOC's own shell sets records one after the other, as fast as it can."""

    def __init__(self, ioc: Ioc, updates: int) -> None:
        self.ioc = ioc
        self.updates = updates
        self.last = [0.0] * RECORDS
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for value in range(1, self.updates + 1):
            self.ioc.command(f'dbpf "{self.ioc.name(f"X{value % RECORDS}")}" "{value}"')
            self.last[value % RECORDS] = value

    def join(self) -> None:
        wait_until(lambda: not self._thread.is_alive(), "the flood has been sent", 120)
        self._thread.join()
        names = [self.ioc.name(f"X{n}") for n in range(RECORDS)]
        wait_until(lambda: caget(names) == self.last, "the IOC has done it all", 120)


def test_merging_under_overload_ends_with_the_last_value(
    ioc_of: Callable[..., Ioc], figure: Callable[[str], None]
) -> None:
    ioc = ioc_of(DB)
    names = [ioc.name(f"X{n}") for n in range(RECORDS)]
    seen: list[list[Any]] = [[] for _ in names]

    def slow(value: Any, index: int) -> None:
        seen[index].append(value)
        cothread.Sleep(0.01)

    monitors = camonitor(names, slow)
    wait_until(lambda: all(seen), "all first values")
    queue = catools.default_client().dispatcher.queue
    longest = 0
    flood = Flood(ioc, UPDATES)
    while flood._thread.is_alive():
        longest = max(longest, len(queue))
        cothread.Sleep(0.005)
    flood.join()
    wait_until(lambda: [values[-1] for values in seen] == flood.last, "the last values", 60)
    for values in seen:
        assert values == sorted(values), "no older value after a newer one"
    assert longest <= RECORDS
    called = sum(map(len, seen))
    stood_for = sum(value.update_count for values in seen for value in values)
    figure(f"{UPDATES} updates, {stood_for} came, in {called} callbacks; {longest} waited at most")
    for monitor in monitors:
        monitor.close()


def test_all_updates_under_overload_hold_the_server_back(
    ioc_of: Callable[..., Ioc], monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    monkeypatch.setattr(delivery, "MOST_WAITING", 300)
    monkeypatch.setattr(delivery, "RESUME_BELOW", 100)
    ioc = ioc_of(DB)
    names = [ioc.name(f"X{n}") for n in range(RECORDS)]
    client = catools.default_client()
    client.most_waiting = 300
    seen: list[list[float]] = [[] for _ in names]

    def slow(value: Any, index: int) -> None:
        seen[index].append(float(value))
        if len(seen[index]) % 20 == 0:
            cothread.Sleep(0.02)

    monitors = camonitor(names, slow, all_updates=True)
    wait_until(lambda: all(seen), "all first values")
    longest = 0
    held = False
    flood = Flood(ioc, UPDATES)
    while flood._thread.is_alive() or client.dispatcher.waiting:
        longest = max(longest, client.dispatcher.waiting)
        held = held or client.dispatcher.held > 0
        cothread.Sleep(0.002)
    flood.join()
    wait_until(lambda: [values[-1] for values in seen] == flood.last, "the last values", 60)
    for values in seen:
        assert values == sorted(values), "in order"
        assert len(set(values)) == len(values), "none twice"
    assert held, "the circuit was never held back"
    # One block read after the limit may hold 1,700 updates; replies may need some more.
    assert longest <= 300 * 10 + 2000
    assert connect(names[0], cainfo=True).ok
    figure(f"{UPDATES} updates, {sum(map(len, seen))} delivered, {longest} waited at most")
    for monitor in monitors:
        monitor.close()
