# SPDX-License-Identifier: Apache-2.0
"""Every way to put, and every way in which a put can end: told once, by name, and nothing left.

The rows are the ways to put: wait, callback, neither. The columns are the ends: done, refused by
the server, refused by its access rights, too late, the IOC frozen and killed, nobody there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cothread
from catools import ca_nothing, caget, camonitor, caput, connect
from tests.support.census import Census, outstanding
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

RECORDS = """
record(ao, "$(P)GOOD") {}
record(ao, "$(P)DISP") { field(DISP, "1") }
record(ao, "$(P)LOCKED") { field(ASG, "READONLY") }
record(waveform, "$(P)BIG") { field(NELM, "200000") field(FTVL, "DOUBLE") }
record(ao, "$(P)SLOW") { field(FLNK, "$(P)SLOW:DELAY") }
record(calcout, "$(P)SLOW:DELAY") {
    field(CALC, "1") field(ODLY, "0.5") field(OUT, "$(P)SLOW:SINK PP")
}
record(ao, "$(P)SLOW:SINK") {}
"""
ACCESS = "ASG(DEFAULT) { RULE(1, WRITE) }\nASG(READONLY) { RULE(1, READ) }\n"
WAYS = ("wait", "callback", "plain")


@pytest.fixture(scope="module")
def shared_ioc() -> Iterator[Ioc]:
    with Ioc(RECORDS, acf=ACCESS) as ioc:
        yield ioc


@pytest.fixture
def ioc(shared_ioc: Ioc, see: Callable[..., None]) -> Ioc:
    """An IOC that all tests of this module share, at rest."""
    see(shared_ioc)
    wait_until(lambda: caget(shared_ioc.name("SLOW:DELAY.PACT")) == 0, "the slow record is at rest")
    caput([shared_ioc.name("GOOD"), shared_ioc.name("SLOW:SINK")], 0, wait=True)
    see(shared_ioc)
    return shared_ioc


class OnePut:
    """One put, by one of the ways, with everything that was heard of it."""

    def __init__(self, way: str, name: str, value: Any, **options: Any) -> None:
        self.name = name
        self.called_back: list[ca_nothing] = []
        if way == "wait":
            options["wait"] = True
        elif way == "callback":
            options["callback"] = self.called_back.append
        self.call = cothread.Spawn(caput, name, value, throw=False, **options)

    def returned(self) -> ca_nothing:
        result: ca_nothing = self.call.Wait(30)
        assert result.name == self.name
        assert result.ok or self.name in str(result)
        return result


def nothing_is_left() -> None:
    """Check that neither the circuits nor anybody else remembers the calls that have ended."""
    wait_until(lambda: not outstanding(), f"nothing is outstanding: {outstanding()}")
    calls = ("catools.client.put.", "catools.client.batch.", "catools.client.get.")

    def kept() -> list[str]:
        return [kind for kind in Census.now().objects if kind.startswith(calls)]

    wait_until(lambda: not kept(), f"nobody remembers: {kept()}")


@pytest.mark.parametrize("way", WAYS)
def test_done(ioc: Ioc, way: str) -> None:
    put = OnePut(way, ioc.name("GOOD"), 42)
    assert put.returned().ok
    if way == "callback":
        wait_until(lambda: put.called_back, "the callback")
        assert [(end.ok, end.name) for end in put.called_back] == [(True, put.name)]
    assert caget(put.name) == 42
    nothing_is_left()


@pytest.mark.parametrize("way", WAYS)
def test_refused_by_the_record(ioc: Ioc, way: str, caplog: pytest.LogCaptureFixture) -> None:
    connect(ioc.name("DISP"))
    put = OnePut(way, ioc.name("DISP"), 42)
    result = put.returned()
    if way == "wait":
        assert result.errorcode == 160
    elif way == "callback":
        wait_until(lambda: put.called_back, "the callback")
        assert [(end.errorcode, end.name) for end in put.called_back] == [(160, put.name)]
        assert result.ok
    else:
        assert result.ok, "it was sent"
        host = f"{ioc.address[0]}:{ioc.address[1]}"
        said = f"{put.name}: Channel write request failed; refused by {host}"
        wait_until(lambda: said in [r.getMessage() for r in caplog.records], "the notice")
    assert caget(put.name) == 0
    nothing_is_left()


@pytest.mark.parametrize("way", WAYS)
def test_refused_by_access_rights(ioc: Ioc, way: str) -> None:
    put = OnePut(way, ioc.name("LOCKED"), 42)
    assert put.returned().errorcode == 376
    assert caget(put.name) == 0
    assert put.called_back == []
    nothing_is_left()


@pytest.mark.parametrize("way", WAYS)
def test_too_late(ioc: Ioc, way: str) -> None:
    name = ioc.name("SLOW")
    put = OnePut(way, name, 42, timeout=0.1)
    behind = OnePut("wait", name, 43, timeout=0.2)
    result = put.returned()
    if way == "wait":
        assert result.errorcode == 80
        assert "completion has not been reported" in str(result)
    else:
        assert result.ok
    if way != "plain":
        assert behind.returned().errorcode == 80
        assert "not sent" in str(behind.returned())
    if way == "callback":
        assert put.called_back == []
        wait_until(lambda: put.called_back, "the callback, in its own time")
        assert [(end.ok, end.name) for end in put.called_back] == [(True, name)]
    wait_until(lambda: caget(f"{name}:DELAY.PACT") == 0, "the record is at rest")
    assert caget(name) == (43 if way == "plain" else 42)
    behind.returned()
    nothing_is_left()


@pytest.mark.parametrize("way", WAYS)
def test_ioc_dies_on_it(ioc_of: Callable[..., Ioc], way: str) -> None:
    ioc = ioc_of(RECORDS)
    name = ioc.name("GOOD")
    connect(name)
    ioc.freeze()
    puts = [OnePut(way, name, value, timeout=30) for value in (42, 43, 44)]
    cothread.Sleep(0.1)
    ioc.kill()
    results = [put.returned() for put in puts]
    for put, result in zip(puts, results, strict=True):
        if way == "wait":
            assert result.errorcode == 192
        else:
            assert result.ok, "it was sent"
        if way == "callback":
            wait_until(lambda put=put: put.called_back, "the callback")
    assert [len(put.called_back) for put in puts] == [way == "callback"] * 3
    assert {end.errorcode for put in puts for end in put.called_back} <= {192}
    ioc.start()
    # The first may still go out on the circuit whose end has not been noticed.
    wait_until(lambda: caget(name, throw=False).ok, "a value from the new one")
    nothing_is_left()


@pytest.mark.parametrize("way", WAYS)
def test_nobody_there(ioc: Ioc, way: str) -> None:
    put = OnePut(way, ioc.name("NO:SUCH"), 42, timeout=0.2)
    result = put.returned()
    assert result.errorcode == 80
    assert "no answer from" in str(result)
    assert f"127.0.0.1:{ioc.port}" in str(result)
    assert put.called_back == []
    nothing_is_left()


def test_list_under_one_deadline_with_some_missing(ioc: Ioc) -> None:
    good, missing = ioc.name("GOOD"), ioc.name("NO:SUCH")
    names = [good, missing, ioc.name("DISP"), ioc.name("LOCKED"), good]
    connect([name for name in names if name != missing])
    results = caput(names, [1, 2, 3, 4, 5], wait=True, timeout=1, throw=False)
    assert [result.name for result in results] == names
    assert [result.errorcode for result in results] == [1, 80, 160, 376, 1]
    assert caget(good) == 5
    with pytest.raises(ca_nothing) as raised:
        caput(names, [1, 2, 3, 4, 5], wait=True, timeout=1)
    assert raised.value.name == missing
    assert set(raised.value.failing) == {missing, ioc.name("DISP"), ioc.name("LOCKED")}
    for name in raised.value.failing:
        assert name in str(raised.value)


def test_order_of_puts_by_every_way(ioc: Ioc) -> None:
    name = ioc.name("GOOD")
    seen: list[float] = []
    monitor = camonitor(name, lambda value: seen.append(float(value)), all_updates=True)
    connect(name)
    completed: list[float] = []
    for value in range(1, 301):
        way = value % 3
        if way == 0:
            caput(name, value, wait=True)
        elif way == 1:
            caput(name, value, callback=lambda _, value=value: completed.append(value))
        else:
            caput(name, value)
    assert caget(name) == 300
    wait_until(lambda: seen and seen[-1] == 300, "the last update")
    assert seen == sorted(seen), "the server had them in another order"
    wait_until(lambda: len(completed) == 100, "all callbacks")
    assert completed == sorted(completed)
    monitor.close()


def test_sent_puts_keep_no_data(ioc: Ioc) -> None:
    name = ioc.name("BIG")
    data = [0.5] * 200_000
    caput(name, data, wait=True)
    before = Census.now()
    for _ in range(40):
        caput(name, data)
        caget(name, count=1)
    # 64 MB were sent.
    assert Census.now().resident - before.resident < 30 << 20


def test_interrupted_put_is_withdrawn_if_it_was_not_sent(ioc: Ioc) -> None:
    name = ioc.name("SLOW")
    first = cothread.Spawn(caput, name, 1, wait=True)
    wait_until(lambda: caget(name) == 1, "the first put has begun")
    second = cothread.Spawn(caput, name, 2, wait=True)
    cothread.Sleep(0.05)
    second.Cancel()
    with pytest.raises(cothread.WasCancelled):
        second.Wait(5)
    first.Wait(5)
    wait_until(lambda: not outstanding(), "nothing is outstanding")
    assert caget(name) == 1


def test_threads_put_and_get(ioc: Ioc) -> None:
    name = ioc.name("GOOD")
    wrong: list[Any] = []

    def work(number: int) -> None:
        try:
            for _ in range(20):
                caput(name, number, wait=True)
                if caget(name) not in range(4):
                    wrong.append(caget(name))
        except BaseException as exc:
            wrong.append(exc)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: not any(thread.is_alive() for thread in threads), "the threads end", 60)
    for thread in threads:
        thread.join()
    assert wrong == []
