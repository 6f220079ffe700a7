# SPDX-License-Identifier: Apache-2.0
"""Payloads in, values out: every type, every format, and payloads that lie."""

from __future__ import annotations

import gc
import math
import struct
import subprocess
import sys
import weakref

import pytest

from catools import dbr
from catools.conversion import MOST_REQUESTS, check_request, requests_of
from catools.errors import BadReply, InvalidDatatype, ca_nothing
from catools.protocol.dbr import DBR_TYPES, EPICS_EPOCH
from catools.values import ca_bytes, ca_float, ca_int, ca_str

RAW, TIME, CTRL = dbr.FORMAT_RAW, dbr.FORMAT_TIME, dbr.FORMAT_CTRL
NUMBERS = [
    (dbr.DBR_SHORT, "h", -2, ca_int),
    (dbr.DBR_FLOAT, "f", 1.5, ca_float),
    (dbr.DBR_ENUM, "H", 65529, ca_int),
    (dbr.DBR_CHAR, "B", 249, ca_int),
    (dbr.DBR_LONG, "i", -(2**31), ca_int),
    (dbr.DBR_DOUBLE, "d", 299.8, ca_float),
]
LIMITS = {
    "upper_disp_limit": 1,
    "lower_disp_limit": 2,
    "upper_alarm_limit": 3,
    "upper_warning_limit": 4,
    "lower_warning_limit": 5,
    "lower_alarm_limit": 6,
    "upper_ctrl_limit": 7,
    "lower_ctrl_limit": 8,
}


def request(native, count=1, datatype=None, format=RAW, asked=0, name="PV"):
    return requests_of(name, native, count)[datatype, format, asked]


def payload(code, metadata, *elements):
    row = DBR_TYPES[code]
    body = struct.pack(f">{len(elements)}{row.element}", *elements) if elements else b""
    raw = row.metadata.pack(*metadata) + body
    return raw + b"\0" * (-len(raw) % 8)


def text(*items):
    return b"".join(item.ljust(40, b"\0") for item in items)


@pytest.mark.parametrize(("native", "element", "number", "kind"), NUMBERS)
def test_raw_scalar(native, element, number, kind):
    asked = request(native)
    assert (asked.dbr, asked.count) == (native, 0)
    value = asked.decode("PV", struct.pack(f">{element}", number), 1)
    assert type(value) is kind
    assert value == number
    assert vars(value) == {"name": "PV", "ok": True, "datatype": native, "element_count": 1}


@pytest.mark.parametrize(("native", "element", "number", "kind"), NUMBERS)
def test_time_scalar(native, element, number, kind):
    asked = request(native, format=TIME)
    assert asked.dbr == 14 + native
    value = asked.decode("PV", payload(asked.dbr, (3, 2, 100, 821003966), number), 1)
    assert type(value) is kind
    assert value == number
    assert vars(value) == {
        "name": "PV",
        "ok": True,
        "datatype": native,
        "element_count": 1,
        "status": 3,
        "severity": 2,
        "raw_stamp": (EPICS_EPOCH + 100, 821003966),
        "timestamp": EPICS_EPOCH + 100.821004,
    }


@pytest.mark.parametrize(("native", "element", "number", "kind"), NUMBERS)
def test_ctrl_scalar(native, element, number, kind):
    asked = request(native, format=CTRL)
    assert asked.dbr == 28 + native
    limits = tuple(LIMITS.values())
    if native == dbr.DBR_ENUM:
        metadata = (3, 2, 2, text(b"").join((b"", b""))[:0] + b"Off".ljust(26, b"\0") + b"On")
        extra = {"enums": ["Off", "On"]}
    elif kind is ca_float:
        metadata = (3, 2, 4, b"mA\0junk", *limits)
        extra = {"units": "mA", "precision": 4, **LIMITS}
    else:
        metadata = (3, 2, b"mA\0junk", *limits)
        extra = {"units": "mA", **LIMITS}
    value = asked.decode("PV", payload(asked.dbr, metadata, number), 1)
    assert type(value) is kind
    assert value == number
    assert vars(value) == {
        "name": "PV",
        "ok": True,
        "datatype": native,
        "element_count": 1,
        "status": 3,
        "severity": 2,
        **extra,
    }


@pytest.mark.parametrize(("native", "element", "number", "kind"), NUMBERS)
@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
def test_arrays_have_the_type_of_the_pv(native, element, number, kind, format):
    asked = request(native, 10, format=format)
    row = DBR_TYPES[asked.dbr]
    raw = bytes(row.value_offset) + struct.pack(f">3{element}", number, 0, number)
    value = asked.decode("PV", memoryview(raw + b"\xff" * 5), 3)
    assert type(value).__name__ == "ca_array"
    assert value.tolist() == [number, 0, number]
    assert value.dtype.isnative
    assert value.dtype.itemsize == row.element_size
    assert value.flags.owndata
    assert value.flags.writeable
    assert value.element_count == 10
    assert hasattr(value, "severity") == (format != RAW)


