# SPDX-License-Identifier: Apache-2.0
"""Puts without a PV: what a value becomes on its way to a PV of some type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import pytest

from catools import dbr
from catools.conversion import write_request

SHORT, FLOAT, ENUM, CHAR, LONG, DOUBLE, STRING = (
    dbr.DBR_SHORT,
    dbr.DBR_FLOAT,
    dbr.DBR_ENUM,
    dbr.DBR_CHAR,
    dbr.DBR_LONG,
    dbr.DBR_DOUBLE,
    dbr.DBR_STRING,
)
INTEGERS: Final = [SHORT, ENUM, CHAR, LONG]
STATES: Final = ["zero", "One", "two", "TWO"]


def put(
    native: int,
    value: Any,
    count: int = 1,
    datatype: Any = None,
    strict: bool = False,
    states: Callable[[], Sequence[str]] | None = None,
    name: str = "PV",
) -> tuple[int, int, bytes]:
    """Return DBR code, count and payload of a put."""
    return write_request(name, native, count, value, datatype, strict, states)


def strings(*items: bytes) -> bytes:
    """Return texts as DBR_STRINGs."""
    return b"".join(item.ljust(40, b"\0") for item in items)


def never() -> NoReturn:
    """Fail: nobody may ask for the states."""
    raise AssertionError("asked for the states without need")


both: Final = pytest.mark.parametrize("strict", [False, True])
