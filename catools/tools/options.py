# SPDX-License-Identifier: Apache-2.0
"""The flags that the command line tools share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn

from ..dbr import DBR_ENUM_STR
from ..protocol.commands import MINOR_VERSION
from ..protocol.dbr import DBE_ALARM, DBE_LOG, DBE_PROPERTY, DBE_VALUE, DBR_TYPES

__all__ = [
    "Style",
    "add_format",
    "add_priority",
    "add_pvs",
    "dbr_type",
    "event_bits",
    "make_parser",
    "style_of",
]

DEFAULT_WAIT_S: Final = 1.0
_EVENT_LETTERS: Final = {"v": DBE_VALUE, "a": DBE_ALARM, "l": DBE_LOG, "p": DBE_PROPERTY}
_BASES: Final = {"x": 16, "o": 8, "b": 2}


@dataclass(frozen=True, slots=True)
class Style:
    """How values are to be printed.

    Attributes:
        float_format: for %-formatting.
        float_base, integer_base: 10, or another base to print the rounded number in.
        separator: between the fields of a line.
        as_text: floats as the server formats them.
        characters_as_text: arrays of characters as one text.
        numbers_of_states: enumerations as numbers.
    """

    float_format: str
    float_base: int
    integer_base: int
    separator: str
    as_text: bool
    characters_as_text: bool
    numbers_of_states: bool

    @property
    def datatype(self) -> Any:
        """What to ask the server for."""
        if self.as_text and not self.characters_as_text:
            return str
        return None if self.numbers_of_states else DBR_ENUM_STR


class Parser(argparse.ArgumentParser):
    """A parser that refuses as the tools of EPICS base do: in a line, with status 1."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end."""
        self.exit(1, f"{self.prog}: {message}\n-h explains the flags.\n")


def make_parser(usage: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Return a parser with the flags every tool has.

    Args:
        usage: the name of the tool and its arguments, for each way to call it a line.
    """
    name, _, _ = usage.partition(" ")
    parser = Parser(
        prog=name,
        usage=usage.replace("\n", "\n       "),
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-V",
        action="version",
        version=f"Channel Access protocol 4.{MINOR_VERSION}, coshell's catools",
        help="print the version of the protocol and exit",
    )
    parser.add_argument(
        "-w",
        dest="wait_s",
        metavar="SECONDS",
        type=_seconds,
        default=_default_wait(),
        help="wait that long for connections and replies (default %(default)s)",
    )
    return parser


def add_priority(parser: argparse.ArgumentParser) -> None:
    """Add a flag that the tools of EPICS base have, and that changes nothing here."""
    parser.add_argument("-p", metavar="PRIORITY", help="accepted; ignored")


def add_pvs(parser: argparse.ArgumentParser) -> None:
    """Add the names of the PVs."""
    parser.add_argument("pvs", nargs="+", metavar="PV", help="process variables")


def add_format(parser: argparse.ArgumentParser, *, states: bool = True) -> None:
    """Add the flags that say how values are printed."""
    group = parser.add_argument_group("format")
    group.add_argument(
        "-#", dest="count", metavar="N", type=_natural, default=0, help="at most N elements"
    )
    group.add_argument(
        "-S", dest="characters", action="store_true", help="arrays of characters as text"
    )
    if states:
        group.add_argument("-n", dest="numbers", action="store_true", help="states as numbers")
        group.add_argument(
            "-s", dest="text", action="store_true", help="floats as the server formats them"
        )
    for letter in "efg":
        group.add_argument(
            f"-{letter}",
            dest="floats",
            metavar="DIGITS",
            type=partial(_float_format, letter),
            help=f"floats as %%{letter} with that many digits",
        )
    for letter, base in _BASES.items():
        word = {16: "hexadecimal", 8: "octal", 2: "binary"}[base]
        group.add_argument(
            f"-l{letter}",
            dest="float_base",
            action="store_const",
            const=base,
            default=10,
            help=f"floats rounded, in {word}",
        )
        group.add_argument(
            f"-0{letter}",
            dest="integer_base",
            action="store_const",
            const=base,
            default=10,
            help=f"integers in {word}",
        )
    group.add_argument(
        "-F", dest="separator", metavar="CHAR", default=" ", help="separate fields with CHAR"
    )


def style_of(options: argparse.Namespace) -> Style:
    """Return the style that the flags ask for."""
    return Style(
        float_format=options.floats or "%g",
        float_base=options.float_base,
        integer_base=options.integer_base,
        separator=options.separator[:1] or " ",
        as_text=getattr(options, "text", False),
        characters_as_text=options.characters,
        numbers_of_states=getattr(options, "numbers", False),
    )


def dbr_type(text: str) -> int:
    """Return the DBR code that a number or a name, with or without DBR_, stands for."""
    names = {row.name: row.code for row in DBR_TYPES}
    # EPICS has a second name for these.
    names |= {name.replace("SHORT", "INT"): code for name, code in names.items()}
    name = text.upper()
    code = names.get(name, names.get(f"DBR_{name}", int(text) if text.isdecimal() else -1))
    if not 0 <= code < len(DBR_TYPES):
        raise argparse.ArgumentTypeError(f"no DBR type {text!r}; try DBR_TIME_DOUBLE")
    return code


def event_bits(text: str) -> int:
    """Return the DBE_* bits that letters out of v, a, l, p stand for."""
    try:
        bits = sum(_EVENT_LETTERS[letter] for letter in set(text))
    except KeyError:
        bits = 0
    if not bits:
        raise argparse.ArgumentTypeError(f"{text!r} is not made of the letters v, a, l, p")
    return bits


def parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> Any:
    """Return the parsed arguments."""
    return parser.parse_args(list(argv))


def _default_wait() -> float:
    try:
        return float(os.environ.get("EPICS_CLI_TIMEOUT", ""))
    except ValueError:
        return DEFAULT_WAIT_S


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of elements")
    return int(text)


def _float_format(letter: str, text: str) -> str:
    if not text.isdecimal() or int(text) > 99:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of digits")
    return f"%.{int(text)}{letter}"
