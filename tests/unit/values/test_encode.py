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
from catools.conversion import check_put, write_request
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

SHORT, FLOAT, ENUM, CHAR, LONG, DOUBLE, STRING = (
    dbr.DBR_SHORT,
    dbr.DBR_FLOAT,
    dbr.DBR_ENUM,
    dbr.DBR_CHAR,
    dbr.DBR_LONG,
    dbr.DBR_DOUBLE,
    dbr.DBR_STRING,
)
INTEGERS = [SHORT, ENUM, CHAR, LONG]
STATES = ["zero", "One", "two", "TWO"]


def put(native, value, count=1, datatype=None, strict=False, states=None, name="PV"):
    return write_request(name, native, count, value, datatype, strict, states)


def strings(*items):
    return b"".join(item.ljust(40, b"\0") for item in items)


def never():
    raise AssertionError("asked for the states without need")


both = pytest.mark.parametrize("strict", [False, True])


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


# Text


@both
@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("hello", b"hello"),
        ("", b""),
        (b"\xb5m", b"\xb5m"),
        ("µm", b"\xc2\xb5m"),
        ("\udcb5m", b"\xb5m"),
        ("padded\0\0", b"padded"),
        (bytearray(b"ab"), b"ab"),
        (np.str_("ab"), b"ab"),
        (np.bytes_(b"ab"), b"ab"),
        (np.array("ab"), b"ab"),
        ("x" * 39, b"x" * 39),
        (1.5, b"1.5"),
        (True, b"True"),
        (7, b"7"),
    ],
)
def test_text_for_text(value, raw, strict):
    assert put(STRING, value, strict=strict) == (STRING, 1, strings(raw))


@both
@pytest.mark.parametrize(
    ("name", "hint"),
    [("R", "R.VAL$"), ("R.DESC", "R.DESC$")],
)
@pytest.mark.parametrize("value", ["x" * 40, "é" * 20, b"x" * 40])
def test_long_text_says_where_it_fits(name, hint, value, strict):
    with pytest.raises(CAException, match="40 bytes") as caught:
        put(STRING, value, name=name, strict=strict)
    assert caught.value.errorcode == eca.ECA_BADSTR
    assert f"write to {hint} " in str(caught.value)


def test_text_with_a_nul_inside():
    assert put(STRING, "a\0b") == (STRING, 1, strings(b"a"))
    with pytest.raises(BadValue, match="NUL inside"):
        put(STRING, "a\0b", strict=True)


@both
def test_lone_surrogates(strict):
    with pytest.raises(BadValue, match="cannot be encoded"):
        put(STRING, "a\ud800", strict=strict)


def test_none_as_text():
    assert put(STRING, None)[2] == strings(b"None")
    with pytest.raises(WrongType):
        put(STRING, None, strict=True)


@both
def test_lists_of_text(strict):
    expected = (STRING, 3, strings(b"x", b"y", b"1"))
    assert put(STRING, ["x", b"y", 1], 10, strict=strict) == expected
    assert put(STRING, np.array(["x", "y", "1"]), 10, strict=strict) == expected
    assert put(STRING, np.array([b"x", b"y", b"1"]), 10, strict=strict) == expected


def test_numbers_for_a_text_pv():
    assert put(STRING, np.array([1, 2]), 10) == (STRING, 2, strings(b"1", b"2"))


@pytest.mark.parametrize("native", [DOUBLE, LONG, SHORT, FLOAT, CHAR])
def test_text_for_a_number_is_left_to_the_server(native):
    assert put(native, "2.25") == (STRING, 1, strings(b"2.25"))
    assert put(native, b"rubbish") == (STRING, 1, strings(b"rubbish"))


@pytest.mark.parametrize(
    ("native", "text", "payload"),
    [
        (DOUBLE, "2.25", struct.pack(">d", 2.25)),
        (DOUBLE, " 1e3 ", struct.pack(">d", 1000)),
        (DOUBLE, "0x10", struct.pack(">d", 16)),
        (DOUBLE, "inf", struct.pack(">d", math.inf)),
        (LONG, "0x10", struct.pack(">i", 16)),
        (LONG, "1e3", struct.pack(">i", 1000)),
        (LONG, "007", struct.pack(">i", 7)),
        (SHORT, b"-1", struct.pack(">h", -1)),
        (CHAR, "65", b"A"),
    ],
)
def test_strict_text_for_a_number_is_converted_here(native, text, payload):
    assert put(native, text, strict=True) == (native, 1, payload)


@pytest.mark.parametrize("text", ["hello", "", "1_000", "12x", "--1", "1,5", "x" * 50])
@pytest.mark.parametrize("native", [DOUBLE, LONG])
def test_strict_text_that_is_no_number(native, text):
    with pytest.raises(BadValue, match="is not a number, the PV is"):
        put(native, text, strict=True)


