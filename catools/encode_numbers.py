# SPDX-License-Identifier: Apache-2.0
"""Numbers to bytes, one by one or as a numpy array.

What does not fit is refused always. What fits but would become another number — 3.7 for an
integer, 2**53 + 1 for a double — is refused when strict and converted otherwise.
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Callable
from typing import Any, Final

from .protocol.dbr import (
    DBR_CHAR,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_FLOAT,
    DBR_LONG,
    DBR_PUT_ACKS,
    DBR_PUT_ACKT,
    DBR_SHORT,
    DBR_TYPES,
)
from .target import Target

# Characters are unsigned on the wire but often signed in the record: both spellings are taken.
_RANGES: Final = {
    DBR_SHORT: (-(2**15), 2**15 - 1),
    DBR_ENUM: (0, 2**16 - 1),
    DBR_CHAR: (-(2**7), 2**8 - 1),
    DBR_LONG: (-(2**31), 2**31 - 1),
    DBR_PUT_ACKT: (0, 2**16 - 1),
    DBR_PUT_ACKS: (0, 2**16 - 1),
}
_EXACT: Final = "write it as text to keep every digit of a 64-bit record"

pack_double: Final = struct.Struct(">d").pack


def pack_numbers(target: Target, code: int, values: list[Any]) -> bytes:
    """Return numbers as a payload of a numeric DBR code.

    Raises:
        BadValue.

    Suspends: where the target has to ask for its states.
    """
    if code == DBR_DOUBLE and set(map(type, values)) == {float}:
        return struct.pack(f">{len(values)}d", *values)
    convert = _float_of if code in (DBR_FLOAT, DBR_DOUBLE) else _integer_of
    numbers = [convert(target, code, value) for value in values]
    if _names_states(target, code):
        for number in numbers:
            target.check_state(int(number))
    try:
        return struct.pack(f">{len(numbers)}{DBR_TYPES[code].element}", *numbers)
    except OverflowError:  # only a float32 is left to overflow
        largest = max((number for number in numbers if math.isfinite(number)), key=abs)
        raise target.out_of_range(largest, code) from None


def pack_array(target: Target, code: int, array: Any) -> bytes:
    """Return a one-dimensional numeric numpy array as a payload of a numeric DBR code.

    Raises:
        BadValue.

    Suspends: where the target has to ask for its states.
    """
    import numpy as np

    row = DBR_TYPES[code]
    if code in _RANGES:
        _check_integers(target, code, array)
        if code == DBR_CHAR and array.dtype.kind != "u":
            array = array.astype("i2")  # on the way to u1 a float below zero is undefined
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(row.dtype)
        if code == DBR_FLOAT:
            lost = np.isinf(converted) & np.isfinite(array)
            if lost.any():
                raise target.out_of_range(array[lost][0].item(), code)
        if target.strict and code not in _RANGES and array.dtype.kind in "iu":
            changed = converted.astype(array.dtype) != array
            if changed.any():
                raise target.lossy(array[changed][0].item(), code, _EXACT)
    payload: bytes = converted.tobytes()
    return payload


def _check_integers(target: Target, code: int, array: Any) -> None:
    import numpy as np

    if not array.size or array.dtype.kind == "b":
        return
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            raise target.not_finite(array[~finite][0].item(), code)
        if target.strict:
            broken = array != np.trunc(array)
            if broken.any():
                raise target.lossy(array[broken][0].item(), code)
    low, high = _RANGES[code]
    for extreme in (array.min().item(), array.max().item()):
        if not low <= int(extreme) <= high:
            raise target.out_of_range(extreme, code)
    if _names_states(target, code):
        for extreme in (array.min(), array.max()):
            target.check_state(int(extreme))


def _names_states(target: Target, code: int) -> bool:
    return target.strict and target.native == DBR_ENUM and code not in (DBR_PUT_ACKT, DBR_PUT_ACKS)


def _integer_of(target: Target, code: int, value: Any) -> int:
    number = _number_of(target, code, value)
    if isinstance(number, float):
        if not math.isfinite(number):
            raise target.not_finite(value, code)
        if target.strict and not number.is_integer():
            raise target.lossy(value, code)
        number = int(number)
    low, high = _RANGES[code]
    if not low <= number <= high:
        raise target.out_of_range(value, code)
    return number & 0xFF if code == DBR_CHAR else number


def _float_of(target: Target, code: int, value: Any) -> float:
    if value is None and not target.strict:
        return math.nan
    number = _number_of(target, code, value)
    if isinstance(number, float):
        return number
    try:
        result = float(number)
    except OverflowError:
        raise target.out_of_range(value, code) from None
    if target.strict and result != number:
        raise target.lossy(value, code, _EXACT)
    return result


def _number_of(target: Target, code: int, value: Any) -> int | float:
    kind = type(value)
    if kind is not float and kind is not int and hasattr(value, "dtype"):
        value = value.item()  # numpy 1 warns when its bool is asked for an index
    if isinstance(value, (int, float)):
        return value
    convert: Callable[[Any], int | float]
    for method, convert in (("__index__", operator.index), ("__float__", float)):
        if hasattr(value, method):
            try:
                return convert(value)
            except (TypeError, ValueError, OverflowError):
                break
    raise target.no_conversion(value, code)
