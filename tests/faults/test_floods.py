# SPDX-License-Identifier: Apache-2.0
"""Servers that send faster than anybody can take, or take nothing, or say nothing."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

import catools
import cothread
from catools import FORMAT_TIME, ca_nothing, caget, camonitor, caput, connect
from catools.client import dispatcher as dispatcher_module
from catools.client import link as link_module
from catools.client.channel import Channel
from catools.protocol import commands as c
from catools.protocol.eca import ECA_TIMEOUT
from catools.protocol.framing import frame
from catools.testing import Pv, Server
from tests.support.waiting import wait_until


def test_slow_callback_holds_the_circuit_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "MOST_WAITING", 500)
    monkeypatch.setattr(dispatcher_module, "RESUME_BELOW", 100)
    seen: list[float] = []
    gate = cothread.Event(auto_reset=False)

    def slow(value: Any) -> None:
        gate.Wait()
        seen.append(float(value))

    monitor = camonitor("PV", slow, all_updates=True)
    wait_until(lambda: server["PV"].watchers, "subscribed")
    connection = server.connection
    most = 0
    sent = 0
    for _ in range(200):
        for _ in range(1000):
            sent += 1
            server["PV"].post([sent])
        cothread.Sleep(0.002)
        most = max(most, catools.default_client().statistics().waiting_updates)
    wait_until(lambda: connection.count(c.EVENTS_OFF) == 1, "the server is asked to hold back")
    assert catools.default_client().statistics().held_circuits == 1
    assert most < 500 + link_module.BLOCK // 24 + 1
    assert connection.backlog > 0, "the socket itself does not push back"
    # Replies still come through, since somebody waits for them.
    gate.Signal()
    wait_until(lambda: seen and seen[-1] == sent, "the last update", within_s=60)
    assert seen == [1.5, *range(1, sent + 1)]
    wait_until(lambda: connection.count(c.EVENTS_ON) >= 1, "the server may send again")
    assert catools.default_client().statistics().held_circuits == 0
    monitor.close()


def test_caget_in_a_callback_while_the_circuit_is_held_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "MOST_WAITING", 50)
    monkeypatch.setattr(dispatcher_module, "RESUME_BELOW", 10)
    results: list[float] = []
    monitor = camonitor("PV", lambda _: results.append(caget("OTHER")), all_updates=True)
    wait_until(lambda: results, "the first")
    for number in range(300):
        server["PV"].post([number])
    wait_until(lambda: len(results) == 301, "all callbacks", within_s=60)
    assert server.connection.count(c.EVENTS_OFF) >= 1
    monitor.close()


def test_server_that_stops_reading(server: Server) -> None:
    server.pvs["BIG"] = Pv([0.0] * 10, size=1_000_000)
    connect(["PV", "BIG"])
    connection = server.connection
    connection.stop_reading()
    payload = [1.0] * 500_000
    for _ in range(4):
        assert caput("BIG", payload).ok
    assert catools.default_client().statistics().backlog > 0
    # We still read what it sends, although it takes nothing.
    seen: list[float] = []
    assert not caget("PV", timeout=0.1, throw=False).ok
    connection.resume_reading()
    wait_until(lambda: catools.default_client().statistics().backlog == 0, "everything is sent")
    monitor = camonitor("PV", seen.append)
    wait_until(lambda: seen, "life goes on")
    assert caget("BIG", count=1, timeout=20)[0] == 1.0
    monitor.close()


def test_puts_to_a_server_that_stops_reading_wait_for_room(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "MOST_UNSENT", 1_000_000)
    server.pvs["BIG"] = Pv([0.0] * 10, size=1_000_000)
    connect(["PV", "OTHER", "BIG"])
    server.connection.stop_reading()
    payload = [1.0] * 500_000
    client = catools.default_client()
    while client.statistics().backlog <= 1_000_000:
        assert caput("BIG", payload).ok
    full = client.statistics().backlog
    for names, values in (("BIG", payload), ("PV", 3.0), (["PV", "OTHER"], [3.0, 4.0])):
        with pytest.raises(ca_nothing, match="not sent, because") as raised:
            caput(names, values, timeout=0.05)
        assert raised.value.errorcode == ECA_TIMEOUT
    assert client.statistics().backlog == full, "refused puts left nothing behind"
    order: list[int] = []

    def put(number: int) -> None:
        caput("PV", float(number), timeout=60)
        order.append(number)

    waiting = [cothread.Spawn(put, number, raise_on_wait=True) for number in range(5)]
    cothread.Sleep(0)
    assert not order, "all of them wait"
    server.connection.resume_reading()
    cothread.WaitForAll(waiting, 60)
    assert order == [0, 1, 2, 3, 4]
    assert caget("PV", timeout=60) == 4.0


def test_updates_flow_while_writing_is_blocked(server: Server) -> None:
    server.pvs["BIG"] = Pv([0.0] * 10, size=1_000_000)
    seen: list[float] = []
    monitor = camonitor("PV", lambda value: seen.append(float(value)))
    connect("BIG")
    wait_until(lambda: seen, "the initial value")
    server.connection.stop_reading()
    for _ in range(4):
        caput("BIG", [1.0] * 500_000)
    assert catools.default_client().statistics().backlog > 0
    server["PV"].post([77])
    wait_until(lambda: seen[-1] == 77, "the update")
    server.connection.resume_reading()
    monitor.close()
    wait_until(lambda: catools.default_client().statistics().backlog == 0, "everything is sent")


def test_server_that_falls_silent(server: Server, see: Callable[..., None]) -> None:
    see(server, EPICS_CA_CONN_TMO="0.3")
    seen: list[Any] = []
    monitor = camonitor("PV", seen.append, notify_disconnect=True)
    wait_until(lambda: seen, "the initial value")
    server.on(c.ECHO, lambda *_: None)
    wait_until(lambda: not all(value.ok for value in seen), "the notice", within_s=30)
    assert "silent" in next(value for value in seen if not value.ok).detail
    wait_until(lambda: seen[-1].ok, "a new circuit to the same server")
    assert server.accepted == 2
    monitor.close()


def test_service_that_accepts_and_says_nothing(server: Server) -> None:
    for command in (c.VERSION, c.CREATE_CHAN, c.ECHO):
        server.on(command, lambda *_: None)
    with pytest.raises(ca_nothing, match="has not connected the channel") as raised:
        caget("PV", timeout=2)
    assert f"127.0.0.1:{server.port}" in str(raised.value)
    # After 5 s without a byte it is asked for a sign of life, and 5 s later given up.
    wait_until(lambda: server.accepted >= 2, "another attempt", within_s=60)
    for command in (c.VERSION, c.CREATE_CHAN, c.ECHO):
        server.on(command, None)
    server.connections[-1].reset()
    assert caget("PV", timeout=30) == 1.5


def test_connection_refused(server: Server) -> None:
    server.refuse()
    cothread.Yield()
    with pytest.raises(ca_nothing, match="no connection to") as raised:
        caget("PV", timeout=2)
    assert raised.value.errorcode == 80
    server.listen()
    assert caget("PV", timeout=20) == 1.5


def test_search_that_nobody_answers_and_then_somebody_does(server: Server) -> None:
    server.answers_searches = False
    task = cothread.Spawn(caget, "PV", timeout=30, raise_on_wait=True)
    wait_until(lambda: len(server.searches) >= 4, "several searches")
    server.answers_searches = True
    assert task.Wait(20) == 1.5


def test_put_that_is_never_answered(server: Server) -> None:
    server.on(c.WRITE_NOTIFY, lambda *_: None)
    with pytest.raises(ca_nothing, match="completion has not been reported"):
        caput("PV", 2, wait=True, timeout=0.1)
    with pytest.raises(ca_nothing, match="this one was not sent"):
        caput("PV", 3, wait=True, timeout=0.1)
    assert server.connection.count(c.WRITE_NOTIFY) == 1
    assert caput("PV", 4).ok
    assert caget("PV") == 4


def test_thousand_channels_vanish_and_return(see: Callable[..., None]) -> None:
    names = [f"PV:{number}" for number in range(1000)]
    with Server({name: Pv([float(index)]) for index, name in enumerate(names)}) as server:
        see(server)
        values: dict[int, Any] = {}
        notices: list[str] = []

        def take(value: Any, index: int) -> None:
            values[index] = value
            if not value.ok:
                notices.append(value.name)

        subscriptions = camonitor(names, take, notify_disconnect=True)
        wait_until(lambda: len(values) == 1000, "all initial values")
        for _ in range(3):
            searched = len(server.searches)
            server.connection.reset()
            wait_until(lambda: len(notices) == 1000, "all notices")
            notices.clear()
            wait_until(lambda: all(value.ok for value in values.values()), "all values")
            assert [values[index] for index in range(1000)] == list(range(1000))
            assert len(server.searches) - searched < 5000
        for subscription in subscriptions:
            subscription.close()


def test_datagrams_of_any_kind(server: Server) -> None:
    caget("PV")
    client = catools.default_client()
    port = client.finder._datagrams.socket.getsockname()[1]
    beacons = client.finder._listener.socket.getsockname()[1]
    channel = client.channels["PV"]
    bad = [
        b"",
        b"x",
        bytes(15),
        b"\xff" * 64,
        frame(c.SEARCH, b"\0\x0d", dtype=5, count=13, p1=channel.cid, p2=channel.cid),
        frame(c.SEARCH, b"\0\x0d", dtype=server.port, p1=0, p2=channel.cid),
        frame(c.SEARCH, b"\0\x0d", dtype=0, p1=0xFFFFFFFF, p2=channel.cid),
        frame(c.SEARCH, b"\0\x0d", dtype=server.port, p1=0xE0000001, p2=channel.cid),
        frame(c.SEARCH, b"\0\x0d", dtype=server.port, p1=0xFFFFFFFF, p2=4711),
        frame(c.REPEATER_CONFIRM, p2=0x7F000001),
        frame(c.BEACON, dtype=13, count=0, p1=0xFFFFFFFF, p2=0xFFFFFFFF),
        frame(c.NOT_FOUND, p1=channel.cid, p2=channel.cid),
        frame(c.ERROR, bytes(8)),
        server.search_reply(channel.cid) * 3,
    ]
    assert server.datagrams is not None
    for data in bad:
        server.datagrams.sendto(data, ("127.0.0.1", port))
        server.datagrams.sendto(data, ("127.0.0.1", beacons))
    received = client.finder.bytes_in
    wait_until(lambda: client.finder.bytes_in > received, "they have arrived")
    assert caget("PV") == 1.5
    assert server.accepted == 1


def test_forged_answer_points_to_nobody(server: Server) -> None:
    server.answers_searches = False
    client = catools.default_client()
    connect("PV", wait=False)
    wait_until(lambda: server.searches, "the search")
    channel = client.channels["PV"]
    port = client.finder._datagrams.socket.getsockname()[1]
    with Server({}) as decoy:
        decoy.refuse()
        assert server.datagrams is not None
        server.datagrams.sendto(decoy.search_reply(channel.cid), ("127.0.0.1", port))
        wait_until(lambda: channel.refusals == 1, "nobody is there")
    server.answers_searches = True
    assert caget("PV", timeout=20) == 1.5


def test_closing_the_client_in_every_state(server: Server, see: Callable[..., None]) -> None:
    def closing_after(action: Callable[[], object]) -> None:
        see(server)
        action()
        catools.close_client()

    closing_after(lambda: None)
    closing_after(catools.default_client)
    closing_after(lambda: connect("PV", wait=False))
    closing_after(lambda: (connect("PV", wait=False), cothread.Yield()))
    closing_after(lambda: caget("PV"))
    closing_after(lambda: camonitor("PV", print, format=FORMAT_TIME))
    closing_after(lambda: caget("PV:NOT:THERE", timeout=0.01, throw=False))
    closing_after(lambda: [caput("PV", number) for number in range(100)])
    wait_until(lambda: server["PV"].value == [99.0], "puts under way have arrived")


def test_ten_thousand_channels_leave_nothing(see: Callable[..., None]) -> None:
    names = [f"PV:{number}" for number in range(10_000)]
    with Server({name: Pv([1.0]) for name in names}) as server:
        see(server)
        client = catools.default_client()
        assert len(caget(names, timeout=60)) == len(names)
        client.purge()
        wait_until(lambda: not server.connection.channels, "the server has freed all")
        (link,) = client.links.values()
        wait_until(lambda: not link.circuit.channels, "so have we")
        gc.collect()
        ours = set(names)
        left = [c for c in gc.get_objects() if isinstance(c, Channel) and c.name in ours]
        assert not left
        assert len(client._by_cid) == len(client.channels) == len(client.finder.search) == 0
