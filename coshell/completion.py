# SPDX-License-Identifier: Apache-2.0
"""Completion of PV names, fields and states: from what is known already, never from the network.

PV names grow by one part at a time, as paths do: `SR-` offers `SR-DI-`'s devices up to their colon.
"""

from __future__ import annotations

import re
import shlex
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from coshell.panel.model import Metadata
from coshell.session import Session

__all__ = ["NameIndex", "PVMatcher", "install", "parts"]

MAGICS: Final = frozenset(
    {"caget", "caput", "camonitor", "cainfo", "connect", "caplot", "pv", "pvs", "wait", "doctor"}
)
FIELDS: Final = (
    *("VAL", "DESC", "EGU", "PREC", "SCAN", "PROC", "STAT", "SEVR", "RTYP", "NAME", "DTYP"),
    *("HIHI", "HIGH", "LOW", "LOLO", "HHSV", "HSV", "LSV", "LLSV", "HYST", "ADEL", "MDEL"),
    *("HOPR", "LOPR", "DRVH", "DRVL", "INP", "OUT", "FLNK", "PINI", "PACT", "DISP", "DISV", "DISA"),
    *("TSE", "TIME", "UDF", "ACKS", "ACKT", "NORD", "NELM", "FTVL", "RVAL", "CALC", "INPA", "INPB"),
)
LIMIT: Final = 500
FILES: Final = frozenset({"-l", "--load"})
"""Options after which the name of a file is typed."""

_CALL = re.compile(
    r"""\b(?:caget|caput|camonitor|cainfo|connect|PV|pvs|PV_array)\s*\(\s*\[?"""
    r"""(?:[^'"]*['"][^'"]*['"]\s*,\s*)*['"](?P<typed>[^'"]*)$"""
)
_MAGIC = re.compile(r"^\s*(?:\w+\s*=\s*)?%?(?P<magic>\w+)\s+(?P<rest>.*)$")


class NameIndex:
    """Names in order, so that those with a common beginning are found without a search."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = sorted(names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: str) -> bool:
        at = bisect_left(self._names, name)
        return at < len(self._names) and self._names[at] == name

    def cut(self, typed: str, limit: int = LIMIT) -> list[str]:
        """Return the names that begin so, each cut after its next colon."""
        names = self._names
        found: list[str] = []
        at = bisect_left(names, typed)
        while at < len(names) and names[at].startswith(typed) and len(found) < limit:
            colon = names[at].find(":", len(typed))
            part = names[at] if colon < 0 else names[at][: colon + 1]
            if not found or found[-1] != part:
                found.append(part)
            # The first name that does not begin with this part.
            at = at + 1 if colon < 0 else bisect_left(names, part[:-1] + chr(ord(":") + 1), at)
        return found


def parts(indexes: Sequence[NameIndex], typed: str, limit: int = LIMIT) -> list[str]:
    """Return the names of all indexes that begin so, each cut after its next colon.

    A part that all have in common is passed over: what is offered is a choice.
    """
    while True:
        found = sorted(set().union(*(index.cut(typed, limit) for index in indexes)))[:limit]
        if len(found) != 1 or found[0] == typed or any(found[0] in index for index in indexes):
            return found
        typed = found[0]


class PVMatcher:
    """Offers PV names after magics that take them, and inside the strings of such calls."""

    def __init__(self, session: Session, variables: Mapping[str, Any]) -> None:
        self._session = session
        self._variables = variables
        self._indexes: dict[int, tuple[object, int, NameIndex]] = {}

    def indexes(self) -> list[NameIndex]:
        """Return the indexes of everything known now.

        Each source has its own, which is kept as long as the source gives the same names: lists of
        a hundred thousand names do not change, and those that change are short.
        """
        found = []
        for number, names in enumerate(self._session.known_by_source()):
            kept, size, index = self._indexes.get(number, (None, 0, NameIndex()))
            if kept is not names or size != len(names):
                index = NameIndex(names)
                self._indexes[number] = names, len(names), index
            found.append(index)
        return found

    def typed(self, text: str) -> tuple[str, str | None] | None:
        """Find what is being typed in the text before the cursor.

        Returns:
            The beginning of a name or state, and the PV whose state it is; None elsewhere.
        """
        call = _CALL.search(text)
        if call is not None:
            return call["typed"], None
        magic = _MAGIC.match(text)
        if magic is None or magic["magic"] not in MAGICS:
            return None
        if "%" not in text[: magic.start("magic")] and magic["magic"] in self._variables:
            # `caget (…` and `caget = …` are Python: without its % a magic takes plain words.
            if not re.match(r"[\w{]", magic["rest"] or "w"):
                return None
        words = magic["rest"].split(" ")
        if len(words) > 1 and words[-2] in FILES:
            return None
        names = [word for word in words[:-1] if word and not word.startswith("-")]
        if magic["magic"] == "caput" and names:
            return words[-1].lstrip("'\""), names[0]
        return words[-1].lstrip("'\""), None

    def candidates(self, typed: str, pv: str | None = None) -> list[str]:
        """Return what the typed text may become."""
        if pv is not None:
            return self._states(typed, self._session.metadata.get(pv))
        indexes = self.indexes()
        base, dot, field = typed.rpartition(".")
        if dot and any(base in index for index in indexes):
            return [f"{base}.{name}" for name in FIELDS if name.startswith(field.upper())]
        return parts(indexes, typed)

    def nothing_else(self, typed: str, pv: str | None = None) -> list[str]:
        """Return what keeps others from offering words of Python for what can be none.

        That is the typed text itself: IPython asks everybody as long as nobody offers anything.
        """
        if pv is None:
            return [typed] if typed and not typed.startswith("-") else []
        metadata = self._session.metadata.get(pv)
        return [typed] if typed and metadata is not None and metadata.enums else []

    def _states(self, typed: str, metadata: Metadata | None) -> list[str]:
        if metadata is None:
            return []
        folded = typed.casefold()
        return [
            shlex.quote(state) for state in metadata.enums if state.casefold().startswith(folded)
        ]


def install(shell: Any, session: Session) -> PVMatcher:
    """Give a shell's completer the matcher."""
    matcher = PVMatcher(session, shell.user_ns)

    @context_matcher(priority=2000, identifier="coshell.pvs")  # type: ignore[untyped-decorator]
    def pvs(context: CompletionContext) -> dict[str, Any]:
        typed = matcher.typed(context.text_until_cursor)
        if typed is None:
            return {"completions": []}
        completions: Sequence[str] = matcher.candidates(*typed) or matcher.nothing_else(*typed)
        return {
            "completions": [SimpleCompletion(text=text, type="PV") for text in completions],
            "matched_fragment": typed[0],
            "suppress": bool(completions),
        }

    shell.Completer.custom_matchers.append(pvs)
    return matcher