def test_strict_text_that_does_not_fit():
    with pytest.raises(OutOfRange):
        put(DOUBLE, "1e999", strict=True)
    with pytest.raises(OutOfRange):
        put(LONG, "3000000000", strict=True)
    with pytest.raises(BadValue, match="would lose something"):
        put(LONG, "3.7", strict=True)


def test_strict_text_keeps_every_digit_of_a_64_bit_number():
    digits = b"9007199254740993"
    assert put(DOUBLE, digits.decode(), strict=True) == (STRING, 1, strings(digits))
    with pytest.raises(CAException, match="the PV is double"):
        put(DOUBLE, "9" * 400, strict=True)


def test_lists_of_text_for_a_numeric_array():
    assert put(SHORT, ["1", "2"], 5) == (STRING, 2, strings(b"1", b"2"))
    assert put(SHORT, ["1", 2], 5, strict=True) == (SHORT, 2, struct.pack(">2h", 1, 2))


# Characters


@both
@pytest.mark.parametrize("datatype", [None, dbr.DBR_CHAR_STR])
@pytest.mark.parametrize("name", ["R", "R.VAL$"])
def test_text_for_characters_ends_with_nul(name, datatype, strict):
    asked = put(CHAR, "µ" * 60, 300, datatype, strict, name=name)
    assert asked == (CHAR, 121, "µ".encode() * 60 + b"\0")
    assert put(CHAR, "", 300, datatype, strict, name=name) == (CHAR, 1, b"\0")


@both
def test_text_that_fills_an_array_has_no_room_for_a_nul(strict):
    assert put(CHAR, "x" * 20, 20, strict=strict) == (CHAR, 20, b"x" * 20)
    with pytest.raises(CAException, match="21 bytes for a PV that holds 20"):
        put(CHAR, "x" * 21, 20, strict=strict)


@both
def test_a_field_needs_room_for_its_nul(strict):
    assert put(CHAR, "x" * 39, 40, strict=strict, name="R.VAL$")[1] == 40
    with pytest.raises(CAException, match="41 bytes for a PV that holds 40"):
        put(CHAR, "x" * 40, 40, strict=strict, name="R.VAL$")


@both
def test_bytes_for_characters_go_as_they_are(strict):
    assert put(CHAR, b"A\0B\0", 20, strict=strict) == (CHAR, 4, b"A\0B\0")
    assert put(CHAR, b"A\0B", 20, dbr.DBR_CHAR_BYTES, strict) == (CHAR, 3, b"A\0B")
    assert put(CHAR, b"", 20, strict=strict) == (CHAR, 0, b"")
    assert put(CHAR, [65, 0], 20, dbr.DBR_CHAR_BYTES, strict) == (CHAR, 2, b"A\0")
    assert put(CHAR, np.array([65, -1]), 20, strict=strict) == (CHAR, 2, b"A\xff")


# Enumerations


def test_exact_states_need_no_help():
    assert put(ENUM, "One", states=lambda: STATES) == (STRING, 1, strings(b"One"))
    assert put(ENUM, 1, states=never) == (ENUM, 1, b"\0\1")


@both
@pytest.mark.parametrize("text", ["one", "ONE", b"oNe"])
def test_states_in_another_case(text, strict):
    asked = put(ENUM, text, strict=strict, states=lambda: STATES)
    assert asked == (STRING, 1, strings(b"One"))


@pytest.mark.parametrize("text", ["Two", "three", "", "7"])
def test_unknown_states_are_left_to_the_server_unless_strict(text):
    assert put(ENUM, text, states=lambda: STATES) == (STRING, 1, strings(text.encode()))
    with pytest.raises(BadValue, match="states: 0 'zero', 1 'One', 2 'two', 3 'TWO'") as caught:
        put(ENUM, text, strict=True, states=lambda: STATES)
    assert caught.value.errorcode == eca.ECA_PUTFAIL


def test_numbers_of_states():
    assert put(ENUM, "3", strict=True, states=lambda: STATES) == (STRING, 1, strings(b"3"))
    assert put(ENUM, 7, states=never) == (ENUM, 1, b"\0\7")
    for given in (4, [0, 4], np.array([0, 4]), 4.0):
        with pytest.raises(OutOfRange, match="no state 4; states: 0 'zero'"):
            put(ENUM, given, 5, strict=True, states=lambda: STATES)


@both
@pytest.mark.parametrize("names", [[], [f"state {n}" for n in range(16)]])
def test_states_that_are_not_all_known_forbid_nothing(names, strict):
    assert put(ENUM, 20, strict=strict, states=lambda: names) == (ENUM, 1, b"\0\x14")
    asked = put(ENUM, "other", strict=strict, states=lambda: names)
    assert asked == (STRING, 1, strings(b"other"))


@both
def test_states_nobody_can_tell(strict):
    assert put(ENUM, "any", strict=strict) == (STRING, 1, strings(b"any"))
    assert put(ENUM, 9, strict=strict) == (ENUM, 1, b"\0\t")


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
