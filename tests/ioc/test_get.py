# SPDX-License-Identifier: Apache-2.0
"""caget and cainfo against a real IOC."""

from __future__ import annotations

import gc
import math
import threading
from typing import Any

import numpy
import pytest

import catools
import cothread
from catools import (
    DBR_CHAR_STR,
    DBR_CLASS_NAME,
    DBR_ENUM_STR,
    DBR_STSACK_STRING,
    FORMAT_CTRL,
    FORMAT_TIME,
    CAException,
    InvalidDatatype,
    ca_nothing,
    caget,
    cainfo,
    caput,
    connect,
)
from catools.client.batch import Batch
from catools.client.get import Get
from catools.protocol.circuit import VERY_LARGE
from tests.support.census import outstanding
from tests.support.ioc import Ioc
from tests.support.waiting import wait_until

SCALARS = {"AO2": 2.0, "LONG": -7, "STRING": "hello", "BO": 0, "MBBO": 0}


@pytest.mark.parametrize(("record", "value"), SCALARS.items())
def test_scalar_of_every_native_type(ioc: Ioc, record: str, value: object) -> None:
    got = caget(ioc.name(record))
    assert got == value
    assert type(+got) is type(value)
    assert (got.ok, got.name, got.element_count) == (True, ioc.name(record), 1)


def test_list_keeps_order_and_repeats(ioc: Ioc) -> None:
    names = [ioc.name(record) for record in ("LONG", "AO2", "LONG", "STRING")]
    assert caget(names) == [-7, 2.0, -7, "hello"]
    assert caget(tuple(names)) == caget(name for name in names)
    assert caget([]) == []


def test_time_and_control_data(ioc: Ioc) -> None:
    timed = caget(ioc.name("AO"), format=FORMAT_TIME)
    assert (timed.severity, timed.status) == (0, 0)
    assert timed.timestamp > 1e9
    control = caget(ioc.name("AO"), format=FORMAT_CTRL)
    assert (control.units, control.precision) == ("mA", 3)
    assert (control.upper_disp_limit, control.lower_ctrl_limit) == (10, -100)
    assert control.upper_alarm_limit == 90
    assert list(caget(ioc.name("MBBO"), format=FORMAT_CTRL).enums) == ["Idle", "Ramp", "Stored"]


def test_conversions_by_the_server(ioc: Ioc) -> None:
    assert (
        caget(ioc.name("AO2"), datatype=str) == "2.000"
        or caget(ioc.name("AO2"), datatype=str) == "2"
    )
    assert caget(ioc.name("AO2"), datatype=int) == 2
    assert caget(ioc.name("BO"), datatype=DBR_ENUM_STR) == "Off"
    assert caget(ioc.name("INT64"), datatype=str) == "9007199254740993"
    assert caget(ioc.name("AO2"), datatype=DBR_CLASS_NAME) == "ao"
    acknowledged = caget(ioc.name("AO2"), datatype=DBR_STSACK_STRING)
    assert (acknowledged.ackt, acknowledged.acks) == (1, 0)


@pytest.mark.parametrize(
    ("record", "values"),
    [
        ("WF", [1.5, math.inf, -0.0]),
        ("WFSHORT", [-32768, 0, 32767]),
        ("WFFLOAT", [0.5, -0.25]),
        ("WFLONG", [-(2**31), 2**31 - 1]),
        ("WFCHAR", [0, 127, 255]),
        ("WFSTRING", ["a", "", "thirty-nine characters, the most it can"]),
    ],
)
def test_array_of_every_native_type(ioc: Ioc, record: str, values: list[object]) -> None:
    caput(ioc.name(record), values, wait=True)
    assert list(caget(ioc.name(record))) == values
    assert list(caget(ioc.name(record), count=1)) == values[:1]
    whole = caget(ioc.name(record), count=-1)
    assert len(whole) == whole.element_count
    assert list(whole[: len(values)]) == values


def test_empty_array(ioc: Ioc) -> None:
    empty = caget(ioc.name("EMPTY"))
    assert isinstance(empty, numpy.ndarray)
    assert (len(empty), empty.element_count) == (0, 10)


@pytest.mark.parametrize("size", [1, 2046, 2047, 8191, 8192, 70000, 1_000_000])
def test_array_sizes_around_every_header_and_buffer_limit(ioc: Ioc, size: int) -> None:
    sent = numpy.arange(size, dtype=float)
    caput(ioc.name("BIG"), sent, wait=True)
    assert numpy.array_equal(caget(ioc.name("BIG")), sent)


def test_long_strings(ioc: Ioc) -> None:
    text = "x" * 200 + "é"
    caput(ioc.name("LSO.VAL$"), text, wait=True)
    assert caget(ioc.name("LSO.VAL$")) == text
    caput(ioc.name("WFCHAR"), "text", datatype=DBR_CHAR_STR, wait=True)
    assert caget(ioc.name("WFCHAR"), datatype=DBR_CHAR_STR) == "text"


