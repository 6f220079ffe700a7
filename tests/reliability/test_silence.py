# SPDX-License-Identifier: Apache-2.0
"""Servers that freeze, vanish without a word, move, change and turn up twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import catools
import cothread
from catools import caget, camonitor, caput, connect
from catools.protocol.eca import ECA_DISCONN, ECA_TIMEOUT
from tests.reliability.load import numbers
from tests.support.census import outstanding
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

SOON = {"EPICS_CA_CONN_TMO": "0.5"}
SILENT_S = 40.0
"""The half second, five more for an ECHO, and patience for a machine that does other things."""


def watch(names: list[str], **options: Any) -> tuple[list[list[Any]], list[Any]]:
    """Monitor PVs; return what came for each, and the subscriptions."""
    seen: list[list[Any]] = [[] for _ in names]
    monitors = camonitor(
        names, lambda value, index: seen[index].append(value), notify_disconnect=True, **options
    )
    wait_until(lambda: all(seen), "all first values")
    return seen, monitors


def close(monitors: list[Any]) -> None:
    for monitor in monitors:
        monitor.close()


def test_frozen_ioc_ends_what_waits_and_comes_back(
    ioc_of: Callable[..., Ioc], see: Callable[..., None]
) -> None:
    ioc = ioc_of(numbers(200))
    see(ioc, **SOON)
    names = [ioc.name(str(index)) for index in range(200)]
    seen, monitors = watch(names)
    put_ended: list[Any] = []
    ioc.freeze()
    put = cothread.Spawn(caput, names[0], 50, wait=True, timeout=SILENT_S, throw=False)
    sent = caput(names[1], 51, callback=put_ended.append, throw=False)
    get = cothread.Spawn(caget, names[2], timeout=SILENT_S, throw=False)
    short = cothread.Spawn(caget, names[3], timeout=0.2, throw=False)
    late = short.Wait(SILENT_S)
    assert (late.errorcode, late.name) == (ECA_TIMEOUT, names[3])
    assert "connected to" in str(late)
    assert "has not replied" in str(late)
    assert sent.ok
    wait_until(lambda: all(not values[-1].ok for values in seen), "all notices", SILENT_S)
    result = put.Wait(SILENT_S)
    assert (result.errorcode, result.name) == (ECA_DISCONN, names[0])
    assert "silent" in str(result)
    # A read cut off by the loss is not asked again, but told, as the put is.
    reading = get.Wait(SILENT_S)
    assert (reading.errorcode, reading.name) == (ECA_DISCONN, names[2])
    wait_until(lambda: put_ended, "the callback of the other put")
    assert [(end.errorcode, end.name) for end in put_ended] == [(ECA_DISCONN, names[1])]
    ioc.thaw()
    wait_until(lambda: all(values[-1].ok for values in seen), "all values", SILENT_S)
    assert {tuple(value.ok for value in values) for values in seen} == {(True, False, True)}
    # What was sent before the freeze may have been done by the IOC, or not; now all agree.
    wait_until(lambda: [values[-1] for values in seen] == caget(names), "the same values")
    assert len(put_ended) == 1
    assert not outstanding()
    close(monitors)


def test_service_moves_while_its_host_is_gone_without_a_word(
    ioc_of: Callable[..., Ioc], see: Callable[..., None]
) -> None:
    """A half-open connection: no FIN, no RST, and the PVs are now somewhere else."""
    gone = ioc_of(numbers(20))
    elsewhere = ioc_of(numbers(20), prefix=gone.prefix)
    elsewhere.kill()
    see(gone, elsewhere, **SOON)
    names = [gone.name(str(index)) for index in range(20)]
    seen, monitors = watch(names)
    gone.freeze()
    elsewhere.start()
    wait_until(
        lambda: all(values[-1].ok and len(values) > 2 for values in seen), "the values", SILENT_S
    )
    assert {info.host for info in catools.cainfo(names)} == {f"127.0.0.1:{elsewhere.port}"}
    caput(names, list(range(100, 120)), wait=True)
    wait_until(lambda: [values[-1] for values in seen] == list(range(100, 120)), "updates")
    # When the old host turns up again with the same PVs, nothing changes hands.
    gone.thaw()
    caput(names, 7, wait=True)
    wait_until(lambda: all(values[-1] == 7 for values in seen), "updates still")
    assert {info.host for info in catools.cainfo(names)} == {f"127.0.0.1:{elsewhere.port}"}
    close(monitors)


def test_rebinds_to_the_other_server_with_its_type_and_length(
    ioc_of: Callable[..., Ioc], see: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    scalar = ioc_of('record(ao, "$(P)X") { field(VAL, "1.5") field(PINI, "YES") }')
    array = ioc_of(
        'record(waveform, "$(P)X") { field(NELM, "4") field(FTVL, "LONG") }', prefix=scalar.prefix
    )
    name = scalar.name("X")
    see(scalar, array)
    connect(name)
    wait_until(lambda: caplog.records, "the notice about the second server")
    seen, monitors = watch([name])
    by_port = {scalar.port: scalar, array.port: array}
    for _ in range(2):
        port = catools.default_client().channels[name].link.address[1]  # type: ignore[union-attr]
        first = by_port[port]
        second = array if first is scalar else scalar
        so_far = len(seen[0])
        first.kill()
        wait_until(
            lambda so_far=so_far: len(seen[0]) > so_far + 1 and seen[0][-1].ok,
            "the notice and a value of the other",
        )
        info = catools.cainfo(name)
        expected = (6, 1) if second is scalar else (5, 4)
        assert (info.datatype, info.count) == expected
        if second is scalar:
            caput(name, 2.5, wait=True)
            assert caget(name) == 2.5
        else:
            caput(name, [1, 2, 3], wait=True)
            assert list(caget(name)) == [1, 2, 3]
        first.start()
    twice = [record for record in caplog.records if "as well" in record.getMessage()]
    assert len({record.getMessage() for record in twice}) == len(twice), "told once, not again"
    close(monitors)


def test_another_ioc_at_the_same_address(ioc_of: Callable[..., Ioc]) -> None:
    ioc = ioc_of('record(ao, "$(P)OLD") {}\nrecord(ao, "$(P)BOTH") { field(VAL, "1") }\n')
    (old, both), monitors = watch([ioc.name("OLD"), ioc.name("BOTH")])
    ioc.restart(
        'record(stringout, "$(P)BOTH") { field(VAL, "text") field(PINI, "YES") }\n'
        'record(longout, "$(P)NEW") { field(VAL, "3") field(PINI, "YES") }\n'
    )
    wait_until(lambda: both[-1].ok and isinstance(both[-1], str), "the text")
    assert caget(ioc.name("NEW")) == 3
    assert [value.ok for value in old] == [True, False]
    missing = caget(ioc.name("OLD"), timeout=0.3, throw=False)
    assert missing.errorcode == ECA_TIMEOUT
    assert "closed the connection" in str(missing) or "lost" in str(missing)
    assert "no answer from" in str(missing)
    close(monitors)


def test_every_type_and_length_in_turn(ioc_of: Callable[..., Ioc]) -> None:
    forms = [
        ('record(ao, "$(P)X") { field(VAL, "5") field(PINI, "YES") }', 5.0),
        ('record(longout, "$(P)X") { field(VAL, "6") field(PINI, "YES") }', 6),
        ('record(stringout, "$(P)X") { field(VAL, "text") field(PINI, "YES") }', "text"),
        ('record(bo, "$(P)X") { field(ZNAM, "a") field(ONAM, "b") field(PINI, "YES") }', 0),
        ('record(waveform, "$(P)X") { field(NELM, "3") field(FTVL, "DOUBLE") }', []),
        ('record(waveform, "$(P)X") { field(NELM, "9") field(FTVL, "UCHAR") }', []),
    ]
    ioc = ioc_of(forms[-1][0])
    (seen,), monitors = watch([ioc.name("X")], format=catools.FORMAT_CTRL)
    for db, expected in forms:
        before = len(seen)
        ioc.restart(db)
        wait_until(lambda before=before: len(seen) > before + 1 and seen[-1].ok, "the new value")
        for value in (seen[-1], caget(ioc.name("X"))):
            shown = list(value) if isinstance(expected, list) else value
            assert shown == expected
        assert connect(ioc.name("X"), cainfo=True).ok
        if "bo," in db:
            assert list(seen[-1].enums) == ["a", "b"]
    close(monitors)


def test_rights_that_flap_under_load(ioc_of: Callable[..., Ioc], see: Callable[..., None]) -> None:
    ioc = Ioc(
        'record(ao, "$(P)SWITCH") {}\n'
        + "".join(f'record(ao, "$(P)X{n}") {{ field(ASG, "DYN") }}\n' for n in range(50))
    )
    ioc.acf = f"""
    ASG(DEFAULT) {{ RULE(1, WRITE) }}
    ASG(DYN) {{
        INPA("{ioc.prefix}SWITCH")
        RULE(1, READ) {{ CALC("A<2") }}
        RULE(1, WRITE) {{ CALC("A<1") }}
    }}
    """
    with ioc:
        see(ioc)
        names = [ioc.name(f"X{n}") for n in range(50)]
        seen, monitors = watch(names)
        going = True
        refused: set[int] = set()

        def put() -> int:
            done = 0
            while going:
                results = caput(names, done, wait=True, throw=False)
                for name, result in zip(names, results, strict=True):
                    assert result.name == name
                    if not result.ok:
                        refused.add(result.errorcode)
                done += 1
                # Refused here and now, a put does not suspend.
                cothread.Sleep(0.001)
            return done

        putter = cothread.Spawn(put, raise_on_wait=True)
        for _ in range(10):
            for position in (1, 2, 1, 0):
                caput(ioc.name("SWITCH"), position, wait=True)
                wait_until(
                    lambda p=position: {catools.cainfo(names[-1]).write} == {p < 1}, "the rights"
                )
        going = False
        assert putter.Wait(30) > 0
        assert refused <= {376, 160}
        caput(names, 99, wait=True)
        wait_until(lambda: all(values[-1].ok and values[-1] == 99 for values in seen), "99")
        assert not outstanding()
        close(monitors)
