# SPDX-License-Identifier: Apache-2.0
"""Values in, payloads out; and everything that must not reach a PV."""

from __future__ import annotations

import array
import decimal
import fractions
import math
import struct
from collections import deque

import numpy as np
import pytest

from catools import dbr
from catools.conversion import check_put
from catools.errors import (
    BadShape,
    BadValue,
    CAException,
    InvalidDatatype,
    OutOfRange,
    WrongType,
    ca_nothing,
)
from catools.protocol import eca
from catools.values import ca_int
from tests.support.puts import (
    CHAR,
    DOUBLE,
    ENUM,
    FLOAT,
    INTEGERS,
    LONG,
    SHORT,
    STATES,
    STRING,
    both,
    never,
    put,
    strings,
)


@both
@pytest.mark.parametrize(
    ("native", "value", "payload"),
    [
        (DOUBLE, 1.5, struct.pack(">d", 1.5)),
        (DOUBLE, 3, struct.pack(">d", 3)),
        (DOUBLE, True, struct.pack(">d", 1)),
        (DOUBLE, math.inf, struct.pack(">d", math.inf)),
        (DOUBLE, decimal.Decimal("1.5"), struct.pack(">d", 1.5)),
        (DOUBLE, fractions.Fraction(3, 2), struct.pack(">d", 1.5)),
        (FLOAT, 1.5, struct.pack(">f", 1.5)),
        (LONG, -7, struct.pack(">i", -7)),
        (LONG, 3.0, struct.pack(">i", 3)),
        (LONG, False, struct.pack(">i", 0)),
        (DOUBLE, np.float64(1.5), struct.pack(">d", 1.5)),
        (FLOAT, np.float64(1.5), struct.pack(">f", 1.5)),
        (ENUM, np.float64(2), struct.pack(">H", 2)),
        (LONG, np.float64(5), struct.pack(">i", 5)),
        (LONG, np.int64(5), struct.pack(">i", 5)),
        (LONG, np.float32(5), struct.pack(">i", 5)),
        (LONG, np.longdouble(5), struct.pack(">i", 5)),
        (LONG, np.array(5), struct.pack(">i", 5)),
        (LONG, ca_int(5), struct.pack(">i", 5)),
        (SHORT, -(2**15), struct.pack(">h", -(2**15))),
        (CHAR, 249, b"\xf9"),
        (CHAR, -7, b"\xf9"),
        (ENUM, 65529, struct.pack(">H", 65529)),
        (ENUM, np.bool_(True), struct.pack(">H", 1)),
    ],
)
def test_numbers_go_as_the_type_of_the_pv(native, value, payload, strict):
    assert put(native, value, strict=strict) == (native, 1, payload)
    assert put(native, [value], strict=strict) == (native, 1, payload)


@both
@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3],
        (1, 2, 3),
        range(1, 4),
        deque([1, 2, 3]),
        array.array("i", [1, 2, 3]),
        memoryview(array.array("d", [1, 2, 3])),
        np.array([1, 2, 3]),
        np.array([1.0, 2.0, 3.0], ">f4"),
        np.array([1, 2, 3], "u8"),
        np.array([9, 1, 2, 3])[1:],
        np.array([1, 8, 2, 8, 3])[::2],
        np.array([1, 2, 3], dtype=object),
        [np.float32(1), np.int8(2), decimal.Decimal(3)],
        [np.array(1), np.array(2), 3],
    ],
)
@pytest.mark.parametrize("native", [DOUBLE, FLOAT, LONG, SHORT, CHAR, ENUM])
def test_sequences(native, values, strict):
    element = "hfHBid"[native - 1]
    expected = struct.pack(f">3{element}", 1, 2, 3)
    assert put(native, values, 5, strict=strict) == (native, 3, expected)


