# SPDX-License-Identifier: Apache-2.0
"""Values of many updates at once are those of one at a time."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools import dbr
from catools.conversion import read_request
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


@given(st.data(), st.sampled_from(sorted(NUMBERS)))
def test_the_same_values(data: st.DataObject, native: int) -> None:
    row = DBR_TYPES[code_of(GROUP_TIME, native)]
    updates = data.draw(st.lists(st.tuples(STAMPS, NUMBERS[native]), min_size=1, max_size=10))
    payloads = [
        row.metadata.pack(*stamp) + struct.pack(f">{row.element}", number)
        for stamp, number in updates
    ]
    names = [f"PV{n % 3}" for n in range(len(payloads))]
    requests = [read_request(name, native, 1, None, dbr.FORMAT_TIME, 0) for name in names]
    assert len({request.run for request in requests}) == 1
    run = requests[0].run
    assert run is not None
    messages = b"".join(frame(1, payload, dtype=row.code, count=1) for payload in payloads)
    values = list(run([SimpleNamespace(name=name) for name in names], messages))
    singles = [
        request.decode(payload, 1) for request, payload in zip(requests, payloads, strict=True)
    ]
    assert values == singles
    for value, single in zip(values, singles, strict=True):
        assert type(value) is type(single)
        assert vars(value) == {**vars(single), "update_count": 1}


def test_what_differs_in_type_is_read_differently() -> None:
    def run(native: int, **more: object) -> object:
        arguments = {"datatype": None, "format": dbr.FORMAT_TIME, **more}
        return read_request("PV", native, 1, count=0, **arguments).run  # type: ignore[arg-type]

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
    assert read_request("PV", native, count, None, format, 0).run is None
