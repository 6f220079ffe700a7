# SPDX-License-Identifier: Apache-2.0
"""Completion of PV names, fields, states, and the words of magics: never from the network.

What a magic takes is known from how its line is read. PV names grow by one part at a time, as paths
do: `SR-` offers `SR-DI-`'s devices up to their colon.
"""

from __future__ import annotations

import re
import shlex
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final, TypeAlias

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.interactiveshell import InteractiveShell

from coshell.kernel.prompt import EXPLAINED
from coshell.magics import SPECS, jobs
from coshell.magics.parsing import LineParser
from coshell.magics.watching import few
from coshell.panel.model import Metadata
from coshell.session import Session, session

__all__ = [
    "Matcher",
    "NameIndex",
    "install",
    "load_ipython_extension",
    "parts",
    "unload_ipython_extension",
]

PARSERS: Final[Mapping[str, LineParser]] = {
    **{name: spec.parser for name, spec in SPECS.items()},
    **jobs.PARSERS,
}
"""How the lines of magics are read, by name."""
FIELDS: Final = (
    *("VAL", "DESC", "EGU", "PREC", "SCAN", "PROC", "STAT", "SEVR", "RTYP", "NAME", "DTYP"),
    *("HIHI", "HIGH", "LOW", "LOLO", "HHSV", "HSV", "LSV", "LLSV", "HYST", "ADEL", "MDEL"),
    *("HOPR", "LOPR", "DRVH", "DRVL", "INP", "OUT", "FLNK", "PINI", "PACT", "DISP", "DISV", "DISA"),
    *("TSE", "TIME", "UDF", "ACKS", "ACKT", "NORD", "NELM", "FTVL", "RVAL", "CALC", "INPA", "INPB"),
)
LIMIT: Final = 500
PVS: Final = frozenset({"PV", "[NAME:] PV", "'PV < 5'", "WORD", "VALUE"})
"""What the usage of a magic calls a word that is a PV, a part of one, or its state."""
IDENTIFIERS: Final = ("coshell.pvs", "coshell.words")
ELSEWHERE: Final = frozenset({"FILE", "CODE"})
"""What it calls a word that IPython knows better."""

Words: TypeAlias = Sequence[tuple[str, str]]
"""Words to offer, each with what it means."""

_CALL = re.compile(
    r"""\b(?:caget|caput|camonitor|cainfo|connect|PV|pvs|PV_array)\s*\(\s*\[?"""
    r"""(?:[^'"]*['"][^'"]*['"]\s*,\s*)*['"](?P<typed>[^'"]*)$"""
)
_MAGIC = re.compile(r"^\s*(?:\w+\s*=\s*)?%{0,2}(?P<magic>\w+)\s+(?P<rest>.*)$")


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


