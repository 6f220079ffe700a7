# SPDX-License-Identifier: Apache-2.0
"""The command line tool caget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..api import caget
from ..dbr import FORMAT_CTRL, FORMAT_RAW, FORMAT_TIME
from ..errors import ca_nothing
from ..protocol.dbr import (
    BASE_COUNT,
    DBR_CLASS_NAME,
    DBR_STSACK_STRING,
    DBR_TYPES,
    GROUP_CTRL,
    GROUP_GR,
    GROUP_STS,
    GROUP_TIME,
)
from .options import (
    Style,
    add_format,
    add_priority,
    add_pvs,
    dbr_type,
    make_parser,
    parse,
    style_of,
)
from .show import details, failure, padded, value_text, wide_line

__all__ = ["main", "read", "reading"]

EXAMPLES = """\
  caget SR-DI-DCCT:SIGNAL           name and value
  caget -t -f3 SR-DI-DCCT:SIGNAL    the value alone, with three decimals
  caget -a SR-RF:FREQ SR-VA:P       with timestamp and alarm
  caget -d CTRL_DOUBLE SR-RF:FREQ   with units and limits
  caget -#5 SR-BPM-01:WAVE          five elements of an array
"""

_FORMATS = {
    GROUP_STS: FORMAT_TIME,  # there is no request for less; the time is not shown
    GROUP_TIME: FORMAT_TIME,
    GROUP_GR: FORMAT_CTRL,
    GROUP_CTRL: FORMAT_CTRL,
}


def main(argv: Sequence[str]) -> int:
    """Run caget.

    Returns:
        The exit status.
    Suspends: until the values have come, or the time is up.
    """
    parser = make_parser("caget [options] PV ...", "Read process variables.", EXAMPLES)
    add_pvs(parser)
    parser.add_argument("-t", dest="terse", action="store_true", help="values alone, no names")
    parser.add_argument("-a", dest="wide", action="store_true", help="with timestamp and alarm")
    parser.add_argument(
        "-d", dest="dbr", metavar="TYPE", type=dbr_type, help="ask for a DBR type, e.g. TIME_FLOAT"
    )
    parser.add_argument("-c", action="store_true", help="accepted; all reads run in parallel")
    add_priority(parser)
    add_format(parser)
    options = parse(parser, argv)
    style = style_of(options)
    if options.dbr is not None:
        datatype, format = reading(options.dbr)
        values = caget(
            options.pvs,
            datatype=datatype,
            format=format,
            count=options.count,
            timeout=options.wait_s,
            throw=False,
        )
    else:
        format = FORMAT_TIME if options.wide else FORMAT_RAW
        values = read(options.pvs, style, format, options.count, options.wait_s)
    for name, value in zip(options.pvs, values, strict=True):
        print(_line(name, value, style, options))
    return 0 if all(value.ok for value in values) else 1


def read(names: Sequence[str], style: Style, format: int, count: int, wait_s: float) -> list[Any]:
    """Read PVs as a style wants to show them.

    Suspends: until the values have come, or the time is up.
    """
    return caget(
        names,
        datatype=style.datatype,
        format=format,
        count=count,
        timeout=wait_s,
        throw=False,
    )


def reading(code: int) -> tuple[int, int]:
    """Return the datatype and format that bring what a DBR code names."""
    if code in (DBR_STSACK_STRING, DBR_CLASS_NAME) or code < BASE_COUNT:
        return code, FORMAT_RAW
    row = DBR_TYPES[code]
    return row.base, _FORMATS.get(row.group, FORMAT_RAW)


def _line(name: str, value: Any, style: Style, options: Any) -> str:
    if isinstance(value, ca_nothing):
        text = failure(value)
        return text if options.terse else f"{padded(name, style)}{style.separator}{text}"
    if options.dbr is not None and options.dbr >= BASE_COUNT and options.dbr != DBR_CLASS_NAME:
        return details(name, value, options.dbr, style)
    if options.wide and hasattr(value, "raw_stamp"):
        return wide_line(name, value, style)
    text = value_text(value, style)
    return text if options.terse else f"{padded(name, style)}{style.separator}{text}"
