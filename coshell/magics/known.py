# SPDX-License-Identifier: Apache-2.0
"""`%pvs`: the PV names that are known, searched in and added to."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from catools.near_misses import NAMES_ALIKE, near_misses
from coshell.magics.access import plainly
from coshell.magics.parsing import LineParser, Refused, Spec
from coshell.names import expand, is_glob, matching
from coshell.panel.text import clip, sanitise
from coshell.pv_lists import ListError, read
from coshell.session import Session

SHOWN: Final = 20
"""So many lines of names."""
GAP: Final = 2

_PVS = LineParser(
    "pvs",
    "List the PV names that Tab, globs and near misses know: those of the profile, of earlier "
    "sessions, and all used in this one. Returns the list.",
    (
        ("%pvs", "all of them; the first are shown"),
        ("%pvs bpm", "those with bpm in them, in any case"),
        ("%pvs DEMO:BPM-*:X", "those that a glob matches"),
        ("%pvs --load names.txt", "add names from a file, or from what dbl printed"),
        ("%pvs --load ring.db -m P=SR,R=01", "add those of a database with macros"),
        ("x = caget(pvs('DEMO:BPM-*:X'))", "the same globs in Python"),
    ),
)


def _macros(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(given and name.strip() for name, given, _ in pairs):
        raise ArgumentTypeError(f"{text!r}: macros are written as P=SR,R=01")
    return {name.strip(): value.strip() for name, _, value in pairs}


_PVS.add_argument("words", nargs="*", metavar="WORD", help="a part of a name, or a glob")
_PVS.add_argument("-l", "--load", metavar="FILE", help="add the names in a file")
_PVS.add_argument(
    "-m", dest="macros", type=_macros, default={}, metavar="A=B,C=D", help="macros of a database"
)


class Names(list[str]):
    """A list of names that shows itself in columns, a long one in part.

    Args:
        width: how many cells a line may take.
    """

    def __init__(self, names: Sequence[str], width: int) -> None:
        super().__init__(names)
        self._width = width

    def __str__(self) -> str:
        if not self:
            return "no names"
        cell = min(max(map(len, self[: SHOWN * self._width])) + GAP, self._width)
        columns = max(1, self._width // cell)
        texts = [clip(sanitise(name), cell) for name in self[: SHOWN * columns]]
        lines = [
            "".join(f"{text:<{cell}}" for text in texts[at : at + columns]).rstrip()
            for at in range(0, len(texts), columns)
        ]
        left = len(self) - len(texts)
        if left:
            lines.append(f"… and {left} more: %pvs WORD narrows it down")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("..." if cycle else str(self))


def _pvs(session: Session, options: Namespace) -> Names:
    if options.load is not None:
        try:
            loaded = read(Path(options.load).expanduser(), options.macros)
        except ListError as exc:
            raise Refused(f"%pvs: {exc}") from exc
        session.load(options.load, loaded)
        print(f"{len(loaded)} names from {options.load}")
        if not options.words:
            return Names(loaded, session.width())
    known = session.known()
    if not options.words:
        return Names(sorted(known), session.width())
    found: dict[str, None] = {}
    with plainly(session):
        for word in options.words:
            some = [name for part in expand(word) for name in _like(part, known)]
            if not some:
                close = near_misses(word, known, NAMES_ALIKE)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise Refused(f"%pvs: none of {len(known)} known names is like {word}{hint}")
            found.update(dict.fromkeys(some))
    return Names(list(found), session.width())


def _like(word: str, known: Sequence[str]) -> list[str]:
    if is_glob(word):
        return sorted(matching(word, known))
    folded = word.casefold()
    return sorted(name for name in known if folded in name.casefold())


SPECS: Final[Sequence[Spec]] = (Spec("pvs", _PVS, _pvs),)
"""The magics of this file."""