class Matcher:
    """Offers what a magic takes, and PV names inside the strings of calls that take them.

    Args:
        session: knows the names.
        variables: those of the prompt.
        sources: the words there are for what the usage of a magic calls so, such as JOB.
        hidden: those of the variables that nobody at the prompt has made.
    """

    def __init__(
        self,
        session: Session,
        variables: Mapping[str, Any],
        sources: Mapping[str, Callable[[], Words]] | None = None,
        hidden: Mapping[str, Any] | None = None,
    ) -> None:
        self._session = session
        self._variables = variables
        self._sources = sources or {}
        self._hidden = {} if hidden is None else hidden
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
        """Find the PV that is being typed in the text before the cursor.

        Returns:
            The beginning of a name or state, and the PV whose state it is; None elsewhere.
        """
        call = _CALL.search(text)
        if call is not None:
            return call["typed"], None
        magic, words = self._line(text)
        if (
            magic is None
            or words[-1].startswith("$")
            or str(magic.expected(words[:-1], words[-1])) not in PVS
        ):
            return None
        names = [word for word in words[:-1] if not word.startswith("-")]
        if magic is PARSERS["caput"] and names:
            return words[-1].lstrip("'\""), names[0]
        return words[-1].lstrip("'\""), None

    def word(self, text: str) -> tuple[str, Words] | None:
        """Find the other word of a magic that is being typed in the text before the cursor.

        Returns:
            Its beginning, and what it may become; None elsewhere.
        """
        magic, words = self._line(text)
        if magic is None:
            return None
        if words[-1].startswith("$"):
            return words[-1], self._named(words[-1])
        expected = magic.expected(words[:-1], words[-1])
        if not isinstance(expected, str):
            return words[-1], expected
        if expected in PVS | ELSEWHERE:
            return None
        source = self._sources.get(expected, tuple)
        return words[-1], [pair for pair in source() if pair[0].startswith(words[-1])]

    def _named(self, typed: str) -> Words:
        """Return the variables that a word can stand for."""
        made = {
            f"${name}": value
            for name, value in self._variables.items()
            if name not in self._hidden or self._hidden[name] is not value
        }
        return [
            (word, type(value).__name__)
            for word, value in sorted(made.items())
            if word.startswith(typed) and not (callable(value) or isinstance(value, ModuleType))
        ]

    def _line(self, text: str) -> tuple[LineParser | None, list[str]]:
        """Return how the line of the magic is read that is being typed, and its words so far."""
        magic = _MAGIC.match(text)
        if magic is None or magic["magic"] not in PARSERS:
            return None, []
        if "%" not in text[: magic.start("magic")] and magic["magic"] in self._variables:
            # `caget (…` and `caget = …` are Python: without its % a magic takes plain words.
            if not re.match(r"[\w{]", magic["rest"] or "w"):
                return None, []
        *before, typed = magic["rest"].split(" ")
        return PARSERS[magic["magic"]], [*filter(None, before), typed]

    def candidates(self, typed: str, pv: str | None = None) -> list[str]:
        """Return what the typed text may become."""
        if pv is not None:
            return self._states(typed, self._session.metadata.get(pv))
        indexes = self.indexes()
        base, dot, field = typed.rpartition(".")
        if dot and any(base in index for index in indexes):
            return [f"{base}.{name}" for name in FIELDS if name.startswith(field.upper())]
        return parts(indexes, typed)

    def _states(self, typed: str, metadata: Metadata | None) -> list[str]:
        if metadata is None:
            return []
        folded = typed.casefold()
        return [
            shlex.quote(state) for state in metadata.enums if state.casefold().startswith(folded)
        ]


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Complete PVs in any shell."""
    install(ip, session)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Leave completion to IPython again."""
    matchers: list[Any] = ip.Completer.custom_matchers
    matchers[:] = [one for one in matchers if one.matcher_identifier not in IDENTIFIERS]


def install(shell: Any, session: Session) -> Matcher:
    """Give a shell's completer the matcher."""

    def numbers() -> Words:
        return [(job.tag, f"{job.name}, {job.state}") for job in shell.jobs]

    def states() -> Words:
        counts = Counter(job.state for job in shell.jobs)
        return [(state, f"{count} of them") for state, count in counts.items()]

    def failures() -> Words:
        kept = reversed(shell.failures.kept)
        return [(str(failure.number), f"{failure.where}: {failure.summary}") for failure in kept]

    def panels() -> Words:
        return [(watch.name, few(watch.names)) for watch in session.watches]

    sources: dict[str, Callable[[], Words]] = {"NAME": panels}
    if hasattr(shell, "jobs"):
        sources |= {"JOB": numbers, "STATE": states, "NUMBER": failures}
    matcher = Matcher(session, shell.user_ns, sources, shell.user_ns_hidden)

    @context_matcher(priority=2000, identifier=IDENTIFIERS[0])  # type: ignore[untyped-decorator]
    def pvs(context: CompletionContext) -> dict[str, Any]:
        typed = matcher.typed(context.text_until_cursor)
        if typed is None:
            return {"completions": []}
        # IPython asks everybody as long as nobody offers anything: the typed text itself keeps
        # words of Python away from where there can be none.
        completions = matcher.candidates(*typed) or [typed[0]]
        return {
            "completions": [SimpleCompletion(text=text, type="PV") for text in completions],
            "matched_fragment": typed[0],
            "suppress": True,
        }

    @context_matcher(priority=2001, identifier=IDENTIFIERS[1])  # type: ignore[untyped-decorator]
    def words(context: CompletionContext) -> dict[str, Any]:
        typed = matcher.word(context.text_until_cursor)
        if typed is None:
            return {"completions": []}
        fragment, offered = typed
        return {
            "completions": [
                SimpleCompletion(text=word, type=f"{EXPLAINED}{meaning}")
                for word, meaning in offered or [(fragment, "")]
            ],
            "matched_fragment": fragment,
            "suppress": True,
            "ordered": True,
        }

    shell.Completer.custom_matchers += [pvs, words]
    return matcher
