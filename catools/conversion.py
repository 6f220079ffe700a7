# SPDX-License-Identifier: Apache-2.0
"""Where the client meets values: what to ask for and how to read it, what to send.

The client knows bytes and counts, callers know Python values; these functions stand between them
and know no socket.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from .datatypes import check_format, is_long_string, wanted_for_reading, wanted_for_writing
from .dbr import FORMAT_CTRL, FORMAT_RAW, FORMAT_TIME
from .decode import Decode, recipe
from .decode_runs import Fields, RunReader
from .encode import encode
from .errors import CAException
from .protocol.dbr import DBE_ALARM, DBE_PROPERTY, DBE_VALUE, DBR_CHAR
from .protocol.eca import ECA_BADMASK
from .protocol.large import fresh

__all__ = [
    "Fields",
    "Request",
    "RequestKey",
    "RequestTable",
    "RunReader",
    "check_put",
    "check_request",
    "event_mask",
    "requests_of",
    "write_request",
]

_SHOWN_BY: Final = {
    FORMAT_RAW: DBE_VALUE,
    FORMAT_TIME: DBE_VALUE | DBE_ALARM,
    FORMAT_CTRL: DBE_VALUE | DBE_ALARM | DBE_PROPERTY,
}


RequestKey = tuple[Any, int, int]
"""(datatype, format, count): what a caller says of the values wanted."""

MOST_REQUESTS: Final = 100
"""Ways of reading PVs of one kind that are remembered: a program may try all counts there are."""


@dataclass(slots=True)
class Request:
    """One way of reading PVs of one kind: what to put into the request, how to read the reply.

    `count` 0 asks for as many elements as there are. `decode(name, payload, count)` takes the name
    of the PV, the payload of a reply without its header, and the element count from that header.
    `run` reads many updates at once, where that is possible, and is the same for all PVs of one
    type.
    """

    dbr: int
    count: int
    decode: Decode
    run: RunReader | None = None


class RequestTable(dict[RequestKey, Request]):
    """All ways of reading PVs of one kind, each made when it is first asked for.

    A kind is what PVs have in common that are read alike: native type and length, and whether the
    name asks for text as an array of characters. Thousands of PVs are of a few kinds.
    """

    def __init__(self, native_dbr: int, native_count: int, long_string: bool) -> None:
        super().__init__()
        self._native_dbr = native_dbr
        self._native_count = native_count
        self._long_string = long_string

    def __missing__(self, key: RequestKey) -> Request:
        """Return a new way of reading; `requests_of` says what the key means."""
        datatype, format, count = key
        native_count = self._native_count
        scalar = native_count == 1
        found = recipe(self._native_dbr, scalar, self._long_string, datatype, format)
        if found.single:
            count = 1
        elif count < 0 or count > native_count:
            count = native_count
        if len(self) >= MOST_REQUESTS:
            self.clear()
        self[key] = request = Request(found.dbr, count, found.build(native_count), found.run)
        return request


def requests_of(name: str, native_dbr: int, native_count: int) -> RequestTable:
    """Return how to read a connected PV, by (datatype, format, count).

    Whether a scalar or an array comes out depends on `native_count` alone; but a scalar PV that
    has no value at all gives an empty array, or empty text. A count of 0 stands for the current
    length, a negative one for the whole array padded with zeros, any other for at most that many
    elements. Asking for what names nothing raises InvalidDatatype.
    """
    kind = (native_dbr, native_count, native_dbr == DBR_CHAR and is_long_string(name))
    table = _tables.get(kind)
    if table is None:
        table = _tables[kind] = RequestTable(*kind)
    return table


_tables: Final[WeakValueDictionary[tuple[int, int, bool], RequestTable]] = WeakValueDictionary()
"""The tables in use: lengths are the servers' choice, and there may be any number of them."""


def check_request(datatype: Any, format: int, count: object = 0) -> None:
    """Refuse a datatype, format or count that names nothing, before any PV is connected.

    Raises:
        InvalidDatatype: of datatype or format.
        TypeError: the count is no whole number.
    """
    check_format(format)
    wanted_for_reading(datatype)
    if not hasattr(count, "__index__"):
        raise TypeError(
            f"count must be a whole number such as 10, 0 for all there are, not {count!r}"
        )


def message_memory(size: int) -> memoryview:
    """Return memory for a very large message: numpy's, if loaded, for it is not cleared first."""
    arrays = sys.modules.get(f"{__package__}.arrays")
    allocate: Callable[[int], memoryview] = getattr(arrays, "memory", fresh)
    return allocate(size)


def check_put(datatype: Any) -> None:
    """Refuse a datatype that cannot be written, before any PV is connected.

    Raises:
        InvalidDatatype.
    """
    wanted_for_writing(datatype)


def event_mask(name: str, events: object, format: int) -> int:
    """Return the DBE_* bits of a subscription; by default those of what the format shows.

    Raises:
        CAException: a server would not take them.
    """
    if events is None:
        return _SHOWN_BY[format]
    if not isinstance(events, int) or not 0 < events <= 0xFF:
        text = f"events must be DBE_* bits such as DBE_VALUE | DBE_ALARM, not {events!r}"
        raise CAException(name, ECA_BADMASK, text)
    return events


def write_request(
    name: str,
    native_dbr: int,
    native_count: int,
    value: Any,
    datatype: Any,
    strict: bool,
    enum_strings: Callable[[], Sequence[str]] | None,
) -> tuple[int, int, bytes]:
    """Return the DBR code, element count and unpadded payload that write a value to a PV.

    Args:
        strict: refuse whatever would reach the PV as something else than what was written.
        enum_strings: returns the states of an enumerated PV; called only when needed.

    Raises:
        ca_nothing (a BadValue, mostly) naming the PV and the reason; InvalidDatatype.

    Suspends: only where `enum_strings` does.
    """
    return encode(name, native_dbr, native_count, value, datatype, strict, enum_strings)
