# SPDX-License-Identifier: Apache-2.0
"""From what an operator typed to what a PV holds: whatever is not exactly clear is refused."""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, isfinite
from typing import Any, Final, Protocol

from catools.near_misses import STATES_ALIKE, near_misses
from catools.protocol.dbr import (
    DBR_CHAR,
    DBR_DOUBLE,
    DBR_ENUM,
    DBR_FLOAT,
    DBR_LONG,
    DBR_SHORT,
    DBR_STRING,
    STRING_SIZE,
)
from coshell.panel.model import Metadata

INTEGER_RANGES: Final = {
    DBR_CHAR: (-128, 255),
    DBR_SHORT: (-32768, 32767),
    DBR_LONG: (-(2**31), 2**31 - 1),
}
FLOAT_MAX: Final = 3.4028234663852886e38


class ConversionError(ValueError):
    """Say which PV cannot take which value, and what it could take."""


class CharText(str):
    """Text for an array of characters."""

    __slots__ = ()


class Info(Protocol):
    """What conversion needs of a ca_info."""

    datatype: int
    count: int


def convert(
    name: str,
    value: Any,
    info: Info,
    metadata: Metadata,
    *,
    as_number: bool = False,
    as_text: bool = False,
) -> Any:
    """Return the value to write to a PV.

    Args:
        name: the PV, for messages.
        value: a number, a text, or a sequence of them.
        info: the PV's type and element count.
        metadata: its states.
        as_number: a state is given by its number only.
        as_text: write text to an array of characters.

    Raises:
        ConversionError: this PV cannot hold that.
    """
    items = _items(value)
    if not items:
        raise ConversionError(f"{name}: there is no value to put; try %caput {name} 1")
    if info.datatype == DBR_CHAR and info.count > 1 and (as_text or _is_text(items)):
        return _char_text(name, items, info.count)
    if len(items) > info.count:
        if info.count == 1:
            hint = "; put quotes around text with blanks" if isinstance(items[0], str) else ""
            raise ConversionError(f"{name}: holds one value, not {len(items)}{hint}")
        raise ConversionError(f"{name}: holds {info.count} values at most, not {len(items)}")
    converted = [_one(name, item, info.datatype, metadata, as_number) for item in items]
    single = len(converted) == 1 and not (info.count > 1 and _is_sequence(value))
    return converted[0] if single else converted


def _is_sequence(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) and hasattr(value, "__len__")


def _items(value: Any) -> list[Any]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _is_text(items: list[Any]) -> bool:
    """Return whether a single word is text rather than one number for an array."""
    if len(items) != 1 or not isinstance(items[0], str):
        return False
    try:
        _integer(items[0])
    except ValueError:
        return True
    return False


def _char_text(name: str, items: list[Any], count: int) -> CharText:
    text = " ".join(str(item) for item in items)
    size = len(text.encode()) + 1
    if size > count:
        raise ConversionError(
            f"{name}: the text takes {size} bytes with its end mark, the PV holds {count}"
        )
    return CharText(text)


def _one(name: str, item: Any, datatype: int, metadata: Metadata, as_number: bool) -> Any:
    if item is None:
        raise ConversionError(f"{name}: None is no value; nothing was written")
    if datatype == DBR_STRING:
        return _string(name, item)
    if datatype == DBR_ENUM:
        return _state(name, item, metadata.enums, as_number)
    if datatype in INTEGER_RANGES:
        return _in_range(name, item, INTEGER_RANGES[datatype], metadata)
    if datatype in (DBR_FLOAT, DBR_DOUBLE):
        return _float(name, item, datatype)
    raise ConversionError(f"{name}: its type (DBR code {datatype}) cannot be written")


def _string(name: str, item: Any) -> str:
    text = item if isinstance(item, str) else str(item)
    size = len(text.encode())
    if size >= STRING_SIZE:
        field = name if "." in name else f"{name}.VAL"
        raise ConversionError(
            f"{name}: the text takes {size} bytes, this field holds {STRING_SIZE - 1}; "
            f"a long string field is written as {field}$"
        )
    if "\0" in text:
        raise ConversionError(f"{name}: text cannot hold a NUL character")
    return text


def _state(name: str, item: Any, states: Sequence[str], as_number: bool) -> int:
    if isinstance(item, str) and not as_number:
        if item in states:
            return states.index(item)
        alike = [at for at, state in enumerate(states) if state.lower() == item.lower()]
        if len(alike) == 1:
            return alike[0]
    listing = ", ".join(f"{at} {state!r}" for at, state in enumerate(states)) or "not known"
    try:
        index = _integer(item)
    except ValueError:
        hint = _near_states(str(item), states)
        raise ConversionError(
            f"{name}: no state {item!r}{hint}. The states are {listing}"
        ) from None
    if states and not 0 <= index < len(states):
        raise ConversionError(f"{name}: no state {index}. The states are {listing}")
    return index


def _near_states(text: str, states: Sequence[str]) -> str:
    """Return a question about the states that a text may stand for, or nothing."""
    meant = " or ".join(map(repr, near_misses(text, states, STATES_ALIKE)))
    return f" (did you mean {meant}?)" if meant else ""


def _integer(item: Any) -> int:
    """Return an integer without loss.

    Raises:
        ValueError: the item is no integer.
    """
    if isinstance(item, str):
        text = item.strip()
        try:
            return int(text, 0)
        except ValueError:
            pass
        try:
            return int(text, 10)
        except ValueError:
            item = float(text)
    if isinstance(item, float) and (not isfinite(item) or item != int(item)):
        raise ValueError(item)
    try:
        return int(item)
    except TypeError:
        raise ValueError(item) from None


def _in_range(name: str, item: Any, held: tuple[int, int], metadata: Metadata) -> int:
    try:
        number = _integer(item)
    except ValueError:
        raise ConversionError(
            f"{name}: holds whole numbers, and {item!r} is none; try 3 or 0x1F"
        ) from None
    low, high = held
    if not low <= number <= high:
        control = metadata.control_limits
        if control is not None:
            low, high = int(max(low, control[0])), int(min(high, control[1]))
        raise ConversionError(
            f"{name}: takes {low} … {high}, and {number} is outside; "
            f"the nearest is {min(max(number, low), high)}"
        )
    return number


def _float(name: str, item: Any, datatype: int) -> float:
    try:
        number = float(item)
    except (TypeError, ValueError):
        try:
            number = float(_integer(item))
        except (ValueError, OverflowError):
            raise ConversionError(
                f"{name}: holds numbers, and {item!r} is none; try 3.14 or 1e-3"
            ) from None
    if number != number:
        raise ConversionError(f"{name}: {item!r} is not a number one can put")
    if datatype == DBR_FLOAT and isfinite(number) and abs(number) > FLOAT_MAX:
        raise ConversionError(
            f"{name}: holds single precision, and {number:g} is too large; "
            f"the nearest is {copysign(FLOAT_MAX, number):.7g}"
        )
    return number