def test_channel_filter(ioc: Ioc) -> None:
    caput(ioc.name("WF"), [0, 1, 2, 3, 4, 5, 6], wait=True)
    assert list(caget(ioc.name("WF.[1:2:5]"))) == [1, 3, 5]


def test_missing_pv_times_out_with_an_explanation(ioc: Ioc) -> None:
    missing = ioc.name("NO:SUCH")
    with pytest.raises(ca_nothing) as raised:
        caget(missing, timeout=0.2)
    text = str(raised.value)
    assert text.startswith(f"{missing}: User specified timeout on IO operation expired")
    assert f"127.0.0.1:{ioc.port}" in text
    assert raised.value.errorcode == 80


def test_a_blank_at_the_end_of_a_name_is_seen(ioc: Ioc) -> None:
    blank, line = caget([f"{ioc.name('AO')} ", f"{ioc.name('AO')}\n"], timeout=0.05, throw=False)
    assert "blank space at an end of the name" in str(blank)
    assert str(line).startswith(f"'{ioc.name('AO')}\\n': User specified timeout")
    assert "\n" not in str(line)


def test_names_may_be_of_any_kind_of_text(ioc: Ioc) -> None:
    name = caget(ioc.name("AO.NAME"))
    for names in (numpy.array([name]), [name]):
        assert type(caget(names)[0].name) is str
        assert type(caput(names, 1.5)[0].name) is str
    assert type(caput(name, 1.5).name) is str


def test_one_missing_pv_does_not_cost_the_others(ioc: Ioc) -> None:
    names = [ioc.name("AO2"), ioc.name("NO:A"), ioc.name("LONG"), ioc.name("NO:B")]
    connect(names[::2])
    values = caget(names, timeout=1, throw=False)
    assert [value.ok for value in values] == [True, False, True, False]
    assert values[0] == 2.0
    with pytest.raises(ca_nothing) as raised:
        caget(names, timeout=1)
    assert raised.value.name == names[1]
    assert raised.value.failing == (names[1], names[3])
    assert names[3] in str(raised.value)


def test_name_found_by_search_but_impossible_to_create(ioc: Ioc) -> None:
    connect(ioc.name("AO"))
    with pytest.raises(ca_nothing) as raised:
        caget(ioc.name("AO.{junk"), timeout=1)
    assert raised.value.errorcode == 80
    assert "no such channel" in str(raised.value)


def test_a_conversion_the_server_cannot_make(ioc: Ioc) -> None:
    name = ioc.name("STRING")
    for names in (name, name, [name]):  # not connected yet, connected, in a list
        with pytest.raises(ca_nothing) as raised:
            caget(names, datatype=float)
        assert raised.value.errorcode == 152
        assert str(raised.value) == (
            f"{name}: Channel read request failed; string was asked for as double"
        )


def test_bad_arguments_are_refused_at_once(ioc: Ioc) -> None:
    with pytest.raises(InvalidDatatype):
        caget("never searched", datatype="no such type")
    with pytest.raises(InvalidDatatype):
        caget("never searched", format=77)
    with pytest.raises(CAException) as raised:
        caget("")
    assert raised.value.errorcode == 186
    assert not caget("nul\0inside", throw=False).ok
    assert not caget("x" * 1008, throw=False).ok
    for bad in (None, 5, b"bytes", ["good", 7]):
        with pytest.raises(TypeError, match="PV name"):
            caget(bad)  # type: ignore[call-overload]
    assert catools.default_client().statistics().channels == 0


@pytest.mark.parametrize("record", ["AO", "WF"])
@pytest.mark.parametrize("count", [None, "3", 1.5, 0.0])
def test_count_is_a_whole_number(ioc: Ioc, record: str, count: Any) -> None:
    connect(ioc.name(record))
    for names in (ioc.name(record), [ioc.name(record)]):
        with pytest.raises(TypeError, match="count must be a whole number"):
            caget(names, count=count)
    assert not outstanding()
    caput(ioc.name("WF"), [1, 2, 3], wait=True)
    assert list(caget(ioc.name("WF"), count=numpy.int16(2))) == [1, 2]


def test_arguments_after_the_first_are_named(ioc: Ioc) -> None:
    with pytest.raises(TypeError):
        caget(ioc.name("AO"), 1)  # type: ignore[call-overload]


def test_no_time_left(ioc: Ioc) -> None:
    connect(ioc.name("AO2"))
    for timeout in (0, -1, (1.0,)):
        assert caget(ioc.name("AO2"), timeout=timeout, throw=False).errorcode == 80
    assert caget(ioc.name("AO2"), timeout=None) == 2.0
    statistics = catools.default_client().statistics()
    wait_until(lambda: catools.default_client().statistics().strays >= 3, "late replies dropped")
    assert statistics.circuits == 1


