# SPDX-License-Identifier: Apache-2.0
"""PV and PV_array: the newest value, its trustworthiness, and waiting anywhere."""

from __future__ import annotations

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import catools
import cothread
from catools import (
    FORMAT_CTRL,
    FORMAT_TIME,
    CAException,
    InvalidDatatype,
    ca_nothing,
    camonitor,
    caput,
)
from catools.pv import PV, PV_array
from tests.support.waiting import wait_until


def monitors():
    client = catools.default_client()
    return [m for ch in client.channels.values() for f in ch.feeds.values() for m in f.monitors]


def test_value_comes_and_goes_on(ioc):
    with PV(ioc.name("AO")) as pv:
        assert pv.get() is None
        assert not pv.ok
        assert pv.age is None
        pv.sync(5)
        assert pv.get() == pv.caget()
        assert pv.ok
        assert pv.connected
        assert pv.error is None
        assert 0 <= pv.age < 5
        assert pv.caput(2.5, wait=True).ok
        wait_until(lambda: pv.value == 2.5, "the new value")
        pv.value = 1.5
        wait_until(lambda: pv.get() == 1.5, "the value set by the property")
        assert type(pv.get()).__name__ == "ca_float"
        assert repr(pv) == f"<PV {ioc.name('AO')} 1.5 ok>"


def test_first_get_waits_when_told_so(ioc):
    pv = PV(ioc.name("AO"), initial_timeout=5)
    assert pv.get() == 1.5
    pv.close()
    pv.close()
    assert not pv.ok
    assert pv.get() == 1.5
    assert not pv.get().ok


def test_initial_value(ioc):
    with PV(ioc.name("AO"), initial_value=42) as pv:
        assert pv.get() == 42
        assert not pv.ok
        pv.sync(5)
        assert pv.get() == 1.5


def test_a_pv_that_does_not_exist_says_so(ioc):
    name = ioc.name("NO:SUCH:PV")
    with PV(name, initial_timeout=0.2) as pv:
        with pytest.raises(ca_nothing, match="no answer from") as caught:
            pv.get()
        assert caught.value.errorcode == 80
        assert caught.value.name == name
        assert isinstance(caught.value.__cause__, cothread.Timedout)
        with pytest.raises(ca_nothing):
            pv.get_next(timeout=0.05)
        assert not pv.connected


def test_next_value(ioc):
    with PV(ioc.name("AO2"), initial_timeout=5) as pv:
        assert pv.get_next(5) == 2
        with pytest.raises(ca_nothing, match="but no update"):
            pv.get_next(0.05)
        cothread.Spawn(pv.caput, 3)
        assert pv.get_next(5) == 3
        pv.caput(4, wait=True)
        wait_until(lambda: pv.get() == 4, "the update")
        pv.reset()
        with pytest.raises(ca_nothing):
            pv.get_next(0.05)
        pv.caput(2, wait=True)
        wait_until(lambda: pv.get() == 2, "the update")
        with pytest.raises(ca_nothing):
            pv.get_next(0.05, reset=True)


def test_bad_arguments(ioc):
    name = ioc.name("AO")
    with pytest.raises(AssertionError, match="not both"):
        PV(name, initial_value=1, initial_timeout=1)
    with pytest.raises(InvalidDatatype):
        PV(name, datatype="no such type")
    with pytest.raises(CAException, match="DBE_"):
        PV(name, events=0)
    with pytest.raises(TypeError):
        PV(name, no_such_argument=1)
    with PV(name) as pv, pytest.raises(AssertionError, match="Must specify sync timeout"):
        pv.sync()
    assert monitors() == []


def test_formats_and_datatypes(ioc):
    with PV(ioc.name("AO"), format=FORMAT_CTRL, initial_timeout=5) as pv:
        assert pv.get().units == "mA"
        assert pv.caget().units == "mA"
    with PV(ioc.name("AO"), datatype=str, initial_timeout=5) as pv:
        assert pv.get() == "1.500"
        assert pv.caget() == "1.500"
        assert pv.caget(datatype=float) == 1.5


def test_on_update_gets_the_object_after_each_value(ioc):
    seen = []
    pv = PV(ioc.name("AO2"), on_update=lambda me: seen.append((me, float(me.get()))))
    wait_until(lambda: seen, "the first value")
    assert seen == [(pv, 2.0)]
    for number in (5, 6, 2):
        pv.caput(number, wait=True)
        wait_until(lambda number=number: seen[-1] == (pv, number), f"value {number}")
    # Both the object and on_update live on one subscription.
    assert len({id(m._feed) for m in monitors()}) == 1
    seen.clear()
    pv.close()
    assert monitors() == []


