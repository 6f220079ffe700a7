# SPDX-License-Identifier: Apache-2.0
"""Values of updates that came as a run are those of one at a time."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools import dbr
from catools.conversion import requests_of
from catools.protocol.dbr import DBR_TYPES, GROUP_TIME, code_of
from catools.protocol.framing import frame

NUMBERS = {
    dbr.DBR_SHORT: st.integers(-(2**15), 2**15 - 1),
    dbr.DBR_FLOAT: st.floats(width=32, allow_nan=False),
    dbr.DBR_ENUM: st.integers(0, 2**16 - 1),
    dbr.DBR_CHAR: st.integers(0, 255),
    dbr.DBR_LONG: st.integers(-(2**31), 2**31 - 1),
    dbr.DBR_DOUBLE: st.floats(allow_nan=False),
}
STAMPS = st.tuples(
    st.integers(0, 21), st.integers(0, 3), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)
)


class Listener:
    """Who is called back, and whom an update is for."""

    def __init__(self, name: str, index: int | None = None) -> None:
        self.name = name
        self.index = index
        self.closed = False
        self.only = self
        self.called: tuple[Any, ...] = ()
        self.error: BaseException | None = None
        self.failures: list[BaseException] = []

    def callback(self, *arguments: Any) -> None:
        self.called = arguments
        if self.error is not None:
            raise self.error

    def failed(self, exc: BaseException) -> None:
        self.failures.append(exc)


@given(st.data(), st.sampled_from(sorted(NUMBERS)))
def test_the_same_values(data: st.DataObject, native: int) -> None:
    row = DBR_TYPES[code_of(GROUP_TIME, native)]
    updates = data.draw(st.lists(st.tuples(STAMPS, NUMBERS[native]), min_size=1, max_size=10))
    payloads = [
        row.metadata.pack(*stamp) + struct.pack(f">{row.element}", number)
        for stamp, number in updates
    ]
    listeners = [Listener(f"PV{n % 3}", n if n % 2 else None) for n in range(len(payloads))]
    requests = [requests_of(each.name, native, 1)[None, dbr.FORMAT_TIME, 0] for each in listeners]
    assert len({request.run for request in requests}) == 1
    run = requests[0].run
    assert run is not None
    messages = b"".join(frame(1, payload, dtype=row.code, count=1) for payload in payloads)
    run.deliver(run.fields(listeners, messages))
    for listener, request, payload in zip(listeners, requests, payloads, strict=True):
        single = request.decode(listener.name, payload, 1)
        value, *index = listener.called
        assert index == ([] if listener.index is None else [listener.index])
        assert value == single
        assert type(value) is type(single)
        assert vars(value) == {**vars(single), "update_count": 1}


@pytest.mark.parametrize("native", [dbr.DBR_DOUBLE, dbr.DBR_LONG])
def test_closed_and_failing_listeners_do_not_disturb_the_others(native: int) -> None:
    row = DBR_TYPES[code_of(GROUP_TIME, native)]
    payload = row.metadata.pack(0, 0, 1, 2) + struct.pack(f">{row.element}", 3)
    message = frame(1, payload, dtype=row.code, count=1)
    listeners = [Listener(f"PV{n}") for n in range(5)]
    listeners[1].closed = True
    listeners[2].error = ZeroDivisionError("on purpose")
    listeners[3].error = KeyboardInterrupt()
    run = requests_of("PV", native, 1)[None, dbr.FORMAT_TIME, 0].run
    assert run is not None
    run.deliver(run.fields(listeners, message * 5))
    assert [listener.called for listener in listeners] == [(3,), (), (3,), (3,), (3,)]
    assert [listener.failures for listener in listeners[2:4]] == [
        [listeners[2].error],
        [listeners[3].error],
    ]


def test_what_differs_in_type_is_read_differently() -> None:
    def run(native: int, datatype: object = None, format: int = dbr.FORMAT_TIME) -> object:
        return requests_of("PV", native, 1)[datatype, format, 0].run

    double = run(dbr.DBR_DOUBLE)
    assert run(dbr.DBR_LONG) is not double
    assert run(dbr.DBR_LONG, datatype=float) is double


@pytest.mark.parametrize(
    ("native", "count", "format"),
    [
        (dbr.DBR_STRING, 1, dbr.FORMAT_TIME),
        (dbr.DBR_DOUBLE, 5, dbr.FORMAT_TIME),
        (dbr.DBR_DOUBLE, 1, dbr.FORMAT_CTRL),
        (dbr.DBR_DOUBLE, 1, dbr.FORMAT_RAW),
    ],
)
def test_what_comes_one_by_one(native: int, count: int, format: int) -> None:
    assert requests_of("PV", native, count)[None, format, 0].run is None