def test_info(ioc: Ioc) -> None:
    info = cainfo(ioc.name("WF"))
    assert (info.ok, info.state, info.count, info.datatype) == (True, info.CONNECTED, 10, 6)
    assert info.host == f"127.0.0.1:{ioc.port}"
    assert (info.read, info.write) == (True, True)
    assert "State: connected" in str(info)
    readonly = cainfo(ioc.name("NOWRITE"))
    assert (readonly.read, readonly.write) == (True, False)


def test_connect(ioc: Ioc) -> None:
    assert connect(ioc.name("AO2")).ok
    results = connect([ioc.name("AO2"), ioc.name("NO:SUCH")], timeout=0.2, throw=False)
    assert [result.ok for result in results] == [True, False]
    assert results[1].errorcode == 80
    later = ioc.name("LONG")
    assert connect(later, wait=False).ok
    assert connect(later, wait=False, cainfo=True).state == catools.ca_info.NEVER_CONNECTED
    wait_until(lambda: connect(later, wait=False, cainfo=True).state == 2, "connected by itself")


def test_all_channels_share_one_circuit(ioc: Ioc) -> None:
    caget([ioc.name(record) for record in SCALARS])
    statistics = catools.default_client().statistics()
    assert (statistics.circuits, statistics.connected) == (1, len(SCALARS))


def test_thousand_fields_in_a_fraction_of_the_datagrams(ioc: Ioc) -> None:
    fields = ["VAL", "DESC", "SCAN", "PINI", "PHAS", "EVNT", "TSE", "DTYP", "DISV", "DISA"]
    names = [ioc.name(f"{record}.{field}") for record in ("AO", "AO2", "SLOW") for field in fields]
    assert all(value.ok for value in caget(names))
    assert catools.default_client().statistics().search_datagrams <= len(names) // 5


def test_purge_closes_all_and_names_work_again(ioc: Ioc) -> None:
    caget(ioc.name("AO2"))
    catools._channel_cache.purge()
    assert catools.default_client().statistics().channels == 0
    assert caget(ioc.name("AO2")) == 2.0


def test_from_another_thread(ioc: Ioc) -> None:
    results: list[object] = []

    def work() -> None:
        results.append(caget([ioc.name("AO2"), ioc.name("LONG")]))
        try:
            caget(ioc.name("NO:SUCH"), timeout=0.1)
        except ca_nothing as error:
            results.append(error.errorcode)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: not thread.is_alive(), "the thread ended")
    thread.join()
    assert results == [[2.0, -7], 80]


def test_many_cothreads_read_at_once(ioc: Ioc) -> None:
    tasks = [
        cothread.Spawn(caget, ioc.name(record), raise_on_wait=True) for record in list(SCALARS) * 20
    ]
    assert cothread.WaitForAll(tasks) == list(SCALARS.values()) * 20
    assert catools.default_client().statistics().circuits == 1


def test_cancelled_caget_leaves_nothing(ioc: Ioc) -> None:
    task = cothread.Spawn(caget, ioc.name("NO:SUCH"), timeout=None)
    wait_until(lambda: catools.default_client().statistics().searching == 1, "searching")
    task.Cancel()
    wait_until(lambda: bool(task), "cancelled")
    channel = catools.default_client().channels[ioc.name("NO:SUCH")]
    assert not channel.wanted


def test_a_read_array_is_freed_with_its_last_reference(ioc: Ioc) -> None:
    caput(ioc.name("BIG"), numpy.arange(200_000, dtype=float), wait=True)
    numbers = caget(ioc.name("BIG"))
    assert numbers.size * numbers.itemsize > VERY_LARGE

    def readers() -> list[object]:
        # Those of failed calls of other tests may be held by their tracebacks.
        return [item for item in gc.get_objects() if isinstance(item, Get | Batch)]

    gc.collect()
    gc.disable()
    try:
        before = readers()
        for _ in range(3):
            numbers = caget([ioc.name("BIG"), ioc.name("AO2")])[0]
        assert len(readers()) == len(before)
    finally:
        gc.enable()


def test_readers_of_one_array_do_not_see_each_others_changes(ioc: Ioc) -> None:
    sent = numpy.arange(200_000, dtype=float)
    caput(ioc.name("BIG"), sent, wait=True)
    seen: list[Any] = []
    monitors = [catools.camonitor(ioc.name("BIG"), seen.append) for _ in range(3)]
    wait_until(lambda: len(seen) >= 3, "a value for each monitor")
    seen.append(caget(ioc.name("BIG")))
    for array in seen:
        assert numpy.array_equal(array, sent)
        array[:] = 0
    for monitor in monitors:
        monitor.close()
