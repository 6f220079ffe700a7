# SPDX-License-Identifier: Apache-2.0
"""Values behave like the plain ones, and remember where they came from."""

from __future__ import annotations

import copy
import datetime
import json
import math
import pickle
import struct

import numpy as np
import pytest

from catools import dbr, values
from catools.conversion import requests_of
from catools.protocol.dbr import ALARM_SEVERITY, ALARM_STATUS, DBR_TYPES
from catools.values import (
    Augmented,
    alarm_words,
    ca_array,
    ca_bytes,
    ca_float,
    ca_info,
    ca_int,
    ca_str,
)

STAMP = (0, 0, 1164208531, 821003966)


def timed(native, raw, count=1, native_count=1, datatype=None):
    asked = requests_of("PV", native, native_count)[datatype, dbr.FORMAT_TIME, 0]
    row = DBR_TYPES[asked.dbr]
    return asked.decode("PV", row.metadata.pack(*STAMP) + raw, count)


def a_float():
    return timed(dbr.DBR_DOUBLE, struct.pack(">d", 1.5))


def an_int():
    return timed(dbr.DBR_LONG, struct.pack(">i", 7))


def a_str():
    return timed(dbr.DBR_STRING, b"hello".ljust(40, b"\0"))


def a_bytes():
    return timed(dbr.DBR_STRING, b"hel\xb5".ljust(40, b"\0"), datatype=bytes)


def an_array():
    return timed(dbr.DBR_DOUBLE, struct.pack(">5d", 1, 2, 3, 4, 5), 5, 10)


def an_enum(index):
    asked = requests_of("PV", dbr.DBR_ENUM, 1)[None, dbr.FORMAT_CTRL, 0]
    names = b"Off".ljust(26, b"\0") + b"On".ljust(390, b"\0")
    return asked.decode("PV", struct.pack(">hhh416sH", 7, 1, 2, names, index), 1)


SCALARS = [a_float, an_int, a_str, a_bytes]
ALL = [*SCALARS, an_array]
PLAIN = {
    a_float: 1.5,
    an_int: 7,
    a_str: "hello",
    a_bytes: b"hel\xb5",
}


@pytest.mark.parametrize("make", SCALARS)
def test_scalars_are_the_plain_value(make):
    value, plain = make(), PLAIN[make]
    assert value == plain
    assert hash(value) == hash(plain)
    assert repr(value) == repr(plain)
    assert str(value) == str(plain)
    assert bool(value) == bool(plain)
    assert {value: 1}[plain] == 1
    assert json.dumps(PLAIN[make].hex() if make is a_bytes else value)


@pytest.mark.parametrize("make", SCALARS)
def test_plus_strips(make):
    assert type(+make()) is type(PLAIN[make])
    assert +make() == PLAIN[make]
    assert type(make().plain()) is type(PLAIN[make])


def test_scalars_format_like_the_plain_value():
    assert f"{a_float():8.3f}|{an_int():04d}|{a_str():>7}" == "   1.500|0007|  hello"


def test_arithmetic_gives_plain_values():
    assert type(a_float() + 1) is float
    assert type(an_int() * 2) is int
    assert type(a_str() + "x") is str
    assert type(round(a_float())) is int


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    "clone",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in range(6)),
    ],
)
def test_copies_keep_everything(make, clone):
    value = make()
    other = clone(value)
    assert type(other) is type(value)
    assert vars(other) == vars(value)
    assert vars(other) is not vars(value)
    assert np.all(other == value)


@pytest.mark.parametrize("make", ALL)
def test_every_value_has_the_common_face(make):
    value = make()
    assert isinstance(value, Augmented)
    assert set(vars(value)) <= {*dbr.ca_extra_fields, "ackt", "acks", "update_count"}


@pytest.mark.parametrize("make", ALL)
def test_times(make):
    value = make()
    assert value.timestamp == 1795360531.821004
    assert value.datetime == datetime.datetime.fromtimestamp(1795360531.821004)
    assert value.datetime.tzinfo is None
    assert value.datetime_utc == datetime.datetime(2026, 11, 22, 15, 15, 31, 821004, datetime.UTC)
    assert not value.never_processed


def test_never_processed():
    asked = requests_of("PV", dbr.DBR_DOUBLE, 1)[None, dbr.FORMAT_TIME, 0]
    value = asked.decode("PV", struct.pack(">hhII4xd", 17, 3, 0, 0, 0.0), 1)
    assert value.never_processed
    assert value.timestamp == 631152000.0
    assert value.alarm == "UDF INVALID"