@both
def test_byte_array_is_text_only_where_text_is_meant(strict):
    assert put(LONG, bytearray(b"\1\2"), 5, strict=strict) == (LONG, 2, struct.pack(">2i", 1, 2))
    assert put(CHAR, bytearray(b"\1\2"), 5, strict=strict) == (CHAR, 2, b"\1\2")
    assert put(STRING, bytearray(b"12"), 5, strict=strict) == (STRING, 1, strings(b"12"))


def test_generator_is_taken_once():
    assert put(DOUBLE, (float(x) for x in range(3)), 5) == (DOUBLE, 3, struct.pack(">3d", 0, 1, 2))


@pytest.mark.parametrize("value", [3.7, [3.7], np.array([3.7]), np.array([3.7], "f4")])
@pytest.mark.parametrize("native", INTEGERS)
def test_fractions_are_cut_or_refused(native, value):
    code, count, payload = put(native, value, 5)
    assert (code, count) == (native, 1)
    assert int.from_bytes(payload, "big") == 3
    with pytest.raises(BadValue, match=r"PV: .*3\.7.* would lose something as"):
        put(native, value, 5, strict=True)


@both
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("native", INTEGERS)
def test_what_is_no_number_never_becomes_an_integer(native, value, strict):
    for given in (value, [value], np.array([1.0, value])):
        with pytest.raises(ValueError, match="cannot convert"):
            put(native, given, 5, strict=strict)


@both
@pytest.mark.parametrize(
    ("native", "value"),
    [
        (SHORT, 2**15),
        (SHORT, -(2**15) - 1),
        (CHAR, 256),
        (CHAR, -129),
        (ENUM, -1),
        (ENUM, 2**16),
        (LONG, 2**31),
        (LONG, 1e10),
        (DOUBLE, 10**400),
        (FLOAT, 1e39),
        (FLOAT, -1e300),
    ],
)
def test_numbers_out_of_range(native, value, strict):
    forms = [value, [value], [0, value]]
    if abs(value) < 2**63:
        forms.append(np.array([0, value]))
    for given in forms:
        with pytest.raises(OverflowError) as caught:
            put(native, given, 5, strict=strict)
        assert isinstance(caught.value, (ca_nothing, CAException))
        assert isinstance(caught.value, OutOfRange)
        assert str(caught.value).startswith("PV: ")
        assert f"{value}"[:6] in str(caught.value)


@pytest.mark.parametrize("value", [2**53 + 1, [2**53 + 1], np.array([2**53 + 1])])
def test_integers_that_a_double_cannot_hold(value):
    assert put(DOUBLE, value, 2)[2] == struct.pack(">d", 2.0**53)
    with pytest.raises(BadValue, match="write it as text"):
        put(DOUBLE, value, 2, strict=True)


def test_largest_unsigned_integers():
    assert put(DOUBLE, np.array([2**64 - 1], "u8"))[2] == struct.pack(">d", 2.0**64)
    with pytest.raises(BadValue, match="would lose something"):
        put(DOUBLE, np.array([2**64 - 1], "u8"), strict=True)
    with pytest.raises(OutOfRange):
        put(LONG, np.array([2**64 - 1], "u8"))


def test_none_is_nan_for_floats_unless_strict():
    assert math.isnan(struct.unpack(">d", put(DOUBLE, None)[2])[0])
    assert math.isnan(struct.unpack(">2d", put(DOUBLE, [1.0, None], 2)[2])[1])
    for given in (None, [None]):
        with pytest.raises(WrongType, match="NoneType"):
            put(DOUBLE, given, strict=True)


@both
@pytest.mark.parametrize("native", INTEGERS)
def test_none_is_no_integer(native, strict):
    with pytest.raises(TypeError):
        put(native, None, strict=strict)


@both
@pytest.mark.parametrize("native", [DOUBLE, LONG, STRING, ENUM])
@pytest.mark.parametrize("value", [{1, 2}, {1: 2}, [{1: 2}], np.zeros((2, 2)), [[1], [2]]])
def test_values_no_pv_can_hold(native, value, strict):
    with pytest.raises((WrongType, BadShape)):
        put(native, value, 10, strict=strict)


