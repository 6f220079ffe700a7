# SPDX-License-Identifier: Apache-2.0
"""Data types and augmented values under their old import path."""

from __future__ import annotations

from typing import Any

from catools import values as _values
from catools.dbr import (
    DBR_CHAR,
    DBR_CHAR_BYTES,
    DBR_CHAR_STR,
    DBR_CLASS_NAME,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_ENUM_STR,
    DBR_FLOAT,
    DBR_LONG,
    DBR_PUT_ACKS,
    DBR_PUT_ACKT,
    DBR_SHORT,
    DBR_STRING,
    DBR_STSACK_STRING,
    FORMAT_CTRL,
    FORMAT_RAW,
    FORMAT_TIME,
    ca_extra_fields,
)
from catools.errors import InvalidDatatype as InvalidDatatype
from catools.protocol import dbr as _table
from catools.values import ca_bytes as ca_bytes
from catools.values import ca_float as ca_float
from catools.values import ca_int as ca_int
from catools.values import ca_str as ca_str

__all__ = [
    "DBR_STRING",
    "DBR_SHORT",
    "DBR_FLOAT",
    "DBR_ENUM",
    "DBR_CHAR",
    "DBR_LONG",
    "DBR_DOUBLE",
    "DBR_CHAR_STR",
    "DBR_ENUM_STR",
    "DBR_CHAR_BYTES",
    "DBR_PUT_ACKT",
    "DBR_PUT_ACKS",
    "DBR_STSACK_STRING",
    "DBR_CLASS_NAME",
    "FORMAT_RAW",
    "FORMAT_TIME",
    "FORMAT_CTRL",
    "ca_extra_fields",
]

BasicDbrTypes = frozenset(range(_table.BASE_COUNT))
EPICS_epoch = _table.EPICS_EPOCH
MAX_STRING_SIZE = _table.STRING_SIZE
MAX_UNITS_SIZE = _table.UNITS_SIZE
MAX_ENUM_STATES = _table.ENUM_STATES
MAX_ENUM_STRING_SIZE = _table.ENUM_STRING_SIZE


def __getattr__(name: str) -> Any:
    # The other DBR_* codes, and ca_array, which brings numpy with it.
    if name.startswith("DBR_"):
        return getattr(_table, name)
    return getattr(_values, name)