@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
def test_empty_array(format):
    asked = request(dbr.DBR_DOUBLE, 10, format=format)
    value = asked.decode("PV", bytes(DBR_TYPES[asked.dbr].value_offset), 0)
    assert value.shape == (0,)
    assert value.dtype == "f8"
    assert value.ok


@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
def test_scalar_without_a_value_is_an_empty_array_and_not_whatever_was_in_the_buffer(format):
    asked = request(dbr.DBR_DOUBLE, 1, format=format)
    value = asked.decode("PV", bytes(DBR_TYPES[asked.dbr].value_offset) + b"garbage!", 0)
    assert value.shape == (0,)
    assert value.element_count == 1


@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
def test_empty_long_string_is_empty_text(format):
    asked = request(dbr.DBR_STRING, 1, format=format)
    value = asked.decode("PV", bytes(DBR_TYPES[asked.dbr].value_offset), 0)
    assert value == ""
    assert type(value) is ca_str


def test_control_format_of_text_brings_the_time():
    asked = request(dbr.DBR_STRING, format=CTRL)
    assert asked.dbr == 14
    value = asked.decode("PV", struct.pack(">hhII", 0, 0, 1, 0) + text(b"hello"), 1)
    assert value == "hello"
    assert value.timestamp == EPICS_EPOCH + 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"hello\0stale bytes of an earlier text!!!", "hello"),
        (b"x" * 40, "x" * 40),
        (b"\xb5m" + bytes(38), "\ufffdm"),
        ("µm".encode() + bytes(37), "µm"),
        (b"short\0\0\0", "short"),
        (b"\x1b[31m" + bytes(35), "\x1b[31m"),
        (b"\0" * 40, ""),
    ],
)
def test_text_ends_at_the_first_nul_and_never_fails(raw, expected):
    value = request(dbr.DBR_STRING).decode("PV", raw, 1)
    assert type(value) is ca_str
    assert value == expected


def test_text_as_bytes():
    value = request(dbr.DBR_STRING, datatype=bytes).decode("PV", text(b"\xb5m\0stale"), 1)
    assert type(value) is ca_bytes
    assert value == b"\xb5m"
    assert value.datatype == dbr.DBR_STRING


def test_text_arrays_are_as_wide_as_needed():
    raw = text(b"a\0garbage", b"bb", b"ccc")
    value = request(dbr.DBR_STRING, 10).decode("PV", raw, 3)
    assert value.tolist() == ["a", "bb", "ccc"]
    assert value.dtype == "U3"
    value = request(dbr.DBR_STRING, 10, datatype=bytes).decode("PV", raw, 3)
    assert value.tolist() == [b"a", b"bb", b"ccc"]
    assert value.dtype == "S3"
    assert request(dbr.DBR_STRING, 10).decode("PV", b"", 0).tolist() == []


@pytest.mark.parametrize(
    ("datatype", "kind", "expected"),
    [
        (dbr.DBR_CHAR_STR, ca_str, "A\ufffd"),
        (dbr.DBR_CHAR_BYTES, ca_bytes, b"A\xb5"),
    ],
)
@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
@pytest.mark.parametrize("count", [1, 20])
def test_characters_together(datatype, kind, expected, format, count):
    asked = request(dbr.DBR_CHAR, count, datatype=datatype, format=format)
    raw = bytes(DBR_TYPES[asked.dbr].value_offset) + b"A\xb5\0C"
    value = asked.decode("PV", raw, 4)
    assert type(value) is kind
    assert value == expected
    assert value.datatype == dbr.DBR_CHAR
    assert value.element_count == count


@pytest.mark.parametrize(
    ("name", "datatype", "kind"),
    [
        ("R.VAL$", None, ca_str),
        ("R.VAL$", str, ca_str),
        ("R.VAL$", bytes, ca_bytes),
        ("R.VAL$", dbr.DBR_ENUM_STR, ca_str),
        ('R.VAL${"dbnd":{"abs":1}}', None, ca_str),
        ("R.VAL$[0:3]", None, ca_str),
        ("R$", None, ca_str),
    ],
)
def test_dollar_names_are_text(name, datatype, kind):
    value = request(dbr.DBR_CHAR, 300, datatype=datatype, name=name).decode("PV", b"hello\0\0\0", 6)
    assert type(value) is kind
    assert value in ("hello", b"hello")


@pytest.mark.parametrize("name", ["R", "R.VAL", "R$.VAL", 'R.VAL{"x":"$"}'])
def test_other_names_are_not(name):
    value = request(dbr.DBR_CHAR, 300, name=name).decode("PV", b"hello\0\0\0", 6)
    assert value.tolist() == [104, 101, 108, 108, 111, 0]