def test_every_update_is_found_in_its_callback(ioc):
    seen = []
    pv = PV(
        ioc.name("COUNT"),
        on_update=lambda me: (seen.append(int(me.get())), cothread.Sleep(0.25)),
        all_updates=True,
    )
    wait_until(lambda: len(seen) >= 4, "four updates")
    pv.close()
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_last_reference_ends_the_subscription(ioc):
    calls = []
    pv = PV(ioc.name("AO"), on_update=calls.append, initial_timeout=5)
    pv.get()
    wait_until(lambda: calls, "the callback")
    calls.clear()
    assert len(monitors()) == 2
    del pv
    gc.collect()
    wait_until(lambda: monitors() == [], "the end of the subscription")
    array = PV_array([ioc.name("AO"), ioc.name("AO2")])
    array.sync()
    del array
    gc.collect()
    wait_until(lambda: monitors() == [], "the end of the subscriptions")
    assert calls == []


def test_waiting_inside_a_monitor_callback_does_not_deadlock(ioc):
    got = []

    def callback(_value):
        with PV(ioc.name("LONG"), initial_timeout=5) as inner:
            got.append(inner.get())
        with PV_array([ioc.name("AO"), ioc.name("AO2")]) as many:
            many.sync(5)
            got.append(many.get().tolist())

    monitor = catools.camonitor(ioc.name("AO"), callback)
    wait_until(lambda: len(got) == 2, "the values inside the callback")
    monitor.close()
    assert got == [-7, [1.5, 2.0]]


def test_waiting_in_another_thread(ioc):
    results = []

    def work():
        pv = PV(ioc.name("AO"), initial_timeout=5)
        results.append(pv.get())
        results.append(pv.caget())
        pv.close()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: not thread.is_alive(), "the thread")
    thread.join()
    assert results == [1.5, 1.5]


def test_a_lost_pv_is_never_shown_as_good(own_ioc):
    told = []
    pv = PV(
        own_ioc.name("AO"),
        on_update=lambda me: told.append(me.ok),
        format=FORMAT_TIME,
        initial_timeout=5,
        notify_disconnect=True,
    )
    many = PV_array([own_ioc.name("AO"), own_ioc.name("AO2")])
    value = pv.get()
    many.sync()
    assert value.ok
    assert many.all_ok
    own_ioc.kill()
    wait_until(lambda: not pv.ok, "the loss")
    wait_until(lambda: not many.ok.any(), "the loss of both")
    assert not pv.connected
    assert pv.get() == 1.5
    assert not pv.get().ok
    assert value.ok, "what was read earlier is not changed"
    assert pv.error.errorcode == 192
    assert pv.get().timestamp == value.timestamp
    wait_until(lambda: told[-1] is False, "the notice")
    assert repr(pv).endswith("disconnected>")
    age = pv.age
    own_ioc.start()
    wait_until(lambda: pv.ok and many.all_ok, "the way back")
    assert pv.get().ok
    assert pv.age < age + 20
    wait_until(lambda: told[-1] is True, "the update")
    pv.close()
    many.close()


def test_the_type_of_a_pv_may_change_while_it_is_away(own_ioc):
    with PV(own_ioc.name("AO"), initial_timeout=5) as pv:
        assert pv.get() == 1.5
        own_ioc.restart('record(stringout, "$(P)AO") { field(VAL, "text") field(PINI, "YES") }')
        wait_until(lambda: pv.ok and pv.get() == "text", "the other type")


def test_many(ioc):
    names = [ioc.name(record) for record in ("AO", "AO2", "LONG")]
    updated = []
    many = PV_array(names, on_update=lambda me, index: updated.append((me is many, index)))
    assert many.get().tolist() == [0, 0, 0]
    assert not many.all_ok
    many.sync()
    assert many.names == names
    assert len(many) == 3
    assert many.value.tolist() == [1.5, 2, -7]
    assert many.value.dtype == float
    assert many.shape == (3,)
    assert many.all_ok
    assert many.seen.all()
    assert (many.timestamp > 1e9).all()
    assert many.severity.tolist() == [0, 0, 0]
    wait_until(lambda: set(updated) == {(True, 0), (True, 1), (True, 2)}, "the callbacks")
    many.caput([3, 4, 5], wait=True)
    wait_until(lambda: many.get().tolist() == [3, 4, 5], "the new values")
    assert [float(value) for value in many.caget()] == [3, 4, 5]
    many.value = 7
    wait_until(lambda: many.get().tolist() == [7, 7, 7], "one value for all")
    many.caput([1.5, 2, -7], wait=True)
    copy = many.get()
    copy[:] = 0
    assert many.get().any()
    many.close()
    assert not many.ok.any()


def test_many_rows(ioc):
    names = [ioc.name("WF"), ioc.name("WFLONG")]
    with PV_array(names, dtype=int, count=4) as many:
        many.sync()
        assert many.shape == (2, 4)
        many.caput([[1, 2, 3, 4], [5, 6]], wait=True)
        wait_until(
            lambda: many.get().tolist() == [[1, 2, 3, 4], [5, 6, 0, 0]], "rows filled with zeros"
        )
        assert many.get().dtype == np.dtype(int)
        many.caput([[9], [8, 7, 6, 5]], wait=True)
        wait_until(lambda: many.get().tolist() == [[9, 0, 0, 0], [8, 7, 6, 5]], "other rows")


