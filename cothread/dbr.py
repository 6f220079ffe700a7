# SPDX-License-Identifier: Apache-2.0
"""Data types and augmented values under their old import path."""

from __future__ import annotations

from typing import Any

from catools import dbr as _dbr
from catools import values as _values
from catools.dbr import *  # noqa: F403
from catools.errors import InvalidDatatype as InvalidDatatype
from catools.protocol import dbr as _table
from catools.values import ca_bytes as ca_bytes
from catools.values import ca_float as ca_float
from catools.values import ca_int as ca_int
from catools.values import ca_str as ca_str

__all__: list[str] = []
__all__ += _dbr.__all__

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
