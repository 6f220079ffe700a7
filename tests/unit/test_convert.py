# SPDX-License-Identifier: Apache-2.0
from contextlib import suppress
from dataclasses import dataclass
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catools.protocol.dbr import (
    DBR_CHAR,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_FLOAT,
    DBR_LONG,
    DBR_SHORT,
    DBR_STRING,
)
from coshell.convert import CharText, ConversionError, convert
from coshell.panel.model import Metadata


@dataclass
class Info:
    datatype: int
    count: int = 1


SHUTTER = Metadata(enums=("Closed", "Open", "open-ish"))


def put(value, datatype, count=1, metadata=SHUTTER, **options):
    return convert("X", value, Info(datatype, count), metadata, **options)


@pytest.mark.parametrize(
    ("value", "datatype", "result"),
    [
        ("3.5", DBR_DOUBLE, 3.5),
        ("-1e-3", DBR_DOUBLE, -0.001),
        ("0x1F", DBR_DOUBLE, 31.0),
        ("inf", DBR_DOUBLE, float("inf")),
        (2, DBR_FLOAT, 2.0),
        ("7", DBR_LONG, 7),
        ("0x10", DBR_LONG, 16),
        ("007", DBR_LONG, 7),
        ("1e3", DBR_SHORT, 1000),
        (3.0, DBR_LONG, 3),
        ("255", DBR_CHAR, 255),
        ("Open", DBR_ENUM, 1),
        ("OPEN", DBR_ENUM, 1),
        ("2", DBR_ENUM, 2),
        (0, DBR_ENUM, 0),
        ("3.5", DBR_STRING, "3.5"),
        (3.5, DBR_STRING, "3.5"),
    ],
)
def test_what_is_clear_is_converted(value, datatype, result):
    converted = put(value, datatype)
    assert converted == result
    assert type(converted) is type(result)


@pytest.mark.parametrize(
    ("value", "datatype", "says"),
    [
        ("abc", DBR_DOUBLE, "'abc' is none; try 3.14"),
        ("nan", DBR_DOUBLE, "not a number one can put"),
        (nan, DBR_DOUBLE, "not a number one can put"),
        (None, DBR_DOUBLE, "None is no value"),
        ("1e300", DBR_FLOAT, "too large; the nearest is 3.402823e\\+38"),
        ("-1e300", DBR_FLOAT, "the nearest is -3.4"),
        ("3.7", DBR_LONG, "'3.7' is none"),
        ("40000", DBR_SHORT, "takes -32768 … 32767, and 40000 is outside; the nearest is 32767"),
        ("-129", DBR_CHAR, "takes -128 … 255, and -129 is outside; the nearest is -128"),
        ("-1e400", DBR_LONG, "is none"),
        ("7", DBR_ENUM, "no state 7. The states are 0 'Closed', 1 'Open', 2 'open-ish'"),
        ("-1", DBR_ENUM, "no state -1"),
        (
            "Opne",
            DBR_ENUM,
            "no state 'Opne' \\(did you mean 'Open'\\?\\). The states are 0 'Closed'",
        ),
        ("CLOSE", DBR_ENUM, "did you mean 'Closed'"),
        ("nothing like it", DBR_ENUM, "no state 'nothing like it'. The states"),
        ("x" * 40, DBR_STRING, "X.VAL\\$"),
        ("a\0b", DBR_STRING, "NUL"),
        ([], DBR_DOUBLE, "no value to put"),
        (["1", "2"], DBR_DOUBLE, "holds one value, not 2; put quotes"),
        (["Top", "up"], DBR_STRING, "put quotes"),
        (1, 7, "cannot be written"),
    ],
)
def test_what_is_not_is_refused_in_one_line(value, datatype, says):
    with pytest.raises(ConversionError, match=says) as caught:
        put(value, datatype)
    assert str(caught.value).startswith("X: ")
    assert "\n" not in str(caught.value)


def test_arrays_are_converted_one_by_one():
    assert put(["1", "2.5"], DBR_DOUBLE, 10) == [1.0, 2.5]
    assert put("5", DBR_DOUBLE, 10) == 5.0
    assert put([5], DBR_DOUBLE, 10) == [5.0]
    with pytest.raises(ConversionError, match="holds 2 values at most, not 3"):
        put([1, 2, 3], DBR_DOUBLE, 2)
    with pytest.raises(ConversionError, match="'x' is none"):
        put(["1", "x"], DBR_LONG, 10)


def test_text_goes_into_an_array_of_characters():
    assert put("/data/run 1", DBR_CHAR, 256) == CharText("/data/run 1")
    assert isinstance(put("12", DBR_CHAR, 256, as_text=True), CharText)
    assert put("12", DBR_CHAR, 256) == 12
    assert put(["1", "2"], DBR_CHAR, 256) == [1, 2]
    with pytest.raises(ConversionError, match="takes 5 bytes with its end mark, the PV holds 4"):
        put("abcd", DBR_CHAR, 4)


def test_a_state_by_its_number_only():
    numbers = Metadata(enums=("1", "0"))
    assert put("1", DBR_ENUM, metadata=numbers) == 0
    assert put("1", DBR_ENUM, metadata=numbers, as_number=True) == 1


def test_states_in_several_cases_are_told_apart_exactly():
    states = Metadata(enums=("on", "ON"))
    assert put("ON", DBR_ENUM, metadata=states) == 1
    with pytest.raises(ConversionError, match="did you mean 'on' or 'ON'"):
        put("On", DBR_ENUM, metadata=states)


def test_a_number_out_of_range_is_led_to_what_the_record_takes():
    limited = Metadata(limits={"lower_ctrl_limit": -5.0, "upper_ctrl_limit": 100.0})
    assert put("101", DBR_SHORT, metadata=limited) == 101
    with pytest.raises(ConversionError, match=r"takes -5 … 100, and 40000 .* nearest is 100$"):
        put("40000", DBR_SHORT, metadata=limited)
    with pytest.raises(ConversionError, match=r"nearest is -5$"):
        put("-40000", DBR_SHORT, metadata=limited)


@given(
    st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.none(), st.lists(st.text())),
    st.integers(-1, 8),
    st.integers(0, 5),
)
def test_any_value_is_converted_or_refused(value, datatype, count):
    with suppress(ConversionError):
        put(value, datatype, count)