def test_what_a_format_does_not_bring_is_no_attribute():
    raw = requests_of("PV", dbr.DBR_LONG, 1)[None, dbr.FORMAT_RAW, 0].decode("PV", b"\0\0\0\1", 1)
    for name in ("severity", "timestamp", "datetime", "alarm", "enums", "enum_str", "units"):
        assert not hasattr(raw, name)
    for name, format in (
        ("alarm", "FORMAT_TIME or FORMAT_CTRL"),
        ("datetime", "FORMAT_TIME"),
        ("datetime_utc", "FORMAT_TIME"),
        ("never_processed", "FORMAT_TIME"),
        ("enum_str", "FORMAT_CTRL"),
    ):
        with pytest.raises(AttributeError, match=rf"^PV was read without .* with format={format}$"):
            getattr(raw, name)


def test_states():
    assert [an_enum(index).enum_str for index in (0, 1, 2, 65535)] == ["Off", "On", "", ""]
    assert an_enum(1).alarm == "STATE MINOR"


@pytest.mark.parametrize("status", range(-1, len(ALARM_STATUS) + 1))
@pytest.mark.parametrize("severity", range(-1, len(ALARM_SEVERITY) + 1))
def test_alarm_words_never_fail(severity, status):
    words = alarm_words(severity, status)
    assert (words == "NO_ALARM") == (severity == status == 0)


@pytest.mark.parametrize("make", [*ALL, lambda: an_enum(1)])
def test_dictionaries_go_through_json(make):
    value = make()
    decoded = json.loads(json.dumps(value.to_dict(), allow_nan=False))
    assert decoded["name"] == "PV"
    assert decoded["ok"] is True
    assert set(decoded) == {"value", *vars(value)}


def test_dictionaries_have_no_nan():
    asked = requests_of("PV", dbr.DBR_DOUBLE, 2)[None, dbr.FORMAT_CTRL, 0]
    raw = struct.pack(">hhh2x8s8d2d", 0, 0, 0, b"", *[math.nan] * 8, math.nan, math.inf)
    result = asked.decode("PV", raw, 2).to_dict()
    assert result["value"] == [None, None]
    assert result["upper_alarm_limit"] is None
    assert a_bytes().to_dict()["value"] == "hel\xb5"


def test_update_count_may_be_added():
    for make in ALL:
        value = make()
        value.update_count = 3
        assert copy.copy(value).update_count == 3


def test_lazy_array_name():
    assert values.ca_array is ca_array
    with pytest.raises(AttributeError, match="ca_arrays"):
        values.ca_arrays  # noqa: B018


@pytest.mark.parametrize("kind", [ca_int, ca_float, ca_str, ca_bytes])
def test_attributes_live_in_the_dictionary_alone(kind):
    value = kind()
    assert vars(value) == {}


# Connection information


def test_info_text_is_what_programs_compare_with():
    info = ca_info("T:AO", ca_info.CONNECTED, "localhost:5064", True, False, 1, dbr.DBR_DOUBLE)
    assert str(info).splitlines() == [
        "T:AO:",
        "    State: connected",
        "    Host: localhost:5064",
        "    Access: True, False",
        "    Data type: double",
        "    Count: 1",
    ]
    assert info.ok
    assert info.connected
    assert repr(info) == "<ca_info T:AO connected localhost:5064 double[1]>"


def test_info_of_a_pv_never_seen():
    info = ca_info("T:NOPE")
    assert vars(info) == {
        "ok": True,
        "name": "T:NOPE",
        "state": 0,
        "host": "<disconnected>",
        "read": False,
        "write": False,
        "count": 0,
        "datatype": 7,
        "alternates": (),
    }
    assert str(info).splitlines()[1] == "    State: never connected"
    assert str(info).splitlines()[4] == "    Data type: no access"
    assert not info.connected


def test_info_tables():
    assert [ca_info("x", state=n).state_str for n in range(4)] == ca_info.state_strings
    assert ca_info.datatype_strings[dbr.DBR_CHAR] == "char"
    assert len(ca_info.datatype_strings) == 8
    info = ca_info("x", datatype=99)
    assert info.datatype_str == "no access"
    assert json.loads(json.dumps(info.to_dict()))["state"] == "never connected"
    assert vars(pickle.loads(pickle.dumps(info))) == vars(info)
