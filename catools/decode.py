# SPDX-License-Identifier: Apache-2.0
"""From the bytes of a reply to a value with attributes.

Everything that can be decided before the first byte arrives is decided once: for each native
type, datatype and format there is one recipe, which makes one closure for all PVs of one length.
What is left per update is one `unpack`, one value and its attributes; the hottest shapes, scalar
numbers with and without a timestamp, are written out so that not even a call is added.

Nothing in a payload is trusted. A reply too short for what its header promises is a `BadReply`;
text is cut at its first NUL and undecodable bytes become U+FFFD; nanoseconds past a second carry.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

from .datatypes import Shape, check_format, request_code, resolve, wanted_for_reading
from .decode_runs import RunReader, run_reader, stamps
from .errors import BadReply
from .protocol import eca
from .protocol.dbr import (
    DBR_CHAR,
    DBR_CLASS_NAME,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_FLOAT,
    DBR_STRING,
    DBR_TYPES,
    ENUM_STATES,
    ENUM_STRING_SIZE,
    EPICS_EPOCH,
    GROUP_CTRL,
    GROUP_PLAIN,
    GROUP_TIME,
    STRING_SIZE,
    DbrType,
)
from .values import ca_bytes, ca_float, ca_int, ca_str

Payload: TypeAlias = "bytes | memoryview"
Decode: TypeAlias = Callable[[str, Payload, int], Any]
"""Takes the name of the PV, the payload of a reply and the element count from its header."""
Build: TypeAlias = Callable[[int], Decode]
Metadata: TypeAlias = Callable[[Payload], dict[str, Any]]
Elements: TypeAlias = Callable[[Payload, int], Any]

_BILLION: Final = 1_000_000_000
_LIMITS: Final = (
    "upper_disp_limit",
    "lower_disp_limit",
    "upper_alarm_limit",
    "upper_warning_limit",
    "lower_warning_limit",
    "lower_alarm_limit",
    "upper_ctrl_limit",
    "lower_ctrl_limit",
)


class Recipe:
    """How one kind of request is made and its replies are read, for any PV of one native type."""

    __slots__ = ("build", "dbr", "run", "single")

    def __init__(
        self, dbr: int, build: Build, single: bool = False, run: RunReader | None = None
    ) -> None:
        self.dbr = dbr
        self.build = build
        self.single = single
        self.run = run


@lru_cache(maxsize=1024, typed=True)
def recipe(native: int, scalar: bool, long_string: bool, datatype: Any, format: int) -> Recipe:
    """Return how to read a PV of this native type.

    Raises:
        InvalidDatatype: the datatype or the format names nothing.
    """
    group = check_format(format)
    code, shape = resolve(wanted_for_reading(datatype), native, long_string)
    row = DBR_TYPES[request_code(code, group)]
    if shape in (Shape.TEXT_STR, Shape.TEXT_BYTES):
        return Recipe(row.code, _text_build(row, shape is Shape.TEXT_STR))
    if row.code == DBR_CLASS_NAME:
        # An array has one record type as any other PV; asked for more, a server sends rubbish.
        return Recipe(row.code, _string_build(row, code, ca_str, True), True)
    if row.base == DBR_STRING:
        element = ca_bytes if shape is Shape.BYTES else ca_str
        return Recipe(row.code, _string_build(row, code, element, scalar))
    if not scalar:
        return Recipe(row.code, _array_build(row, code))
    if row.group == GROUP_PLAIN:
        return Recipe(row.code, _plain_number_build(row, code))
    if row.group == GROUP_TIME:
        return Recipe(row.code, _time_number_build(row, code), run=run_reader(row.code, code))
    return Recipe(row.code, _number_build(row, code))


def _short(name: str, row: DbrType, payload: Payload, count: int) -> BadReply:
    return BadReply(
        name,
        eca.ECA_GETFAIL,
        f"the server sent {len(payload)} bytes where {count} elements of {row.name} "
        f"take {row.size(count)}",
    )


def _plain_number_build(row: DbrType, code: int) -> Build:
    if row.base in (DBR_FLOAT, DBR_DOUBLE):
        return _plain_float_build(row, code)
    unpack = struct.Struct(">" + row.element).unpack_from
    without_value = _array_build(row, code)

    def build(element_count: int) -> Decode:
        def decode(name: str, payload: Payload, count: int) -> Any:
            if not count:
                return without_value(element_count)(name, payload, 0)
            try:
                (number,) = unpack(payload)
            except struct.error:
                raise _short(name, row, payload, 1) from None
            value = ca_int(number)
            value.__dict__ = {
                "name": name,
                "ok": True,
                "element_count": element_count,
                "datatype": code,
            }
            return value

        return decode

    return build


def _plain_float_build(row: DbrType, code: int) -> Build:
    unpack = struct.Struct(">" + row.element).unpack_from
    without_value = _array_build(row, code)

    def build(element_count: int) -> Decode:
        def decode(name: str, payload: Payload, count: int) -> Any:
            if not count:
                return without_value(element_count)(name, payload, 0)
            try:
                (number,) = unpack(payload)
            except struct.error:
                raise _short(name, row, payload, 1) from None
            value = ca_float(number)
            value.name = name
            value.ok = True
            value.element_count = element_count
            value.datatype = code
            return value

        return decode

    return build


def _time_number_build(row: DbrType, code: int) -> Build:
    if row.base in (DBR_FLOAT, DBR_DOUBLE):
        return _time_float_build(row, code)
    unpack = struct.Struct(row.metadata.format + row.element).unpack_from
    without_value = _array_build(row, code)

    def build(element_count: int) -> Decode:
        def decode(name: str, payload: Payload, count: int) -> Any:
            if not count:
                return without_value(element_count)(name, payload, 0)
            try:
                status, severity, seconds, nanos, number = unpack(payload)
            except struct.error:
                raise _short(name, row, payload, 1) from None
            seconds += EPICS_EPOCH
            if nanos >= _BILLION:
                seconds += nanos // _BILLION
                nanos %= _BILLION
            value = ca_int(number)
            value.__dict__ = {
                "name": name,
                "ok": True,
                "element_count": element_count,
                "datatype": code,
                "status": status,
                "severity": severity,
                "timestamp": seconds + (nanos + 500) // 1000 * 1e-6,
                "raw_stamp": (seconds, nanos),
            }
            return value

        return decode

    return build


def _time_float_build(row: DbrType, code: int) -> Build:
    unpack = struct.Struct(row.metadata.format + row.element).unpack_from
    without_value = _array_build(row, code)

    def build(element_count: int) -> Decode:
        def decode(name: str, payload: Payload, count: int) -> Any:
            if not count:
                return without_value(element_count)(name, payload, 0)
            try:
                status, severity, seconds, nanos, number = unpack(payload)
            except struct.error:
                raise _short(name, row, payload, 1) from None
            seconds += EPICS_EPOCH
            if nanos >= _BILLION:
                seconds += nanos // _BILLION
                nanos %= _BILLION
            value = ca_float(number)
            value.name = name
            value.ok = True
            value.element_count = element_count
            value.datatype = code
            value.status = status
            value.severity = severity
            value.timestamp = seconds + (nanos + 500) // 1000 * 1e-6
            value.raw_stamp = (seconds, nanos)
            return value

        return decode

    return build


def _number_build(row: DbrType, code: int) -> Build:
    kind = ca_float if row.base in (DBR_FLOAT, DBR_DOUBLE) else ca_int
    unpack = struct.Struct(">" + row.element).unpack_from
    offset = row.value_offset
    without_value = _array_build(row, code)

    def element(payload: Payload, _count: int) -> Any:
        return kind(unpack(payload, offset)[0])

    with_value = _general(row, code, element)

    def build(element_count: int) -> Decode:
        decode, empty = with_value(element_count), without_value(element_count)
        return lambda name, payload, count: (decode if count else empty)(name, payload, count)

    return build


def _array_build(row: DbrType, code: int) -> Build:
    dtype, offset = row.dtype, row.value_offset

    loaded: list[Callable[[Payload, str, int, int], Any]] = []

    def elements(payload: Payload, count: int) -> Any:
        if not loaded:
            from .arrays import numbers

            loaded.append(numbers)
        return loaded[0](payload, dtype, count, offset)

    return _general(row, code, elements)


def _string_build(
    row: DbrType, code: int, kind: type[ca_str] | type[ca_bytes], scalar: bool
) -> Build:
    offset = row.value_offset
    plain = str if kind is ca_str else bytes

    def element(payload: Payload, count: int) -> Any:
        # A lone string may be sent shorter than its 40 bytes, and a record without one sends none.
        raw = bytes(payload[offset : offset + STRING_SIZE]) if count else b""
        if count and not raw:
            raise ValueError("no text")
        return ca_str(_text(raw)) if kind is ca_str else ca_bytes(_until_nul(raw))

    def elements(payload: Payload, count: int) -> Any:
        from .arrays import texts

        raw = bytes(payload[offset : offset + count * STRING_SIZE])
        if len(raw) < count * STRING_SIZE:
            raise ValueError("not enough text")
        clean: Any = _text if kind is ca_str else _until_nul
        return texts([clean(raw[at : at + STRING_SIZE]) for at in range(0, len(raw), 40)], plain)

    return _general(row, code, element if scalar else elements)


def _text_build(row: DbrType, as_str: bool) -> Build:
    offset = row.value_offset

    def elements(payload: Payload, count: int) -> Any:
        raw = bytes(payload[offset : offset + count])
        if len(raw) < count:
            raise ValueError("not enough text")
        return ca_str(_text(raw)) if as_str else ca_bytes(_until_nul(raw))

    return _general(row, DBR_CHAR, elements)


def _general(row: DbrType, code: int, elements: Elements) -> Build:
    metadata = _metadata(row)

    def build(element_count: int) -> Decode:
        def decode(name: str, payload: Payload, count: int) -> Any:
            try:
                attributes = metadata(payload)
                value = elements(payload, count)
            except (struct.error, ValueError):
                raise _short(name, row, payload, count) from None
            attributes["name"] = name
            attributes["ok"] = True
            attributes["element_count"] = element_count
            attributes["datatype"] = code
            value.__dict__ = attributes
            return value

        return decode

    return build


def _metadata(row: DbrType) -> Metadata:
    unpack = row.metadata.unpack_from
    if row.group == GROUP_PLAIN or row.code == DBR_CLASS_NAME:
        return lambda _payload: {}
    if row.group == GROUP_TIME:
        return lambda payload: _time_attributes(*unpack(payload))
    if row.group == GROUP_CTRL and row.base == DBR_ENUM:
        return lambda payload: _enum_attributes(*unpack(payload))
    if row.group == GROUP_CTRL and row.base in (DBR_FLOAT, DBR_DOUBLE):
        return lambda payload: _float_attributes(*unpack(payload))
    if row.group == GROUP_CTRL:
        return lambda payload: _integer_attributes(*unpack(payload))
    return lambda payload: dict(
        zip(("status", "severity", "ackt", "acks"), unpack(payload), strict=True)
    )


def _time_attributes(status: int, severity: int, seconds: int, nanos: int) -> dict[str, Any]:
    timestamp, raw_stamp = stamps(seconds + EPICS_EPOCH, nanos)
    return {
        "status": status,
        "severity": severity,
        "timestamp": timestamp,
        "raw_stamp": raw_stamp,
    }


def _integer_attributes(status: int, severity: int, units: bytes, *limits: float) -> dict[str, Any]:
    attributes: dict[str, Any] = {"status": status, "severity": severity, "units": _text(units)}
    attributes.update(zip(_LIMITS, limits, strict=True))
    return attributes


def _float_attributes(
    status: int, severity: int, precision: int, units: bytes, *limits: float
) -> dict[str, Any]:
    attributes = _integer_attributes(status, severity, units, *limits)
    attributes["precision"] = precision
    return attributes


def _enum_attributes(status: int, severity: int, states: int, names: bytes) -> dict[str, Any]:
    used = min(max(states, 0), ENUM_STATES) * ENUM_STRING_SIZE
    enums = [_text(names[at : at + ENUM_STRING_SIZE]) for at in range(0, used, ENUM_STRING_SIZE)]
    return {"status": status, "severity": severity, "enums": enums}


def _until_nul(raw: bytes) -> bytes:
    return raw.partition(b"\0")[0]


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")
