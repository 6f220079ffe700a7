# SPDX-License-Identifier: Apache-2.0
"""Text in, payloads out: for text, for numbers, for characters and for states."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from catools import dbr
from catools.errors import BadValue, CAException, OutOfRange, WrongType
from catools.protocol import eca
from tests.support.puts import (
    CHAR,
    DOUBLE,
    ENUM,
    FLOAT,
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