def test_dollar_name_read_as_characters_is_an_array():
    asked = request(dbr.DBR_CHAR, 300, datatype=dbr.DBR_CHAR, name="R.VAL$")
    assert asked.decode("PV", b"hello\0\0\0", 6).shape == (6,)


def test_enum_as_text_asks_for_text_of_enums_only():
    assert request(dbr.DBR_ENUM, datatype=dbr.DBR_ENUM_STR).dbr == dbr.DBR_STRING
    assert request(dbr.DBR_DOUBLE, datatype=dbr.DBR_ENUM_STR).dbr == dbr.DBR_DOUBLE


@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
def test_special_requests_ignore_the_format(format):
    asked = request(dbr.DBR_DOUBLE, datatype=dbr.DBR_STSACK_STRING, format=format)
    assert asked.dbr == dbr.DBR_STSACK_STRING
    value = asked.decode("PV", struct.pack(">HHHH", 3, 2, 1, 2) + text(b"1.5"), 1)
    assert value == "1.5"
    assert (value.status, value.severity, value.ackt, value.acks) == (3, 2, 1, 2)
    asked = request(dbr.DBR_DOUBLE, 100, datatype=dbr.DBR_CLASS_NAME, format=format)
    assert (asked.dbr, asked.count) == (dbr.DBR_CLASS_NAME, 1)
    value = asked.decode("PV", text(b"waveform"), 1)
    assert value == "waveform"
    assert value.datatype == dbr.DBR_CLASS_NAME


@pytest.mark.parametrize(
    ("datatype", "code"),
    [
        (int, dbr.DBR_LONG),
        (float, dbr.DBR_DOUBLE),
        (str, dbr.DBR_STRING),
        (bytes, dbr.DBR_STRING),
        (bool, dbr.DBR_CHAR),
        ("i1", dbr.DBR_CHAR),
        ("u2", dbr.DBR_SHORT),
        (">i4", dbr.DBR_LONG),
        ("u8", dbr.DBR_LONG),
        ("f4", dbr.DBR_FLOAT),
        ("d", dbr.DBR_DOUBLE),
        ("S", dbr.DBR_STRING),
        ("U10", dbr.DBR_STRING),
        ("?", dbr.DBR_CHAR),
        (dbr.DBR_ENUM, dbr.DBR_ENUM),
    ],
)
def test_datatypes(datatype, code):
    assert request(dbr.DBR_DOUBLE, datatype=datatype).dbr == code


def test_numpy_types_as_datatypes():
    import numpy as np

    assert request(dbr.DBR_DOUBLE, datatype=np.uint64).dbr == dbr.DBR_LONG
    assert request(dbr.DBR_DOUBLE, datatype=np.dtype(">f4")).dbr == dbr.DBR_FLOAT


@pytest.mark.parametrize(
    "datatype",
    [complex, "abc", "O", "f2", 20, 35, 36, 39, -1, 998, object(), [1], {}, 1.5, "M8[s]"],
)
def test_bad_datatypes_are_refused_at_once(datatype):
    with pytest.raises(InvalidDatatype, match="not supported for channel access"):
        check_request(datatype, RAW)
    with pytest.raises((InvalidDatatype, TypeError), match=r"channel access|unhashable"):
        request(dbr.DBR_DOUBLE, datatype=datatype)


@pytest.mark.parametrize("format", [3, -1, None, "time", []])
def test_bad_formats_are_refused_at_once(format):
    with pytest.raises(InvalidDatatype, match="Format not recognised"):
        check_request(None, format)
    with pytest.raises((InvalidDatatype, TypeError), match=r"Format not recognised|unhashable"):
        request(dbr.DBR_DOUBLE, format=format)


@pytest.mark.parametrize(
    ("native_count", "asked", "sent"),
    [(10, 0, 0), (10, -1, 10), (10, 4, 4), (10, 99, 10), (1, 0, 0), (1, 5, 1), (1, -1, 1)],
)
def test_counts(native_count, asked, sent):
    assert request(dbr.DBR_DOUBLE, native_count, asked=asked).count == sent


