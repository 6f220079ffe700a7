# SPDX-License-Identifier: Apache-2.0
"""The command line tool caput."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from ..api import caput, connect
from ..dbr import DBR_CHAR_STR, FORMAT_RAW, FORMAT_TIME
from ..errors import BadValue, ca_nothing
from ..protocol.dbr import DBR_CHAR, DBR_ENUM
from .get import read
from .hints import of_state
from .options import Style, add_format, add_priority, make_parser, parse, style_of
from .show import padded, value_text, wide_line

__all__ = ["main"]

USAGE = """\
caput [options] PV VALUE
caput -a [options] PV COUNT VALUE ..."""
EXAMPLES = """\
  caput SR-RF:FREQ 499.65                old and new value are shown
  caput -c -w 30 SR-MO-01 12.5           wait until the motion has ended
  caput -a SR-BPM:TABLE 3 1 2 3          an array, its length first
  caput -S SR-CS:MESSAGE "a long text"   an array of characters
  caput -n SR-SH:MODE 2                  a state by its number
"""


def main(argv: Sequence[str]) -> int:
    """Run caput.

    Returns:
        The exit status.
    Suspends: until the value is written and read back, or the time is up.
    """
    options = _options(argv)
    style = style_of(options)
    format = FORMAT_TIME if options.wide else FORMAT_RAW
    name: str = options.pv
    info = connect(name, cainfo=True, timeout=options.wait_s, throw=False)
    if isinstance(info, ca_nothing):
        return _failed(info)
    characters = options.characters and info.datatype == DBR_CHAR
    value, datatype = _value(options, characters)
    (old,) = read([name], style, format, options.count, options.wait_s)
    result = caput(
        name,
        value,
        datatype=datatype,
        wait=options.callback,
        timeout=options.wait_s,
        throw=False,
        strict=True,
    )
    if not result.ok:
        typed = isinstance(result, BadValue) and info.datatype == DBR_ENUM and options.values[0]
        return _failed(result, of_state(name, typed, options.wait_s) if typed else "")
    (new,) = read([name], style, format, options.count, options.wait_s)
    if not options.terse:
        print(_line("Old : ", name, old, style, options))
    print(_line("New : ", name, new, style, options))
    return 0 if new.ok else 1


def _options(argv: Sequence[str]) -> Any:
    parser = make_parser(USAGE, "Write a process variable.", EXAMPLES)
    parser.add_argument("pv", metavar="PV", help="process variable")
    parser.add_argument("values", metavar="VALUE", nargs=argparse.REMAINDER, help="what to write")
    parser.add_argument("-t", dest="terse", action="store_true", help="print the new value alone")
    parser.add_argument(
        "-l", dest="wide", action="store_true", help="print timestamp and alarm too"
    )
    parser.add_argument(
        "-c", dest="callback", action="store_true", help="wait until the put has been processed"
    )
    add_priority(parser)
    parser.add_argument(
        "-n", dest="numbers", action="store_true", help="the value is the number of a state"
    )
    parser.add_argument(
        "-s", dest="text", action="store_true", help="send, and print, the value as text"
    )
    parser.add_argument(
        "-a", dest="array", action="store_true", help="write an array: number of elements, elements"
    )
    add_format(parser, states=False)
    options = parse(parser, argv)
    if not options.values:
        parser.error(f"what value is to be written to {options.pv}?")
    if options.array:
        count, *elements = options.values
        if not count.isdecimal() or int(count) > len(elements):
            parser.error(f"-a takes the number of elements first, then as many; not {count!r}")
        options.values = elements[: int(count)]
    elif len(options.values) > 1:
        parser.error(
            f"{len(options.values)} values for {options.pv}: quote a text with blanks, "
            "or write an array with -a"
        )
    return options


def _value(options: Any, characters: bool) -> tuple[Any, Any]:
    if characters:
        return " ".join(options.values), DBR_CHAR_STR
    value: Any = options.values if options.array else options.values[0]
    if options.numbers:
        return value, "u2"
    return value, str if options.text else None


def _failed(error: ca_nothing, hint: str = "") -> int:
    print(f"{error}{hint}", file=sys.stderr)
    return 1


def _line(label: str, name: str, value: Any, style: Style, options: Any) -> str:
    if isinstance(value, ca_nothing):
        text = str(value)
    elif options.terse:
        return value_text(value, style)
    elif options.wide:
        return f"{label}{wide_line(name, value, style)}"
    else:
        text = value_text(value, style)
    return f"{label}{padded(name, style)}{style.separator}{text}"
