# SPDX-License-Identifier: Apache-2.0
"""Values as lines of text. Pure: values in, text out."""

from __future__ import annotations

import datetime
from typing import Any, Final

from ..errors import ca_nothing
from ..protocol.dbr import DBR_CHAR, DBR_TYPES
from ..values import severity_word, status_word
from .options import Style

__all__ = ["details", "failure", "printable", "stamp_text", "value_text", "wide_line"]

NAME_WIDTH: Final = 30
_PREFIXES: Final = {16: ("0x", "X"), 8: ("0o", "o"), 2: ("0b", "b")}
_LIMITS: Final = (
    ("Lo disp limit", "lower_disp_limit"),
    ("Hi disp limit", "upper_disp_limit"),
    ("Lo alarm limit", "lower_alarm_limit"),
    ("Lo warn limit", "lower_warning_limit"),
    ("Hi warn limit", "upper_warning_limit"),
    ("Hi alarm limit", "upper_alarm_limit"),
    ("Lo ctrl limit", "lower_ctrl_limit"),
    ("Hi ctrl limit", "upper_ctrl_limit"),
)


def printable(text: str) -> str:
    """Return text in which nothing can move a cursor or hide: such characters as escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def value_text(value: Any, style: Style) -> str:
    """Return a value, an array with its number of elements in front."""
    if not hasattr(value, "dtype"):
        return _element(+value, style)
    if style.characters_as_text and value.datatype == DBR_CHAR:
        return _element(value.tobytes().partition(b"\0")[0], style)
    elements = [_element(item, style) for item in value.tolist()]
    return style.separator.join([str(len(elements)), *elements])


def stamp_text(value: Any) -> str:
    """Return the timestamp of a value, in local time."""
    if value.never_processed:
        return "<undefined>"
    seconds, nanos = value.raw_stamp
    local = datetime.datetime.fromtimestamp(seconds)
    return f"{local:%Y-%m-%d %H:%M:%S}.{nanos // 1000:06d}"


def wide_line(name: str, value: Any, style: Style, stamp: str | None = None) -> str:
    """Return a line with name, timestamp, value and, if there is one, the alarm."""
    alarm = ["", ""]
    if value.status or value.severity:
        alarm = [status_word(value.status), severity_word(value.severity)]
    fields = [stamp_text(value) if stamp is None else stamp, value_text(value, style), *alarm]
    if style.separator == " ":
        fields = [field for field in fields if field]
    return style.separator.join([padded(name, style), *fields])


def padded(name: str, style: Style) -> str:
    """Return a name as the first column; in columns only when blanks separate them."""
    return f"{name:<{NAME_WIDTH}}" if style.separator == " " else name


def failure(error: ca_nothing) -> str:
    """Return why there is no value, as it stands where the value would."""
    return f"*** {str(error).removeprefix(f'{error.name}: ')}"


def details(name: str, value: Any, code: int, style: Style) -> str:
    """Return everything a value brought with it, one fact per line."""
    row = DBR_TYPES[code]
    facts: list[tuple[str, str]] = [("Request type", row.name)]
    facts.append(("Element count", str(value.element_count)))
    facts.append(("Value", value_text(value, style)))
    if hasattr(value, "raw_stamp"):
        facts.append(("Timestamp", stamp_text(value)))
    if hasattr(value, "severity"):
        facts.append(("Status", status_word(value.status)))
        facts.append(("Severity", severity_word(value.severity)))
    if hasattr(value, "acks"):
        facts += [("Ack transient?", "YES" if value.ackt else "NO")]
        facts += [("Ack severity", severity_word(value.acks))]
    if hasattr(value, "units"):
        facts.append(("Units", printable(value.units)))
    if hasattr(value, "precision"):
        facts.append(("Precision", str(value.precision)))
    facts += [
        (label, _element(getattr(value, field), style))
        for label, field in _LIMITS
        if hasattr(value, field)
    ]
    if hasattr(value, "enums"):
        facts.append(("Enums", f"({len(value.enums):2d})"))
        facts += [(f"[{index:2d}]", printable(text)) for index, text in enumerate(value.enums)]
    return "\n".join([name, *(f"    {label + ':':<18}{text}" for label, text in facts)])


def _element(item: Any, style: Style) -> str:
    if isinstance(item, float):
        finite = item - item == 0
        if style.float_base != 10 and finite:
            return _in_base(round(item), style.float_base)
        return style.float_format % item
    if isinstance(item, int):
        return str(item) if style.integer_base == 10 else _in_base(item, style.integer_base)
    if isinstance(item, bytes):
        item = item.decode("utf-8", "replace")
    return printable(item)


def _in_base(number: int, base: int) -> str:
    prefix, letter = _PREFIXES[base]
    sign = "-" if number < 0 else ""
    return f"{sign}{prefix}{abs(number):{letter}}"
