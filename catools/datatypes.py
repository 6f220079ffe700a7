# SPDX-License-Identifier: Apache-2.0
"""What a caller may write as `datatype` and `format`, and which DBR code that means."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final, NamedTuple

from .dbr import (
    DBR_CHAR_BYTES,
    DBR_CHAR_STR,
    DBR_ENUM_STR,
    FORMAT_CTRL,
    FORMAT_RAW,
    FORMAT_TIME,
)
from .errors import InvalidDatatype
from .protocol.dbr import (
    BASE_COUNT,
    DBR_CHAR,
    DBR_CLASS_NAME,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_FLOAT,
    DBR_LONG,
    DBR_PUT_ACKS,
    DBR_PUT_ACKT,
    DBR_SHORT,
    DBR_STRING,
    DBR_STSACK_STRING,
    GROUP_CTRL,
    GROUP_PLAIN,
    GROUP_TIME,
    code_of,
)


class Shape(Enum):
    """How the elements that arrive are presented."""

    ELEMENTS = "elements"  # numbers or text, one value per element
    BYTES = "bytes"  # text elements as bytes
    TEXT_STR = "text"  # all characters together as one str
    TEXT_BYTES = "text bytes"  # all characters together as one bytes


class Wanted(NamedTuple):
    """A datatype, understood: the basic or special DBR code, None for "as the PV is"."""

    code: int | None
    shape: Shape = Shape.ELEMENTS
    enum_as_text: bool = False


_READABLE: Final = frozenset({*range(BASE_COUNT), DBR_STSACK_STRING, DBR_CLASS_NAME})
_FORMATS: Final = {FORMAT_RAW: GROUP_PLAIN, FORMAT_TIME: GROUP_TIME, FORMAT_CTRL: GROUP_CTRL}
_AS_IT_IS: Final = Wanted(None)
_TEXT: Final = Wanted(DBR_CHAR, Shape.TEXT_STR)
_SPECIAL: Final = {
    DBR_CHAR_STR: _TEXT,
    DBR_CHAR_BYTES: Wanted(DBR_CHAR, Shape.TEXT_BYTES),
    DBR_ENUM_STR: Wanted(None, enum_as_text=True),
}
_PYTHON: Final[dict[Any, Wanted]] = {
    int: Wanted(DBR_LONG),
    float: Wanted(DBR_DOUBLE),
    bool: Wanted(DBR_CHAR),
    str: Wanted(DBR_STRING),
    bytes: Wanted(DBR_STRING, Shape.BYTES),
}
_INTEGER_SIZES: Final = {1: DBR_CHAR, 2: DBR_SHORT, 4: DBR_LONG, 8: DBR_LONG}
_FLOAT_SIZES: Final = {4: DBR_FLOAT, 8: DBR_DOUBLE}

# The field modifier `$`, possibly followed by an array slice or a JSON filter.
_LONG_STRING: Final = re.compile(r"\$(?:\[[^\]]*\])?(?:\{.*\})?$", re.DOTALL)


def is_long_string(name: str) -> bool:
    """Tell whether a PV name asks the server for a field's text as an array of characters."""
    return "$" in name and _LONG_STRING.search(name) is not None


def check_format(format: int) -> int:
    """Return the DBR group of a format.

    Raises:
        InvalidDatatype: it is none of FORMAT_RAW, FORMAT_TIME and FORMAT_CTRL.
    """
    try:
        return _FORMATS[format]
    except (KeyError, TypeError):
        raise InvalidDatatype(
            f'Format not recognised: "{format}"; use FORMAT_RAW, FORMAT_TIME or FORMAT_CTRL'
        ) from None


def wanted_for_reading(datatype: Any) -> Wanted:
    """Return what a caller of caget or camonitor means by `datatype`.

    Raises:
        InvalidDatatype: it names nothing that can be read.
    """
    if datatype is None:
        return _AS_IT_IS
    wanted = _understood(datatype)
    if wanted is None or (wanted.code is not None and wanted.code not in _READABLE):
        raise _not_supported(datatype)
    return wanted


def wanted_for_writing(datatype: Any) -> Wanted:
    """Return what a caller of caput means by `datatype`.

    Raises:
        InvalidDatatype: it names nothing that can be written.
    """
    if datatype is None:
        return _AS_IT_IS
    if datatype in (DBR_PUT_ACKT, DBR_PUT_ACKS) and isinstance(datatype, int):
        return Wanted(datatype)
    wanted = _understood(datatype)
    if wanted is None or wanted.code in (DBR_STSACK_STRING, DBR_CLASS_NAME):
        raise _not_supported(datatype)
    return wanted


def request_code(code: int, group: int) -> int:
    """Return the DBR code that brings elements of a basic code with the metadata of a group."""
    if code >= BASE_COUNT:
        return code
    if group == GROUP_CTRL and code == DBR_STRING:
        group = GROUP_TIME  # text has no control data; its time is worth more than nothing
    return code_of(group, code)


def resolve(wanted: Wanted, native: int, long_string: bool) -> tuple[int, Shape]:
    """Return the code to ask for and the presentation, for a PV of this native type."""
    code, shape = wanted.code, wanted.shape
    if long_string and native == DBR_CHAR:
        if code is None or wanted is _PYTHON[str]:
            return DBR_CHAR, Shape.TEXT_STR
        if shape is Shape.BYTES:
            return DBR_CHAR, Shape.TEXT_BYTES
    if code is None:
        code = DBR_STRING if wanted.enum_as_text and native == DBR_ENUM else native
    return code, shape


def _understood(datatype: Any) -> Wanted | None:
    if isinstance(datatype, int):
        special = _SPECIAL.get(datatype)
        return special or (Wanted(int(datatype)) if datatype in _READABLE else None)
    try:
        return _PYTHON[datatype]
    except (KeyError, TypeError):
        return _numpy_type(datatype)


def _numpy_type(datatype: Any) -> Wanted | None:
    import numpy as np

    try:
        dtype = np.dtype(datatype)
    except (TypeError, ValueError, SyntaxError):
        return None
    if dtype.kind in "SU":
        return Wanted(DBR_STRING)
    sizes = {"b": _INTEGER_SIZES, "i": _INTEGER_SIZES, "u": _INTEGER_SIZES, "f": _FLOAT_SIZES}
    code = sizes.get(dtype.kind, {}).get(dtype.itemsize)
    return None if code is None else Wanted(code)


def _not_supported(datatype: Any) -> InvalidDatatype:
    return InvalidDatatype(
        f'Datatype "{datatype}" not supported for channel access; use for example str, float, '
        "'i4', DBR_DOUBLE or DBR_CHAR_STR"
    )