@pytest.mark.parametrize(
    ("nanos", "stamp"),
    [
        (999_999_999, (EPICS_EPOCH + 1, 999_999_999)),
        (1_000_000_000, (EPICS_EPOCH + 2, 0)),
        (2**32 - 1, (EPICS_EPOCH + 5, 294_967_295)),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_nanoseconds_past_a_second_carry(nanos, stamp, count):
    asked = request(dbr.DBR_DOUBLE, count, format=TIME)
    value = asked.decode("PV", struct.pack(">hhII4xdd", 0, 0, 1, nanos, 1.0, 2.0), count)
    assert value.raw_stamp == stamp
    assert value.timestamp == pytest.approx(stamp[0] + stamp[1] * 1e-9, abs=1e-6)


def test_latest_possible_timestamp():
    asked = request(dbr.DBR_DOUBLE, format=TIME)
    value = asked.decode("PV", struct.pack(">hhII4xd", -1, -1, 2**32 - 1, 2**32 - 1, 1.0), 1)
    assert value.datetime_utc.year == 2126
    assert value.alarm == "status -1 severity -1"


@pytest.mark.parametrize(("states", "expected"), [(-1, 0), (0, 0), (3, 3), (16, 16), (999, 16)])
def test_number_of_states_is_not_trusted(states, expected):
    asked = request(dbr.DBR_ENUM, format=CTRL)
    names = b"".join(f"{index}".encode().ljust(26, b"\0") for index in range(16))
    value = asked.decode("PV", payload(asked.dbr, (0, 0, states, names), 30), 1)
    assert value.enums == [str(index) for index in range(expected)]
    assert value.enum_str == ""


def test_state_names_without_nul_and_with_bad_bytes():
    asked = request(dbr.DBR_ENUM, format=CTRL)
    value = asked.decode("PV", payload(asked.dbr, (0, 0, 2, b"x" * 26 + b"\xb5"), 1), 1)
    assert value.enums == ["x" * 26, "\ufffd"]
    assert value.enum_str == "\ufffd"


def test_unset_limits_are_nan():
    asked = request(dbr.DBR_DOUBLE, format=CTRL)
    value = asked.decode("PV", payload(asked.dbr, (0, 0, 0, b"12345678", *[math.nan] * 8), 1.0), 1)
    assert math.isnan(value.upper_alarm_limit)
    assert value.units == "12345678"


@pytest.mark.parametrize("format", [RAW, TIME, CTRL])
@pytest.mark.parametrize("native", range(7))
@pytest.mark.parametrize("native_count", [1, 5])
def test_payloads_shorter_than_promised_are_refused(native, native_count, format):
    asked = request(native, native_count, format=format)
    row = DBR_TYPES[asked.dbr]
    for length in range(row.size(native_count)):
        if native_count == 1 and native == dbr.DBR_STRING and length > row.value_offset:
            continue  # one string may come shortened
        with pytest.raises(BadReply, match="PV: Channel read request failed; the server sent"):
            asked.decode("PV", bytes(length), native_count)


@pytest.mark.parametrize("count", [2**16, 2**31, 2**32 - 1])
@pytest.mark.parametrize("native", [dbr.DBR_STRING, dbr.DBR_CHAR, dbr.DBR_DOUBLE])
@pytest.mark.parametrize("datatype", [None, dbr.DBR_CHAR_STR])
def test_enormous_counts_are_refused_without_allocating(native, count, datatype):
    with pytest.raises(ca_nothing):
        request(native, 10, datatype=datatype).decode("PV", bytes(80), count)


def test_reading_scalars_does_not_import_numpy():
    program = """
import sys
from catools.conversion import requests_of, write_request
for native in range(7):
    for format in range(3):
        asked = requests_of("PV", native, 1)[None, format, 0]
        asked.decode("PV", bytes(1000), 1)
    write_request("PV", native, 1, "1", None, True, None)
    write_request("PV", native, 9, [1, 2, 3], None, True, None)
assert "numpy" not in sys.modules
requests_of("PV", 6, 10)[None, 0, 0].decode("PV", bytes(80), 10)
assert "numpy" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_pvs_that_are_read_alike_share_how_they_are_read():
    one, other = (requests_of(name, dbr.DBR_CHAR, 40) for name in ("A", "B.VAL"))
    assert one is other
    assert one[None, RAW, 0] is one[None, RAW, 0]
    assert requests_of("B.VAL$", dbr.DBR_CHAR, 40) is not one
    assert requests_of("A", dbr.DBR_CHAR, 41) is not one
    names = [one[None, RAW, 0].decode(name, b"hello", 5).name for name in ("A", "B.VAL")]
    assert names == ["A", "B.VAL"]


def test_no_more_ways_of_reading_are_kept_than_make_sense():
    table = requests_of("PV", dbr.DBR_DOUBLE, 123_456)
    for count in range(2 * MOST_REQUESTS):
        assert table[None, RAW, count].count == count
    assert len(table) <= MOST_REQUESTS


def test_how_to_read_a_length_that_no_pv_has_any_more_is_forgotten():
    table = requests_of("PV", dbr.DBR_LONG, 200_000)
    assert table[None, RAW, 0].dbr == dbr.DBR_LONG
    alive = weakref.ref(table)
    del table
    gc.collect()
    assert alive() is None