def test_many_texts(ioc):
    with PV_array([ioc.name("STRING"), ioc.name("BO")], dtype=str) as many:
        many.sync()
        assert many.get().tolist() == ["hello", "Off"]


def test_many_with_some_missing(ioc):
    missing = [ioc.name("NO:ONE"), ioc.name("NO:TWO")]
    with PV_array([ioc.name("AO"), *missing]) as many:
        with pytest.raises(ca_nothing) as caught:
            many.sync(1)
        assert caught.value.name == missing[0]
        assert missing[1] in str(caught.value)
        many.sync(0.05, throw=False)
        assert many.ok.tolist() == [True, False, False]
        assert not many.all_ok
        assert many.get()[0] == 1.5


def test_none_at_all(ioc):
    with PV_array([]) as many:
        many.sync()
        assert many.get().tolist() == []
        assert many.all_ok


def test_what_an_array_of_pvs_tells_is_the_callers_own(ioc):
    caput(ioc.name("AO"), 95, wait=True)
    with PV_array([ioc.name("AO"), ioc.name("AO2")]) as many:
        many.sync()
        told = {name: getattr(many, name) for name in ("ok", "severity", "status", "timestamp")}
        kept = {name: array.copy() for name, array in told.items()}
        assert kept["severity"].tolist() == [2, 0]
        caput(ioc.name("AO"), 0, wait=True)
        wait_until(lambda: many.severity.tolist() == [0, 0], "the end of the alarm")
        assert many.timestamp[0] > kept["timestamp"][0]
        assert all((told[name] == kept[name]).all() for name in told)
        many.severity[:] = 3
        assert many.severity.tolist() == [0, 0]
    assert not many.ok.any()
    assert told["ok"].all()


def test_names_that_are_none(ioc):
    for bad in (None, 5, b"bytes", ["a list"], {}):
        with pytest.raises(TypeError, match="a PV name must be a str"):
            PV(bad)
    for bad in (None, 5, b"bytes", [5], [b"bytes"], [["a list"]]):
        with pytest.raises(TypeError, match="a PV name must be a str"):
            PV_array(bad)
    with pytest.raises(TypeError, match="an iterable of PV names, not one name: 'ABC'"):
        PV_array("ABC")
    assert catools.default_client().statistics().channels == 0


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickle.dumps])
def test_objects_that_watch_are_not_copied(ioc, clone):
    with PV(ioc.name("AO"), initial_timeout=5) as one, PV_array([ioc.name("AO")]) as many:
        for watcher in (one, many):
            with pytest.raises(TypeError, match="not copied or pickled; its values can be"):
                clone(watcher)
        assert clone(one.get()) is not None
        assert one.ok


def test_what_the_server_refuses_is_told_to_those_who_wait(ioc):
    name = ioc.name("STRING")
    caput(name, "no number", wait=True)
    with (
        PV(name, datatype=float, initial_timeout=1) as one,
        PV_array([name], dtype=float) as many,
    ):
        for wait in (one.get, lambda: many.sync(1)):
            with pytest.raises(ca_nothing, match="no value has come: Channel read request failed"):
                wait()


async def coroutine(*_):
    """Do nothing."""


@pytest.mark.parametrize("callback", [coroutine, 5])
def test_callbacks_that_could_not_be_called(ioc, callback):
    name = ioc.name("AO")
    for refused in (
        lambda: camonitor(name, callback),
        lambda: caput(name, 1, callback=callback),
        lambda: PV(name, on_update=callback),
        lambda: PV_array([name], on_update=callback),
    ):
        with pytest.raises(TypeError, match=r"must be callable|coroutine function"):
            refused()
    assert catools.default_client().statistics().channels == 0


def test_each_pv_of_an_array_has_a_place(ioc):
    for count in (0, -1):
        with pytest.raises(ValueError, match="count must be 1 or more"):
            PV_array([ioc.name("WF")], count=count)


@pytest.mark.parametrize("close", [catools.close_client, catools._channel_cache.purge])
def test_whoever_closes_the_client_ends_no_objects(ioc, close):
    name = ioc.name("AO")
    caput(name, 1, wait=True)
    monitor = camonitor(name, print)
    with PV(name, initial_timeout=5) as pv, PV_array([name]) as array:
        array.sync()
        assert pv.get() == 1
        close()
        assert monitor.closed
        # Nobody has told the value of now.
        assert (pv.ok, array.all_ok) == (False, False)
        caput(name, 2, wait=True)
        wait_until(lambda: pv.ok and array.all_ok, "both watch again")
        assert (pv.get(), array.get()[0]) == (2, 2)
    assert not monitors()
