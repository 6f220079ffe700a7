# SPDX-License-Identifier: Apache-2.0
"""From the bytes of many updates to values, one after the other.

Numbers with a timestamp are what monitors bring thousands of times a second.  One reader serves
all PVs of one type: per update no call is left but the value's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from struct import Struct
from typing import Any, Final, Protocol, TypeAlias

from .protocol.dbr import (
    DBR_DOUBLE,
    DBR_FLOAT,
    DBR_STRING,
    DBR_TYPES,
    EPICS_EPOCH,
    GROUP_TIME,
    DbrType,
)
from .protocol.framing import ALIGN, HEADER_SIZE
from .values import ca_float, ca_int

_BILLION: Final = 1_000_000_000


class Named(Protocol):
    """Whom an update is for."""

    @property
    def name(self) -> str:
        """The PV."""


ReadRun: TypeAlias = Callable[[Iterable[Named], bytes], Iterator[Any]]
"""Yields the value of each message, given who it is for; each is read when it is asked for."""


@lru_cache
def run_reader(dbr: int, code: int) -> ReadRun | None:
    """Return how runs of scalars are read: the same object for the same types.

    Args:
        dbr: what the messages bring.
        code: what was asked for, the values' `datatype`.
    Returns:
        None for types that do not come in long runs.
    """
    row = DBR_TYPES[dbr]
    if row.group != GROUP_TIME or row.base == DBR_STRING:
        return None
    padding = -row.size(1) % ALIGN
    layout = Struct(f">{HEADER_SIZE}x{_fields(row)}{padding}x")
    floating = row.base in (DBR_FLOAT, DBR_DOUBLE)
    return (_floats if floating else _integers)(layout, code)


def _fields(row: DbrType) -> str:
    return row.metadata.format.lstrip(">") + row.element


def _floats(layout: Struct, code: int) -> ReadRun:
    def read(sources: Iterable[Named], messages: bytes) -> Iterator[Any]:
        for source, (status, severity, seconds, nanos, number) in zip(
            sources, layout.iter_unpack(messages), strict=True
        ):
            seconds += EPICS_EPOCH
            if nanos >= _BILLION:
                seconds += nanos // _BILLION
                nanos %= _BILLION
            value = ca_float(number)
            value.name = source.name
            value.ok = True
            value.element_count = 1
            value.datatype = code
            value.status = status
            value.severity = severity
            value.timestamp = seconds + (nanos + 500) // 1000 * 1e-6
            value.raw_stamp = (seconds, nanos)
            value.update_count = 1
            yield value

    return read


def _integers(layout: Struct, code: int) -> ReadRun:
    def read(sources: Iterable[Named], messages: bytes) -> Iterator[Any]:
        for source, (status, severity, seconds, nanos, number) in zip(
            sources, layout.iter_unpack(messages), strict=True
        ):
            seconds += EPICS_EPOCH
            if nanos >= _BILLION:
                seconds += nanos // _BILLION
                nanos %= _BILLION
            value = ca_int(number)
            value.__dict__ = {
                "name": source.name,
                "ok": True,
                "element_count": 1,
                "datatype": code,
                "status": status,
                "severity": severity,
                "timestamp": seconds + (nanos + 500) // 1000 * 1e-6,
                "raw_stamp": (seconds, nanos),
                "update_count": 1,
            }
            yield value

    return read
