# SPDX-License-Identifier: Apache-2.0
"""The command line tool pvtree: a record, the records it takes its value from, theirs, and so on.

Only links by which a value comes in are followed. A record is shown where it is met first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Final

from ..api import caget, cainfo
from ..dbr import DBR_CHAR_STR
from ..protocol.dbr import STRING_SIZE
from .options import make_parser, parse
from .show import printable

__all__ = ["main"]

EXAMPLES = """\
  pvtree SR-DI:LIFETIME       the record and its inputs, with values and alarms
  pvtree -qm SR-DI:LIFETIME   which of these links do not pass alarms on
"""


def _types(names: str, *fields: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names.split(), fields)


def _inputs(count: int) -> tuple[str, ...]:
    return tuple(f"INP{letter}" for letter in ascii_uppercase[:count])


INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    **_types("aai ai bi compress event int64in longin lsi mbbi mbbiDirect", "INP"),
    **_types("stringin subArray waveform", "INP"),
    **_types("aao ao bo busy dfanout int64out longout lso mbbo mbboDirect stringout", "DOL"),
    **_types("aSub genSub sub", *_inputs(21)),
    **_types("acalcout scalcout", *_inputs(12)),
    **_types("calc", "CALC", *_inputs(21)),
    **_types("calcout", "CALC", "OUT", *_inputs(21)),
    **_types("histogram", "SVL"),
    **_types("motor", "OUT", "MSTA"),
    **_types("printf", *(f"INP{number}" for number in range(10))),
    **_types("sel", *_inputs(12), "SELN"),
    **_types("seq", *(f"DOL{digit:X}" for digit in range(16))),
    **_types("transform", *_inputs(16)),
    # Nothing comes in here, or by no field that is known for it.
    **_types("asyn eg egevent er erevent fanout permissive sscan state swait"),
}
"""Of each record type the fields in the order of their lines."""
NEWER: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("calc", "calcout", "sub"), frozenset(_inputs(21)[12:])),
    "seq": frozenset({"DOL0", *(f"DOL{digit}" for digit in "BCDEF")}),
}
"""Fields that the record types of older versions of EPICS do not have."""
SHOWN: Final = frozenset({"CALC", "MSTA", "OUT"})
"""Fields that are worth a line, and that no value comes in by."""

COLOURS: Final = {
    "record": "1", "alarm": "33", "link": "96", "field": "36", "seen": "37",
    "wrong": "31", "missing": "91",
}  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Run pvtree.

    Returns:
        The exit status.
    Suspends: until the whole tree is printed.
    """
    parser = make_parser(
        "pvtree [options] LINK ...",
        "Show where a record takes its value from, as a tree of links.",
        EXAMPLES,
    )
    parser.add_argument(
        "-m", "--nms", action="store_true", help="mark links that do not pass alarms on (no MS)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print what is wrong only")
    parser.add_argument(
        "-r", "--raw", dest="colour", action="store_false", default=None, help="no colours"
    )
    parser.add_argument(
        "-c", "--colour", action="store_true", default=None, help="colours wherever it prints to"
    )
    parser.add_argument("links", nargs="*", metavar="LINK", help="a record, a field, or a link")
    options = parse(parser, argv)
    if not options.links:
        parser.print_help()
        return 0
    tree = Tree(options)
    for link in options.links:
        tree.grow(link)
    return 0 if tree.complete else 1


