# SPDX-License-Identifier: Apache-2.0
"""The table of database request (DBR) types: one row per code that may appear on the wire.

Law: every size, offset and format of Channel Access data is stated here and nowhere else.

Theory: a payload is a metadata structure followed by `count` elements. The 35 regular codes are
`group * 7 + base`, where the base says what an element is and the group says what metadata comes
in front of it. Four more codes do not follow that rule. All numbers are big-endian and metadata
structures carry the alignment holes of the C structures they were defined as.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

DBR_STRING: Final = 0
DBR_SHORT: Final = 1
DBR_FLOAT: Final = 2
DBR_ENUM: Final = 3
DBR_CHAR: Final = 4
DBR_LONG: Final = 5
DBR_DOUBLE: Final = 6

DBR_STS_STRING: Final = 7
DBR_STS_SHORT: Final = 8
DBR_STS_FLOAT: Final = 9
DBR_STS_ENUM: Final = 10
DBR_STS_CHAR: Final = 11
DBR_STS_LONG: Final = 12
DBR_STS_DOUBLE: Final = 13

DBR_TIME_STRING: Final = 14
DBR_TIME_SHORT: Final = 15
DBR_TIME_FLOAT: Final = 16
DBR_TIME_ENUM: Final = 17
DBR_TIME_CHAR: Final = 18
DBR_TIME_LONG: Final = 19
DBR_TIME_DOUBLE: Final = 20

DBR_GR_STRING: Final = 21
DBR_GR_SHORT: Final = 22
DBR_GR_FLOAT: Final = 23
DBR_GR_ENUM: Final = 24
DBR_GR_CHAR: Final = 25
DBR_GR_LONG: Final = 26
DBR_GR_DOUBLE: Final = 27

DBR_CTRL_STRING: Final = 28
DBR_CTRL_SHORT: Final = 29
DBR_CTRL_FLOAT: Final = 30
DBR_CTRL_ENUM: Final = 31
DBR_CTRL_CHAR: Final = 32
DBR_CTRL_LONG: Final = 33
DBR_CTRL_DOUBLE: Final = 34

DBR_PUT_ACKT: Final = 35
"""To put: whether passing alarms wait to be acknowledged, 0 or 1."""
DBR_PUT_ACKS: Final = 36
"""To put: acknowledge alarms up to this severity."""
DBR_STSACK_STRING: Final = 37
"""To get: the value as text, with alarm and what of it is not acknowledged."""
DBR_CLASS_NAME: Final = 38
"""To get: the type of the record, as text."""
LAST_DBR: Final = DBR_CLASS_NAME

BASE_COUNT: Final = 7
GROUP_PLAIN: Final = 0
GROUP_STS: Final = 1
GROUP_TIME: Final = 2
GROUP_GR: Final = 3
GROUP_CTRL: Final = 4
GROUP_SPECIAL: Final = 5

DBE_VALUE: Final = 1
"""An update when the value has changed by more than the record's MDEL."""
DBE_LOG: Final = 2
"""An update when the value has changed by more than the record's ADEL."""
DBE_ARCHIVE: Final = 2
"""Another name of DBE_LOG."""
DBE_ALARM: Final = 4
"""An update when alarm status or severity has changed."""
DBE_PROPERTY: Final = 8
"""An update when units, limits or the texts of states have changed."""

ALARM_STATUS: Final = (
    "NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE", "COS", "COMM", "TIMEOUT",
    "HWLIMIT", "CALC", "SCAN", "LINK", "SOFT", "BAD_SUB", "UDF", "DISABLE", "SIMM", "READ_ACCESS",
    "WRITE_ACCESS",
)  # fmt: skip
ALARM_SEVERITY: Final = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")

EPICS_EPOCH: Final = 631152000
"""Unix time of 1990-01-01 00:00:00 UTC, from which seconds on the wire count."""

STRING_SIZE: Final = 40
UNITS_SIZE: Final = 8
ENUM_STATES: Final = 16
ENUM_STRING_SIZE: Final = 26


