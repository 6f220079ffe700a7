# SPDX-License-Identifier: Apache-2.0
"""What is written is what is read, for every type; and no bytes can break the reader."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catools import dbr
from catools.conversion import requests_of, write_request
from catools.errors import ca_nothing
from catools.protocol.dbr import DBR_TYPES

INTEGERS = {
    dbr.DBR_SHORT: st.integers(-(2**15), 2**15 - 1),
    dbr.DBR_ENUM: st.integers(0, 2**16 - 1),
    dbr.DBR_CHAR: st.integers(0, 2**8 - 1),
    dbr.DBR_LONG: st.integers(-(2**31), 2**31 - 1),
}
FLOATS = {
    dbr.DBR_FLOAT: st.floats(width=32),
    dbr.DBR_DOUBLE: st.floats(),
}
# Text that fits: no NUL, no surrogates, at most 39 bytes.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=39
).filter(lambda text: len(text.encode()) <= 39)
ELEMENTS = {**INTEGERS, **FLOATS, dbr.DBR_STRING: TEXT}
DATATYPES = st.sampled_from(
    [None, int, float, str, bytes, bool, dbr.DBR_CHAR_STR, dbr.DBR_CHAR_BYTES, dbr.DBR_ENUM_STR,
     dbr.DBR_STSACK_STRING, dbr.DBR_CLASS_NAME, "f4", "u2", *range(7)]
)  # fmt: skip


def there_and_back(native, value, native_count, datatype=None, strict=True, name="PV"):
    code, count, payload = write_request(name, native, native_count, value, datatype, strict, None)
    asked = requests_of(name, native, native_count)[datatype, dbr.FORMAT_RAW, 0]
    assert code == asked.dbr
    return asked.decode(name, payload, count)


def outcome(function, *args):
    try:
        return function(*args)
    except ca_nothing as error:
        return error


def same(left, right):
    return left == right or (left != left and right != right)


@pytest.mark.parametrize("native", ELEMENTS)
@given(data=st.data(), strict=st.booleans())
def test_scalars_come_back(native, data, strict):
    number = data.draw(ELEMENTS[native])
    assert same(there_and_back(native, number, 1, strict=strict), number)


@pytest.mark.parametrize("native", ELEMENTS)
@given(data=st.data(), strict=st.booleans())
def test_lists_come_back(native, data, strict):
    numbers = data.draw(st.lists(ELEMENTS[native], max_size=20))
    back = there_and_back(native, numbers, 20, strict=strict).tolist()
    assert len(back) == len(numbers)
    assert all(map(same, back, numbers))


@pytest.mark.parametrize("native", ELEMENTS)
@given(data=st.data(), strict=st.booleans())
def test_arrays_come_back(native, data, strict):
    numbers = data.draw(st.lists(ELEMENTS[native], max_size=20))
    dtype = DBR_TYPES[native].dtype if native != dbr.DBR_STRING else "U39"
    array = np.array(numbers, dtype)
    back = there_and_back(native, array, 20, strict=strict)
    assert np.array_equal(back, array, equal_nan=native in FLOATS)
    again = there_and_back(native, back, 20, strict=strict)
    assert again.tobytes() == back.tobytes()


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_long_text_comes_back(text):
    assert there_and_back(dbr.DBR_CHAR, text, 10000, dbr.DBR_CHAR_STR) == text
    assert there_and_back(dbr.DBR_CHAR, text, 10000, name="PV.VAL$") == text


@given(raw=st.binary(max_size=100))
def test_bytes_come_back(raw):
    assert bytes(there_and_back(dbr.DBR_CHAR, raw, 100).tolist()) == raw
    back = there_and_back(dbr.DBR_CHAR, raw, 100, dbr.DBR_CHAR_BYTES)
    assert back == raw.partition(b"\0")[0]


@settings(max_examples=400)
@given(
    raw=st.binary(max_size=600),
    count=st.integers(0, 40) | st.integers(0, 2**32 - 1),
    native=st.sampled_from(range(7)),
    native_count=st.sampled_from([0, 1, 2, 1000]),
    datatype=DATATYPES,
    format=st.sampled_from([dbr.FORMAT_RAW, dbr.FORMAT_TIME, dbr.FORMAT_CTRL]),
    name=st.sampled_from(["PV", "PV.VAL$"]),
    view=st.booleans(),
)
def test_any_bytes_give_a_value_or_a_clean_error(
    raw, count, native, native_count, datatype, format, name, view
):
    asked = requests_of(name, native, native_count)[datatype, format, 0]
    value = outcome(asked.decode, name, memoryview(raw) if view else raw, count)
    if isinstance(value, ca_nothing):
        assert value.name == name
        assert DBR_TYPES[asked.dbr].size(count) > len(raw)
        return
    assert value.name == name
    assert value.ok
    assert value.element_count == native_count
    repr(value)
    value.to_dict()
    if format == dbr.FORMAT_TIME and hasattr(value, "timestamp"):
        assert 0 <= value.raw_stamp[1] < 10**9
        assert value.datetime_utc


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers()
    | st.builds(object),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400)
@given(
    value=ANYTHING,
    native=st.sampled_from(range(7)),
    native_count=st.sampled_from([0, 1, 2, 1000]),
    strict=st.booleans(),
    datatype=st.sampled_from(
        [None, int, float, str, bytes, dbr.DBR_CHAR_STR, dbr.DBR_CHAR_BYTES, 35]
    ),
    name=st.sampled_from(["PV", "PV.VAL$"]),
)
def test_any_value_is_written_whole_or_refused_by_name(
    value, native, native_count, strict, datatype, name
):
    sent = outcome(
        write_request, name, native, native_count, value, datatype, strict, lambda: ["Off", "On"]
    )
    if isinstance(sent, ca_nothing):
        assert sent.name == name
        assert str(sent).startswith(f"{name}: ")
        return
    code, count, payload = sent
    assert count <= native_count
    assert len(payload) == DBR_TYPES[code].size(count)
    if strict and native in FLOATS and isinstance(value, (int, float)) and datatype is None:
        element = "f" if native == dbr.DBR_FLOAT else "d"
        (number,) = struct.unpack(f">{element}", payload)
        assert same(number, np.float32(value) if element == "f" else value)
