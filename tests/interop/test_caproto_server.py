# SPDX-License-Identifier: Apache-2.0
"""A server that shares no code with EPICS base: read, written and watched as libca does it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from catools import FORMAT_TIME, caget, cainfo, camonitor, caput, connect
from tests.interop.describe import datatype_of, describe
from tests.support.ioc import free_port
from tests.support.waiting import wait_until

SERVER = Path(__file__).with_name("caproto_server.py")
PREFIX = "CAPROTO:"
NAMES = ["DOUBLE", "FLOAT", "LONG", "SHORT", "ENUM", "STRING", "TEXT", "WAVE", "LONGS"]
START_S = 60.0


@pytest.fixture(scope="module")
def server(peers_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads a client to the server."""
    env = {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(free_port()),
        "EPICS_CA_REPEATER_PORT": str(free_port()),
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
    }
    log = tmp_path_factory.mktemp("caproto") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [peers_python, str(SERVER), PREFIX],
            env={**os.environ, **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        yield env
        process.terminate()
        process.wait()


@pytest.fixture
def seen(server, see):
    see(server)
    connect(PREFIX + NAMES[0], timeout=START_S)
    return server


def test_reads_as_libca_does(seen, ask):
    requests = [
        (name, datatype, format, count)
        for name in NAMES
        for datatype in (None, *range(7), 999, 997, 996, "str", "bytes")
        for format in (0, 1, 2)
        for count in (0, -1, 2)
    ]
    theirs = ask("cothread", [["get", PREFIX + name, *rest] for name, *rest in requests], seen)
    wrong = []
    for (name, datatype, format, count), they in zip(requests, theirs, strict=True):
        value = caget(
            PREFIX + name, datatype=datatype_of(datatype), format=format, count=count, throw=False
        )
        ours = describe(value)
        for one in (ours, they):
            one.pop("timestamp", None)
        if ours != they:
            wrong.append(f"{name} {datatype} {format} {count}:\n  ours   {ours}\n  theirs {they}")
    assert not wrong, f"{len(wrong)} of {len(requests)} differ:\n" + "\n".join(wrong[:20])


def test_puts_arrive(seen):
    for name, value in (
        ("DOUBLE", 3.25),
        ("FLOAT", 0.5),
        ("LONG", 42),
        ("SHORT", -42),
        ("ENUM", 0),
        ("STRING", "other"),
        ("WAVE", [4.0, 5.0]),
        ("LONGS", [9, 8, 7]),
    ):
        assert caput(PREFIX + name, value, wait=True).ok
        back = caget(PREFIX + name)
        assert (back.tolist() if hasattr(back, "dtype") else +back) == value
    assert caput(PREFIX + "ENUM", "on", wait=True).ok
    assert caget(PREFIX + "ENUM") == 1
    assert caput(PREFIX + "TEXT", "another long text", wait=True).ok
    assert caget(PREFIX + "TEXT", datatype=999) == "another long text"


def test_monitors_bring_updates(seen):
    values = []
    monitor = camonitor(PREFIX + "LONG", values.append, format=FORMAT_TIME, all_updates=True)
    wait_until(lambda: values, "the first value")
    for number in (100, 101, 102):
        caput(PREFIX + "LONG", number, wait=True)
    wait_until(lambda: values[-1] == 102, "the last value")
    monitor.close()
    assert [int(value) for value in values[-3:]] == [100, 101, 102]


def test_who_it_is(seen):
    info = cainfo(PREFIX + "WAVE")
    assert info.connected
    assert (info.count, info.datatype_str) == (10, "double")
    assert info.read
    assert info.write