@both
@pytest.mark.parametrize("value", [object(), 1j, [1j], np.array([1j]), np.datetime64("2020", "s")])
@pytest.mark.parametrize("native", [DOUBLE, LONG])
def test_objects_that_are_no_numbers(native, value, strict):
    with pytest.raises(TypeError) as caught:
        put(native, value, strict=strict)
    assert isinstance(caught.value, CAException)


@both
@pytest.mark.parametrize("value", [[[1, 2]], np.zeros((2, 2)), [np.zeros(2)], [[]], [(1,)]])
def test_arrays_of_arrays_are_refused(value, strict):
    with pytest.raises(AssertionError, match="multidimensional") as caught:
        put(DOUBLE, value, 10, strict=strict)
    assert isinstance(caught.value, ca_nothing)


@both
@pytest.mark.parametrize("native", range(7))
def test_too_many_elements(native, strict):
    value = [STATES[0]] * 3 if native in (STRING, ENUM) else [1, 2, 3]
    with pytest.raises(CAException, match="3 elements for a PV that holds 2") as caught:
        put(native, value, 2, strict=strict)
    assert caught.value.errorcode == eca.ECA_BADCOUNT
    assert caught.value.name == "PV"


@both
def test_empty_lists(strict):
    assert put(DOUBLE, [], 10, strict=strict) == (DOUBLE, 0, b"")
    assert put(DOUBLE, np.array([]), 10, strict=strict) == (DOUBLE, 0, b"")
    assert put(LONG, np.array([]), 10, strict=strict) == (LONG, 0, b"")
    assert put(STRING, [], 10, strict=strict) == (STRING, 0, b"")
    for nothing in ([], np.array([])):
        with pytest.raises(BadValue, match="no value to write"):
            put(DOUBLE, nothing, strict=strict)


# Datatypes


def test_datatype_says_how_to_send():
    assert put(DOUBLE, 3, datatype=str) == (STRING, 1, strings(b"3"))
    assert put(DOUBLE, "3", datatype=float) == (DOUBLE, 1, struct.pack(">d", 3))
    assert put(DOUBLE, "3", datatype=int) == (LONG, 1, struct.pack(">i", 3))
    assert put(DOUBLE, [1.9], datatype="i2") == (SHORT, 1, struct.pack(">h", 1))
    assert put(DOUBLE, np.array([1, 2]), 5, datatype=str) == (STRING, 2, strings(b"1", b"2"))
    assert put(ENUM, "one", datatype=dbr.DBR_ENUM_STR, states=lambda: STATES)[2] == strings(b"One")
    with pytest.raises(BadValue, match="is not a number"):
        put(STRING, "x", datatype=float)


@both
@pytest.mark.parametrize("datatype", [dbr.DBR_PUT_ACKT, dbr.DBR_PUT_ACKS])
def test_alarm_acknowledgement(datatype, strict):
    assert put(DOUBLE, 2, datatype=datatype, strict=strict) == (datatype, 1, b"\0\2")
    for given in (2, [2], np.array([2])):
        asked = put(ENUM, given, datatype=datatype, strict=strict, states=never)
        assert asked == (datatype, 1, b"\0\2")


@pytest.mark.parametrize("datatype", [37, 38, 20, 998, "O", complex, [1], object()])
def test_datatypes_that_cannot_be_written(datatype):
    with pytest.raises(InvalidDatatype, match="not supported for channel access"):
        check_put(datatype)
    with pytest.raises(InvalidDatatype, match="not supported for channel access"):
        put(DOUBLE, 1, datatype=datatype)


def test_long_values_are_not_shown_in_full():
    with pytest.raises(BadValue) as caught:
        put(DOUBLE, "x" * 100_000, strict=True)
    assert len(str(caught.value)) < 200
