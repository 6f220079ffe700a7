# SPDX-License-Identifier: Apache-2.0
"""What EPICS_CA_* does, against real IOCs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import catools
from catools import ca_nothing, caget, cainfo, camonitor, caput
from catools.protocol.eca import ECA_TOLARGE
from tests.support.ioc import Ioc, free_port
from tests.support.waiting import wait_until

WAVES = """
record(waveform, "$(P)LONG") {field(NELM, "10000") field(FTVL, "DOUBLE")}
record(ao, "$(P)SCALAR") {field(VAL, "2") field(PINI, "YES")}
"""


def test_array_that_is_too_large_disturbs_nobody(see: Callable[..., None]) -> None:
    with Ioc(WAVES) as ioc:
        see(ioc, EPICS_CA_AUTO_ARRAY_BYTES="NO", EPICS_CA_MAX_ARRAY_BYTES="16384")
        long = ioc.name("LONG")
        caput(long, range(100), wait=True)
        arrays: list[Any] = []
        scalars: list[Any] = []
        monitors = [
            camonitor(long, arrays.append, notify_disconnect=True),
            camonitor(ioc.name("SCALAR"), scalars.append, notify_disconnect=True),
        ]
        wait_until(lambda: arrays and scalars, "the initial values")
        caput(long, range(10_000), wait=True)
        wait_until(lambda: len(arrays) == 2, "the update that is too large")
        assert (arrays[1].ok, arrays[1].errorcode) == (False, ECA_TOLARGE)
        said = f"{long}: .*sent 80000 bytes, and EPICS_CA_MAX_ARRAY_BYTES allows 16384"
        with pytest.raises(ca_nothing, match=said) as refused:
            caget(long)
        assert refused.value.errorcode == ECA_TOLARGE
        assert len(caget(long, count=2000)) == 2000
        caput(long, range(5), wait=True)
        wait_until(lambda: len(arrays) == 3, "an update that is not")
        assert list(arrays[2]) == [0, 1, 2, 3, 4]
        assert scalars == [2]
        assert catools.default_client().statistics().circuits == 1
        for monitor in monitors:
            monitor.close()


def test_port_goes_with_addresses_that_name_none(own_ioc: Ioc, see: Callable[..., None]) -> None:
    see(own_ioc, EPICS_CA_ADDR_LIST="127.0.0.1", EPICS_CA_SERVER_PORT=str(own_ioc.port))
    assert caget(own_ioc.name("AO2")) == 2
    see(
        own_ioc,
        EPICS_CA_ADDR_LIST="",
        EPICS_CA_NAME_SERVERS="127.0.0.1",
        EPICS_CA_SERVER_PORT=str(own_ioc.port),
    )
    assert caget(own_ioc.name("AO2")) == 2


def test_name_servers_that_are_not_there_hinder_nobody(
    own_ioc: Ioc, see: Callable[..., None]
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    see(
        own_ioc,
        EPICS_CA_ADDR_LIST="",
        EPICS_CA_NAME_SERVERS=f"{nobody} 127.0.0.1:{own_ioc.port}",
    )
    assert caget(own_ioc.name("AO2")) == 2
    with pytest.raises(ca_nothing) as error:
        caget(own_ioc.name("NOBODY"), timeout=0.2)
    assert f"{nobody} (name server), 127.0.0.1:{own_ioc.port} (name server)" in str(error.value)


def test_name_server_that_comes_later_is_asked(own_ioc: Ioc, see: Callable[..., None]) -> None:
    own_ioc.kill()
    see(
        own_ioc,
        EPICS_CA_ADDR_LIST="",
        EPICS_CA_NAME_SERVERS=f"127.0.0.1:{own_ioc.port}",
    )
    seen: list[Any] = []
    monitor = camonitor(own_ioc.name("AO2"), seen.append, notify_disconnect=True)
    assert not caget(own_ioc.name("AO2"), timeout=0.5, throw=False).ok
    own_ioc.start()
    # Not after EPICS_CA_CONN_TMO, which is 30 s.
    wait_until(lambda: seen and seen[-1].ok, "the value", 15)
    own_ioc.kill()
    wait_until(lambda: not seen[-1].ok, "the notice")
    own_ioc.start()
    wait_until(lambda: seen[-1].ok, "the value once more", 15)
    assert cainfo(own_ioc.name("AO2")).host == f"127.0.0.1:{own_ioc.port}"
    monitor.close()
