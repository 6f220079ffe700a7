# SPDX-License-Identifier: Apache-2.0
"""From the bytes of many updates to callbacks with values, one after the other.

Numbers with a timestamp are what monitors bring thousands of times a second.  One reader serves
all PVs of one type.  It makes a value and hands it over in one loop, in which no call is left but
those of the value and of its callback: a generator or a list between the two would cost a tenth.

What is in a slot is called by way of a local name: Python 3.11 cannot specialise the direct way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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


class Listener(Protocol):
    """Who is called back with values; with `index` too, unless it is None."""

    name: str
    closed: bool
    callback: Callable[..., object]
    index: int | None

    def failed(self, exc: BaseException) -> None:
        """Take what the callback raised, and perhaps raise it again."""


class Addressee(Protocol):
    """Whom updates are for."""

    only: Any
    """Its Listener."""


Fields: TypeAlias = Iterator[tuple[Addressee, int, int, int, int, Any]]
"""Whom an update is for, status, severity, seconds, nanoseconds and the number."""


class RunReader:
    """How runs of scalars of one type are read.

    Attributes:
        deliver: makes a value of each of some fields and calls back with it.  Suspends: if a
            callback does.
    """

    __slots__ = ("_layout", "deliver")

    def __init__(self, layout: str, deliver: Callable[[Fields], None]) -> None:
        self._layout = layout
        self.deliver = deliver

    def fields(self, addressees: Sequence[Addressee], messages: bytes) -> Fields:
        """Take messages apart, headers and all."""
        flat = iter(_layout(self._layout, len(addressees)).unpack(messages))
        return zip(addressees, flat, flat, flat, flat, flat)  # noqa: B905  # would try a sixth time


@lru_cache(maxsize=512)
def _layout(one: str, count: int) -> Struct:
    return Struct(">" + one * count)


@lru_cache
def run_reader(dbr: int, code: int) -> RunReader | None:
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
    floating = row.base in (DBR_FLOAT, DBR_DOUBLE)
    return RunReader(_message(row), (_floats if floating else _integers)(code))


def _message(row: DbrType) -> str:
    padding = -row.size(1) % ALIGN
    return f"{HEADER_SIZE}x{row.metadata.format.lstrip('>')}{row.element}{padding}x"


def stamps(seconds: int, nanos: int) -> tuple[float, tuple[int, int]]:
    """Return timestamp and raw stamp of a time, which may have too many nanoseconds."""
    carry, nanos = divmod(nanos, _BILLION)
    seconds += carry
    # Whole microseconds, and always the float nearest to them: what the product is off by is far
    # less than what any sum of seconds and microseconds lies from a tie.
    return seconds + (nanos + 500) // 1000 * 1e-6, (seconds, nanos)


def _floats(code: int) -> Callable[[Fields], None]:
    def deliver(fields: Fields) -> None:
        second, whole, start = -1, 0, 0.0
        for addressee, status, severity, seconds, nanos, number in fields:
            listener = addressee.only
            if listener.closed:
                continue
            if seconds != second:
                # Most updates of a run are of the same second.
                second = seconds
                whole = seconds + EPICS_EPOCH
                start = float(whole)
            value = ca_float(number)
            value.name = listener.name
            value.ok = True
            value.element_count = 1
            value.datatype = code
            value.status = status
            value.severity = severity
            if nanos < _BILLION:
                value.timestamp = start + (nanos + 500) // 1000 * 1e-6
                value.raw_stamp = (whole, nanos)
            else:
                value.timestamp, value.raw_stamp = stamps(whole, nanos)
            value.update_count = 1
            callback, index = listener.callback, listener.index
            try:
                if index is None:
                    callback(value)
                else:
                    callback(value, index)
            except BaseException as exc:
                listener.failed(exc)

    return deliver


def _integers(code: int) -> Callable[[Fields], None]:
    def deliver(fields: Fields) -> None:
        second, whole, start = -1, 0, 0.0
        for addressee, status, severity, seconds, nanos, number in fields:
            listener = addressee.only
            if listener.closed:
                continue
            if seconds != second:
                # Most updates of a run are of the same second.
                second = seconds
                whole = seconds + EPICS_EPOCH
                start = float(whole)
            if nanos < _BILLION:
                timestamp, raw_stamp = start + (nanos + 500) // 1000 * 1e-6, (whole, nanos)
            else:
                timestamp, raw_stamp = stamps(whole, nanos)
            value = ca_int(number)
            value.__dict__ = {
                "name": listener.name,
                "ok": True,
                "element_count": 1,
                "datatype": code,
                "status": status,
                "severity": severity,
                "timestamp": timestamp,
                "raw_stamp": raw_stamp,
                "update_count": 1,
            }
            callback, index = listener.callback, listener.index
            try:
                if index is None:
                    callback(value)
                else:
                    callback(value, index)
            except BaseException as exc:
                listener.failed(exc)

    return deliver
