# SPDX-License-Identifier: Apache-2.0
"""IOCs that crash, freeze, move and change, under a client that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import catools
import cothread
from catools import ca_nothing, caget, camonitor, caput, connect
from catools.pv import PV
from cothread.clock import monotonic
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until


def record(name: str, kind: str = "ao", fields: str = 'field(PINI, "YES")') -> str:
    return f'record({kind}, "$(P){name}") {{ {fields} }}\n'


def test_monitors_resume_after_a_crash(own_ioc: Ioc) -> None:
    seen: list[Any] = []
    caput(own_ioc.name("AO2"), 5, wait=True)
    monitor = camonitor(own_ioc.name("AO2"), seen.append, notify_disconnect=True)
    wait_until(lambda: seen, "the initial value")
    own_ioc.kill()
    wait_until(lambda: not seen[-1].ok, "the notice")
    assert (seen[-1].errorcode, seen[-1].name) == (192, own_ioc.name("AO2"))
    assert connect(own_ioc.name("AO2"), wait=False, cainfo=True).state == 1
    own_ioc.start()
    wait_until(lambda: seen[-1].ok, "the value after the restart")
    assert seen[-1] == 2
    assert [value.ok for value in seen] == [True, False, True]
    monitor.close()


def test_thousand_subscriptions_come_back_by_themselves(see: Callable[..., None]) -> None:
    db = "".join(
        record(str(number), fields=f'field(VAL, "{number}") field(PINI, "YES")')
        for number in range(1000)
    )
    with Ioc(db) as ioc:
        see(ioc)
        names = [ioc.name(str(number)) for number in range(1000)]
        values: dict[int, Any] = {}
        monitors = camonitor(
            names, lambda value, index: values.__setitem__(index, value), notify_disconnect=True
        )
        wait_until(lambda: len(values) == 1000, "all initial values")
        delays = []
        for _ in range(3):
            ioc.kill()
            wait_until(lambda: not any(value.ok for value in values.values()), "all notices")
            ioc.start()
            back = monotonic()
            wait_until(lambda: all(value.ok for value in values.values()), "all values")
            delays.append(monotonic() - back)
            assert [values[number] for number in range(1000)] == list(range(1000))
        print("seconds until all are back:", *(f"{delay:.2f}" for delay in delays))
        for monitor in monitors:
            monitor.close()


def test_put_in_flight_ends_with_a_named_error(own_ioc: Ioc) -> None:
    connect(own_ioc.name("SLOW"))
    put = cothread.Spawn(caput, own_ioc.name("SLOW"), 1, wait=True, throw=False)
    queued = cothread.Spawn(caput, own_ioc.name("SLOW"), 2, wait=True, throw=False)
    wait_until(lambda: caget(own_ioc.name("SLOW")) == 1, "the put has begun")
    own_ioc.kill()
    for task in (put, queued):
        result = task.Wait(5)
        assert (result.ok, result.errorcode, result.name) == (False, 192, own_ioc.name("SLOW"))


def test_caget_during_the_outage_succeeds_when_the_ioc_returns(own_ioc: Ioc) -> None:
    caget(own_ioc.name("LONG"))
    own_ioc.kill()
    wait_until(
        lambda: connect(own_ioc.name("LONG"), wait=False, cainfo=True).state == 1, "disconnected"
    )
    task = cothread.Spawn(caget, own_ioc.name("LONG"), timeout=30, raise_on_wait=True)
    cothread.Sleep(0.1)
    own_ioc.start()
    assert task.Wait(10) == -7


def test_error_after_a_loss_tells_the_story(own_ioc: Ioc) -> None:
    caget(own_ioc.name("LONG"))
    own_ioc.kill()
    wait_until(
        lambda: connect(own_ioc.name("LONG"), wait=False, cainfo=True).state == 1, "disconnected"
    )
    with pytest.raises(ca_nothing) as raised:
        caget(own_ioc.name("LONG"), timeout=0.2)
    assert "since then no answer from" in str(raised.value)


def test_another_type_and_length_after_the_restart(own_ioc: Ioc) -> None:
    own_ioc.restart(record("X", fields='field(VAL, "5") field(PINI, "YES")'))
    seen: list[Any] = []
    monitor = camonitor(own_ioc.name("X"), seen.append)
    wait_until(lambda: seen, "the number")
    assert seen[-1] == 5.0
    assert caget(own_ioc.name("X")) == 5.0
    own_ioc.restart(record("X", "waveform", 'field(NELM, "7") field(FTVL, "LONG")'))
    wait_until(lambda: not isinstance(seen[-1], float), "the array")
    assert len(seen[-1]) == 0
    caput(own_ioc.name("X"), [1, 2, 3])
    wait_until(lambda: len(seen[-1]) == 3, "three elements")
    assert list(seen[-1]) == [1, 2, 3]
    assert list(caget(own_ioc.name("X"))) == [1, 2, 3]
    own_ioc.restart(record("X", "stringout", 'field(VAL, "text") field(PINI, "YES")'))
    wait_until(lambda: isinstance(seen[-1], str), "the text")
    assert seen[-1] == "text"
    monitor.close()


def test_last_value_comes_before_the_notice(own_ioc: Ioc) -> None:
    seen: list[Any] = []
    blocked = cothread.Event(auto_reset=False)

    def callback(value: Any) -> None:
        seen.append(value)
        blocked.Wait()

    monitor = camonitor(own_ioc.name("AO2"), callback, notify_disconnect=True)
    wait_until(lambda: seen, "the first value")
    for value in range(10, 20):
        caput(own_ioc.name("AO2"), value, wait=True)
    own_ioc.kill()
    wait_until(
        lambda: connect(own_ioc.name("AO2"), wait=False, cainfo=True).state == 1, "disconnected"
    )
    own_ioc.start()
    connect(own_ioc.name("AO2"))
    cothread.Sleep(0.1)
    blocked.Signal()
    wait_until(lambda: len(seen) == 4, "everything pending")
    assert [seen[1], seen[2].ok, seen[3]] == [19, False, 2]
    monitor.close()


def test_frozen_ioc_is_noticed_and_resumes(own_ioc: Ioc, see: Callable[..., None]) -> None:
    see(own_ioc, EPICS_CA_CONN_TMO="0.5")
    seen: list[Any] = []
    monitor = camonitor(own_ioc.name("AO2"), seen.append, notify_disconnect=True)
    wait_until(lambda: seen, "the initial value")
    own_ioc.freeze()
    wait_until(lambda: not seen[-1].ok, "the notice", within_s=30)
    assert "silent" in seen[-1].detail
    assert caget(own_ioc.name("AO2"), timeout=0.1, throw=False).errorcode == 80
    own_ioc.thaw()
    wait_until(lambda: seen[-1].ok, "the value after the thaw")
    assert seen[-1] == 2
    caput(own_ioc.name("AO2"), 3)
    wait_until(lambda: seen[-1] == 3, "updates flow again")
    monitor.close()


def test_quiet_circuit_stays_up(own_ioc: Ioc, see: Callable[..., None]) -> None:
    see(own_ioc, EPICS_CA_CONN_TMO="0.2")
    caget(own_ioc.name("LONG"))
    (link,) = catools.default_client().links.values()
    received = link.bytes_in
    wait_until(lambda: link.bytes_in >= received + 3 * 16, "three ECHO replies")
    assert link.up
    assert caget(own_ioc.name("LONG")) == -7


def test_server_moves_to_another_port(own_ioc: Ioc, see: Callable[..., None]) -> None:
    with Ioc(own_ioc.db, prefix=own_ioc.prefix) as elsewhere:
        elsewhere.kill()
        see(own_ioc, elsewhere)
        seen: list[Any] = []
        monitor = camonitor(own_ioc.name("AO2"), seen.append, notify_disconnect=True)
        wait_until(lambda: seen, "the initial value")
        own_ioc.kill()
        wait_until(lambda: not seen[-1].ok, "the notice")
        elsewhere.start()
        wait_until(lambda: seen[-1].ok, "the value from the other place")
        assert catools.cainfo(own_ioc.name("AO2")).host == f"127.0.0.1:{elsewhere.port}"
        monitor.close()


def test_two_servers_with_one_pv(
    own_ioc: Ioc, see: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    with Ioc(own_ioc.db, prefix=own_ioc.prefix) as other:
        see(own_ioc, other)
        name = own_ioc.name("AO2")
        hosts = {own_ioc.address: own_ioc, other.address: other}
        more = [own_ioc.name(record) for record in ("LONG", "STRING", "BO")]
        connect([name, *more])
        wait_until(
            lambda: all(info.alternates for info in catools.cainfo([name, *more])), "the second"
        )
        (notice,) = caplog.records
        assert "as well" in notice.getMessage()
        info = catools.cainfo(name)
        ports = {f"127.0.0.1:{own_ioc.port}", f"127.0.0.1:{other.port}"}
        assert {info.host, *info.alternates} == ports
        first = hosts[catools.default_client().channels[name].link.address]  # type: ignore[union-attr]
        second = other if first is own_ioc else own_ioc
        first.kill()
        wait_until(
            lambda: connect(name, wait=False, cainfo=True).host == f"127.0.0.1:{second.port}",
            "bound to the second server",
        )
        assert caget(name) == 2


def test_access_rights_change_at_run_time(see: Callable[..., None]) -> None:
    rules = """
    ASG(DEFAULT) { RULE(1, WRITE) }
    ASG(DYNAMIC) {
        INPA("$(P)SWITCH")
        RULE(1, READ) { CALC("A<2") }
        RULE(1, WRITE) { CALC("A<1") }
    }
    """
    db = record("SWITCH") + record("X", fields='field(ASG, "DYNAMIC") field(VAL, "7")')
    ioc = Ioc(db)
    ioc.acf = rules.replace("$(P)", ioc.prefix)
    with ioc:
        see(ioc)
        seen: list[Any] = []
        monitor = camonitor(ioc.name("X"), seen.append)
        wait_until(lambda: seen, "the initial value")
        caput(ioc.name("SWITCH"), 1)
        wait_until(lambda: not catools.cainfo(ioc.name("X")).write, "write access lost")
        with pytest.raises(ca_nothing) as refused:
            caput(ioc.name("X"), 1)
        assert refused.value.errorcode == 376
        caput(ioc.name("SWITCH"), 2)
        wait_until(lambda: not catools.cainfo(ioc.name("X")).read, "read access lost")
        with pytest.raises(ca_nothing) as refused:
            caget(ioc.name("X"))
        assert refused.value.errorcode == 368
        wait_until(lambda: not seen[-1].ok, "the monitor learns of it")
        assert seen[-1].errorcode == 368
        late: list[Any] = []
        joined = camonitor(ioc.name("X"), late.append)
        wait_until(lambda: late, "whoever joins learns of it, too")
        assert late[-1].errorcode == 368
        with PV(ioc.name("X")) as pv:
            assert (pv.ok, pv.get(), pv.error.errorcode) == (False, None, 368)
        caput(ioc.name("SWITCH"), 0)
        wait_until(lambda: seen[-1].ok and late[-1].ok, "a fresh value when access is back")
        caput(ioc.name("X"), 8)
        wait_until(lambda: seen[-1] == late[-1] == 8, "updates")
        monitor.close()
        joined.close()


def test_name_server_over_tcp(own_ioc: Ioc, see: Callable[..., None]) -> None:
    see(
        own_ioc,
        EPICS_CA_ADDR_LIST="",
        EPICS_CA_NAME_SERVERS=f"127.0.0.1:{own_ioc.port}",
    )
    assert caget([own_ioc.name("AO2"), own_ioc.name("LONG")]) == [2.0, -7]
    statistics = catools.default_client().statistics()
    assert (statistics.circuits, statistics.search_replies) == (1, 0)


def test_circuit_closes_after_its_last_channel(
    own_ioc: Ioc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catools.client.client.CIRCUIT_LINGER_S", 0.05)
    caget(own_ioc.name("AO2"))
    client = catools.default_client()
    assert client.statistics().circuits == 1
    client.purge()
    wait_until(lambda: client.statistics().circuits == 0, "the circuit closed")
    assert caget(own_ioc.name("AO2")) == 2.0


def test_child_of_a_fork_opens_its_own_circuit(own_ioc: Ioc) -> None:
    import os

    assert caget(own_ioc.name("LONG")) == -7
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            value = caget(own_ioc.name("AO2"))
            os.write(write, b"%g" % float(value))
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    cothread.coselect.wait_readable(read, 20)
    assert os.read(read, 10) == b"2"
    os.close(read)
    assert os.waitpid(child, 0)[1] == 0
    assert caget(own_ioc.name("LONG")) == -7