class Tree:
    """What has been printed so far.

    Attributes:
        complete: whether every record has answered.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.complete = True
        self._wait_s: float = options.wait_s
        self._quiet: bool = options.quiet
        self._check_nms: bool = options.nms
        self._colour: bool = _has_colours() if options.colour is None else options.colour
        self._seen: set[str] = set()
        self._absent: dict[tuple[str, str], set[str]] = {}

    def grow(self, link: str) -> None:
        """Print the record that a link leads to, and all that it takes its value from."""
        levels = [self._record(link, 0)]
        while levels:
            below = next(levels[-1], None)
            if below is None:
                levels.pop()
            else:
                levels.append(self._record(below, len(levels)))

    def _record(self, link: str, depth: int) -> Iterator[str]:
        """Print the lines of a record; yield each of its links behind the line it stands in."""
        record = record_of(link)
        if record is None:
            return
        indent = "  " * depth
        if record in self._seen:
            # The blank at the end belongs to the format: programs compare whole lines.
            self._say(f"{indent}{self._paint('seen', f'{record} already visited')} ")
            return
        self._seen.add(record)
        kind = self._read(f"{record}.RTYP")
        if not kind.ok:
            self._fail(f"{indent}{self._paint('wrong', record)} not found: {_reason(kind)}")
        elif kind not in INPUTS:
            self._say(f"{indent}{self._paint('wrong', record)} type {printable(kind)} not found")
        else:
            self._say(indent + self._headline(record, kind))
            for field, text in self._fields(record, kind):
                yield from self._field(indent, record, field, text)

    def _headline(self, record: str, kind: str) -> str:
        value, *alarm, device = self._read(
            [f"{record}.{field}" for field in ("VAL", "SEVR", "STAT", "DTYP")]
        )
        words = [self._paint("alarm", printable(str(text))) for text in alarm]
        made_of = str(device) if device.ok else ""
        named = f"{self._paint('record', record)} ({kind}, {made_of!r})"
        return " ".join([named, printable(str(value)), *words])

    def _fields(self, record: str, kind: str) -> list[tuple[str, Any]]:
        """Read the fields of a record that have something to show."""
        newer = NEWER.get(kind, frozenset())
        host = cainfo(f"{record}.RTYP", timeout=self._wait_s).host if newer else ""
        # Waiting for fields that a server does not have is done once.
        absent = self._absent.setdefault((host, kind), set())
        fields = [field for field in INPUTS[kind] if field not in absent]
        texts = self._read([f"{record}.{field}" for field in fields])
        found = list(zip(fields, texts, strict=True))
        absent.update(field for field, text in found if not text.ok and field in newer)
        return [
            (field, text)
            for field, text in found
            if field not in absent and (not text.ok or text or field in SHOWN)
        ]

    def _field(self, indent: str, record: str, field: str, text: Any) -> Iterator[str]:
        """Print the line of a field; yield its link, if it has one that a value comes in by."""
        name = self._paint("field" if field in SHOWN else "link", f"{record}.{field}")
        if not text.ok:
            self._fail(f"{indent}{name} {_reason(text)}")
            return
        whole = self._whole(text)
        line = f"{name} {printable(whole)}"
        if field in SHOWN:
            self._say(f"{indent}{line}")
            return
        if self._check_nms and record_of(whole) is not None and "NMS" in whole.split():
            line = f"{line} : {self._paint('missing', 'MS missing')}"
            print(line if self._quiet else f"{indent}{line}")
        else:
            self._say(f"{indent}{line}")
        yield whole

    def _whole(self, text: Any) -> str:
        """Read a text again that has been cut off at the length of an EPICS string."""
        if len(text) < STRING_SIZE - 1:
            return str(text)
        whole = caget(f"{text.name}$", datatype=DBR_CHAR_STR, timeout=self._wait_s, throw=False)
        return str(whole) if whole.ok else str(text)

    def _read(self, names: Any) -> Any:
        # Of an array the first element is shown, and no more need travel.
        return caget(names, datatype=str, count=1, timeout=self._wait_s, throw=False)

    def _fail(self, line: str) -> None:
        self.complete = False
        print(line)

    def _say(self, line: str) -> None:
        if not self._quiet:
            print(line)

    def _paint(self, role: str, text: str) -> str:
        return f"\033[{COLOURS[role]}m{text}\033[0m" if self._colour else text


def record_of(link: str) -> str | None:
    """Return the record that a link leads to; None for constants, hardware and JSON links."""
    target = link.split(maxsplit=1)[0] if link.strip() else ""
    if not target.isprintable() or target[:1] in '@#{["' or _is_number(target):
        return None
    return target.partition(".")[0]


def _reason(failure: Any) -> str:
    return printable(str(failure).removeprefix(f"{failure.name}: "))


def _is_number(text: str) -> bool:
    """Tell whether EPICS takes a link for a constant number."""
    if "_" in text:
        return False
    try:
        float(text)
    except ValueError:
        try:
            int(text, 0)
        except ValueError:
            return False
    return True


def _has_colours() -> bool:
    plain = os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("NO_COLOR")
    return sys.stdout.isatty() and not plain