@dataclass(frozen=True, slots=True)
class DbrType:
    """One row: how the payload of one DBR code is laid out.

    `metadata` unpacks what stands before the first element, `value_offset` is where that element
    begins, `element` is the struct character (or "40s") and `dtype` the numpy spelling of one
    element. `base` is the basic code 0..6 that describes the element.
    """

    code: int
    name: str
    base: int
    group: int
    metadata: Struct
    value_offset: int
    element: str
    element_size: int
    dtype: str

    def size(self, count: int) -> int:
        """Return the unpadded number of payload bytes that `count` elements take."""
        return self.value_offset + count * self.element_size


_BASES: Final = (
    ("STRING", "40s", "S40"),
    ("SHORT", "h", ">i2"),
    ("FLOAT", "f", ">f4"),
    ("ENUM", "H", ">u2"),
    ("CHAR", "B", "u1"),
    ("LONG", "i", ">i4"),
    ("DOUBLE", "d", ">f8"),
)
_GROUPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("", ("", "", "", "", "", "", "")),
    ("STS_", ("hh", "hh", "hh", "hh", "hhx", "hh", "hh4x")),
    ("TIME_", ("hhII", "hhII2x", "hhII", "hhII2x", "hhII3x", "hhII", "hhII4x")),
    (
        "GR_",
        ("hh", "hh8s6h", "hhh2x8s6f", "hhh416s", "hh8s6Bx", "hh8s6i", "hhh2x8s6d"),
    ),
    (
        "CTRL_",
        ("hh", "hh8s8h", "hhh2x8s8f", "hhh416s", "hh8s8Bx", "hh8s8i", "hhh2x8s8d"),
    ),
)
_SPECIALS: Final = (
    (DBR_PUT_ACKT, "PUT_ACKT", DBR_ENUM, ""),
    (DBR_PUT_ACKS, "PUT_ACKS", DBR_ENUM, ""),
    (DBR_STSACK_STRING, "STSACK_STRING", DBR_STRING, "HHHH"),
    (DBR_CLASS_NAME, "CLASS_NAME", DBR_STRING, ""),
)


def _row(code: int, name: str, base: int, group: int, metadata: str) -> DbrType:
    _, element, dtype = _BASES[base]
    layout = Struct(">" + metadata)
    size = Struct(">" + element).size
    return DbrType(code, "DBR_" + name, base, group, layout, layout.size, element, size, dtype)


def _build() -> tuple[DbrType, ...]:
    rows = [
        _row(group * BASE_COUNT + base, prefix + _BASES[base][0], base, group, metadata)
        for group, (prefix, formats) in enumerate(_GROUPS)
        for base, metadata in enumerate(formats)
    ]
    rows += [_row(code, name, base, GROUP_SPECIAL, md) for code, name, base, md in _SPECIALS]
    return tuple(rows)


DBR_TYPES: Final = _build()
"""All 39 rows, indexed by code."""

WRITABLE: Final = frozenset({*range(BASE_COUNT), DBR_PUT_ACKT, DBR_PUT_ACKS})
"""Codes a WRITE or WRITE_NOTIFY may carry."""


def code_of(group: int, base: int) -> int:
    """Return the DBR code of a regular group (GROUP_PLAIN..GROUP_CTRL) and a base type 0..6."""
    return group * BASE_COUNT + base


def trusted(
    dtype: int, wanted: int, count: int, payload: bytes | memoryview
) -> tuple[int, bytes | memoryview] | None:
    """Return the count and payload to trust, or None when there is no value in them."""
    if dtype != wanted or dtype > LAST_DBR:
        return None
    row = DBR_TYPES[dtype]
    room = len(payload) - row.value_offset
    if room < 0:
        return None
    if count * row.element_size <= room:
        return count, payload
    if row.base == DBR_STRING and count == 1 and room > 0:
        # A single string may arrive cut short behind its NUL.
        return 1, bytes(payload).ljust(row.size(1), b"\0")
    return room // row.element_size, payload
