# SPDX-License-Identifier: Apache-2.0
"""From a Python value to the bytes of a put.

Without a datatype a number is sent as the PV's own type, and text as a DBR_STRING so that the
server converts it; text for an array of characters, or for a name ending in `$`, is sent as
characters with a NUL. States of an enumeration may be named exactly, or in another case as long
as only one state can be meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from .datatypes import Shape, Wanted, wanted_for_writing
from .encode_numbers import pack_array, pack_double, pack_numbers
from .errors import BadValue, CAException
from .protocol import eca
from .protocol.dbr import (
    DBR_CHAR,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_STRING,
    ENUM_STATES,
    STRING_SIZE,
)
from .target import LONGEST_STRING, Target, shown, states_text, type_word

Encoded = tuple[int, int, bytes]


def encode(
    name: str,
    native: int,
    native_count: int,
    value: Any,
    datatype: Any,
    strict: bool,
    enum_strings: Callable[[], Sequence[str]] | None,
) -> Encoded:
    """Return the DBR code, element count and unpadded payload of a put.

    Raises:
        ca_nothing (a BadValue, mostly), InvalidDatatype.

    Suspends: where `enum_strings` does.
    """
    kind = type(value)
    if datatype is None and native == DBR_DOUBLE and kind is float and native_count:
        return DBR_DOUBLE, 1, pack_double(value)
    target = Target(name, native, native_count, strict, enum_strings)
    if native_count < 1:
        target.check_count(1)
    if datatype is None and native != DBR_STRING and (kind is int or kind is float):
        return native, 1, pack_numbers(target, native, [value])
    wanted = wanted_for_writing(datatype)
    value = _simplified(target, value)
    if isinstance(value, (str, bytes)):
        return _one_text(target, value, wanted)
    if getattr(value, "ndim", 0):
        code = native if wanted.code is None else wanted.code
        if code != DBR_STRING:
            target.check_count(len(value))
            return code, len(value), pack_array(target, code, value)
        value = value.tolist()
    if isinstance(value, list):
        target.check_count(len(value))
        return _elements(target, value, wanted)
    return _elements(target, [value], wanted)


def _simplified(target: Target, value: Any) -> Any:
    """Return text as str or bytes, a numeric array as ndarray, any other sequence as a list."""
    if isinstance(value, (str, bytes, int, float)) or value is None:
        return value
    if isinstance(value, bytearray):
        # Text where text is meant; a waveform of numbers gets the numbers in it.
        takes_text = target.native in (DBR_STRING, DBR_ENUM) or target.holds_characters
        return bytes(value) if takes_text or target.native_count == 1 else list(value)
    if hasattr(value, "__array__") or isinstance(value, memoryview):
        return _simplified_array(target, value)
    if isinstance(value, (Mapping, Set)) or not isinstance(value, Iterable):
        return value
    elements = list(value)
    if any(_is_sequence(kind) for kind in set(map(type, elements))):
        if any(_is_sequence(type(x)) and getattr(x, "ndim", 1) for x in elements):
            raise target.too_many_dimensions()
    return elements


def _is_sequence(kind: type) -> bool:
    return hasattr(kind, "__len__") and not issubclass(kind, (str, bytes))


def _simplified_array(target: Target, value: Any) -> Any:
    import numpy as np

    array = np.asarray(value)
    if array.ndim > 1:
        raise target.too_many_dimensions()
    if not array.ndim:
        return float(array) if array.dtype.kind == "f" else array.item()
    return array if array.dtype.kind in "biuf" else array.tolist()


def _elements(target: Target, values: list[Any], wanted: Wanted) -> Encoded:
    text = any(issubclass(kind, (str, bytes)) for kind in set(map(type, values)))
    if text and wanted.code is None:
        return _texts(target, values)
    code = target.native if wanted.code is None else wanted.code
    if code == DBR_STRING:
        return _texts(target, values)
    if text:
        values = [_number_in(target, value) for value in values]
    return code, len(values), pack_numbers(target, code, values)


def _one_text(target: Target, value: str | bytes, wanted: Wanted) -> Encoded:
    if wanted.shape in (Shape.TEXT_STR, Shape.TEXT_BYTES):
        return _characters(target, value, wanted.shape)
    if wanted.code is None and target.holds_characters:
        return _characters(target, value, Shape.ELEMENTS)
    return _elements(target, [value], wanted)


def _characters(target: Target, value: str | bytes, shape: Shape) -> Encoded:
    raw = _raw(target, value)
    binary = shape is Shape.TEXT_BYTES or (shape is Shape.ELEMENTS and isinstance(value, bytes))
    if target.long_string or not binary:
        raw = raw.rstrip(b"\0")
        if len(raw) < target.native_count or target.long_string:
            raw += b"\0"
    if len(raw) > target.native_count:
        raise CAException(
            target.name,
            eca.ECA_BADCOUNT,
            f"text of {len(raw)} bytes for a PV that holds {target.native_count}",
        )
    target.check_count(len(raw))
    return DBR_CHAR, len(raw), raw


def _texts(target: Target, values: list[Any]) -> Encoded:
    if target.native == DBR_ENUM:
        values = [_state(target, value) for value in values]
    elif target.strict and target.native != DBR_STRING:
        return _strict_numbers(target, values)
    return _strings(target, values)


def _strings(target: Target, values: list[Any]) -> Encoded:
    payload = b"".join(_string(target, value).ljust(STRING_SIZE, b"\0") for value in values)
    return DBR_STRING, len(values), payload


def _strict_numbers(target: Target, values: list[Any]) -> Encoded:
    """Convert text for a numeric PV here, where it can be refused.

    A server may take the digits it understands and ignore the rest. Whole numbers that a double
    cannot hold go as they are, because a 64-bit record reads them from text without loss.
    """
    numbers = [_number_in(target, value) for value in values]
    if target.native == DBR_DOUBLE and not all(map(_fits_double, numbers)):
        return _strings(target, numbers)
    return target.native, len(numbers), pack_numbers(target, target.native, numbers)


def _fits_double(number: Any) -> bool:
    try:
        return not isinstance(number, int) or float(number) == number
    except OverflowError:
        return False


def _number_in(target: Target, value: Any) -> Any:
    """Return the number that text spells, 0x10 and 1e3 included; other values as they are."""
    if not isinstance(value, (str, bytes)):
        return value
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if "_" not in text:
        try:
            return int(text, 0)
        except ValueError:
            pass
        try:
            number = float(text)
        except ValueError:
            raise target.no_number(text) from None
        if math.isinf(number) and "inf" not in text.lower():
            raise target.out_of_range(text, target.native)
        return number
    raise target.no_number(text)


def _state(target: Target, value: Any) -> Any:
    """Return the state that text means, spelled as the server spells it."""
    if not isinstance(value, (str, bytes)):
        return value
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    names = target.states()
    if not names or text in names:
        return value
    alike = [name for name in names if name.casefold() == text.casefold()]
    if len(alike) == 1:
        return alike[0]
    if not target.strict:
        return value  # the server knows best: its states may have changed
    if text.strip().isdecimal():
        target.check_state(int(text))
        return text.strip()
    if alike or len(names) < ENUM_STATES:
        why = "could mean several" if alike else "is no"
        raise BadValue(
            target.name,
            eca.ECA_PUTFAIL,
            f"{shown(text)} {why} state{'s' if alike else ''}; states: {states_text(names)}",
        )
    return value


def _string(target: Target, value: Any) -> bytes:
    if isinstance(value, (Mapping, Set)):
        raise target.no_conversion(value, DBR_STRING)
    if value is None and target.strict:
        raise target.no_conversion(value, DBR_STRING)
    raw = _raw(target, value if isinstance(value, (str, bytes)) else str(value)).rstrip(b"\0")
    text, nul, _ = raw.partition(b"\0")
    if nul and target.strict:
        raise BadValue(target.name, eca.ECA_BADSTR, f"text {shown(value)} has a NUL inside")
    if len(text) > LONGEST_STRING:
        raise CAException(
            target.name,
            eca.ECA_BADSTR,
            f"text of {len(text)} bytes is longer than the {LONGEST_STRING} a {type_word(0)} "
            f"holds; {_long_name(target)}",
        )
    return text


def _long_name(target: Target) -> str:
    if target.native != DBR_STRING:
        return f"the PV is {target.kind}"
    longer = f"{target.name}$" if "." in target.name else f"{target.name}.VAL$"
    return f"write to {longer} if the record holds more"


def _raw(target: Target, value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        # Bytes that were no UTF-8 come out of os and sys functions as lone low surrogates.
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadValue(
            target.name, eca.ECA_BADSTR, f"text {shown(value)} cannot be encoded: {error.reason}"
        ) from None
