# SPDX-License-Identifier: Apache-2.0
"""`%caget`, `%caput`, `%connect` and `%cainfo`: talk to PVs once."""

from __future__ import annotations

import sys
from argparse import REMAINDER, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import time
from typing import Any, Final

from catools import DBR_CHAR_STR, DBR_STRING, ca_nothing, connect
from catools.near_misses import NAMES_ALIKE, near_misses
from coshell.convert import ConversionError
from coshell.expression import ExpressionError
from coshell.get import about, read
from coshell.kernel.messages import for_stream
from coshell.magics.parsing import LineParser, Refused, Spec, duration
from coshell.magics.windows import show_put
from coshell.names import PatternError, pvs
from coshell.panel.model import NO_METADATA, Metadata
from coshell.panel.text import clip, sanitise
from coshell.put import PutResult, Puts
from coshell.reading import Readings, about_lines, line_of, table
from coshell.session import Session
from cothread import Timedout

CONNECT_S: Final = 5.0


@contextmanager
def plainly(session: Session) -> Iterator[None]:
    """Turn what can go wrong with PVs into one line, with near misses of unknown names."""
    try:
        yield
    except (ConversionError, PatternError, ExpressionError, Timedout) as exc:
        raise Refused(str(exc)) from exc
    except ca_nothing as exc:
        raise Refused(sanitise(str(exc)) + hint(session, exc.name)) from exc


def hint(session: Session, name: str) -> str:
    """Return a question about a name that is known and looks alike, or nothing."""
    close = near_misses(name, (known for known in session.known() if known != name), NAMES_ALIKE)
    return f" (did you mean {close[0]}?)" if close else ""


def _names(session: Session, patterns: Sequence[str]) -> list[str]:
    return pvs(patterns, session.known())


def _one_or_many(patterns: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether the line names exactly one PV, and so wants one result."""
    return len(names) == 1 and len(patterns) == 1


def _wait_option(parser: LineParser, default: float | None, text: str) -> None:
    parser.add_argument(
        "-w", dest="timeout", type=duration, default=default, metavar="SEC", help=text
    )


def _of_pvs(parser: LineParser) -> None:
    parser.add_argument("pvs", nargs="+", metavar="PV", help="names, ranges {01..12}, globs")
    _wait_option(parser, CONNECT_S, f"seconds to wait (default {CONNECT_S:g})")


# %caget ----------------------------------------------------------------------------------------

_CAGET = LineParser(
    "caget",
    "Read PVs once, all in parallel. Returns the value, or a list of them.",
    (
        ("%caget DEMO:CURRENT", "one PV; the result can be computed with"),
        ("%caget DEMO:BPM-{01..12}:{X,Y}", "twenty-four PVs in one go"),
        ("x = %caget -t DEMO:CURRENT", "keep it, show nothing"),
        ("%caget -# 10 DEMO:WAVE", "ten elements of an array"),
    ),
)
_of_pvs(_CAGET)
_CAGET.add_argument("-t", dest="terse", action="store_true", help="terse: values without words")
_CAGET.add_argument("-s", dest="as_string", action="store_true", help="let the IOC make text of it")
_CAGET.add_argument("-S", dest="chars", action="store_true", help="an array of characters is text")
_CAGET.add_argument("-n", dest="number", action="store_true", help="states as numbers")
_CAGET.add_argument(
    "-#", dest="count", type=int, default=0, metavar="N", help="elements of an array"
)


def _caget(session: Session, options: Namespace) -> Any:
    datatype = DBR_CHAR_STR if options.chars else DBR_STRING if options.as_string else None
    with plainly(session):
        names = _names(session, options.pvs)
        values = read(
            names,
            session.metadata,
            timeout=options.timeout,
            datatype=datatype,
            count=options.count,
        )
        if _one_or_many(options.pvs, names):
            if not values[0].ok:
                raise values[0]
            if not options.terse:
                print(_line(session, values[0], options.number))
            return values[0]
    if options.terse:
        return values
    known = {} if options.number else session.metadata
    return Readings(values, known, session.width())


def _line(session: Session, value: Any, number: bool) -> str:
    metadata = session.metadata.get(value.name, NO_METADATA)
    if number:
        metadata = Metadata(metadata.units, metadata.precision)
    return table([line_of(value, metadata, time())], session.width())[0]


# %caput ----------------------------------------------------------------------------------------

_CAPUT = LineParser(
    "caput",
    "Write to a PV, wait until its record has finished, and show old → new. "
    "Flags go before the PV.",
    (
        ("%caput DEMO:RF:FREQ 499.65", "write, wait for the record, read back"),
        ("%caput DEMO:SHUTTER Open", "a state by its name, in any case, or by its number"),
        ("%caput -w 30 DEMO:MOTOR 12", "give up waiting after 30 s"),
        ("%caput --no-wait DEMO:MOTOR 12", "send it and do not wait"),
        ("%caput DEMO:BPM-{01..12}:GAIN 1", "the same value to twelve PVs"),
        ("%caput DEMO:TABLE 1 2 3", "an array"),
    ),
)
_CAPUT.add_argument("pv", metavar="PV", help="a name or a range")
_CAPUT.add_argument("values", nargs=REMAINDER, metavar="VALUE", help="what to write")
_wait_option(_CAPUT, None, "seconds for everything (default: as long as the record takes)")
_CAPUT.add_argument(
    "-c", dest="wait", action="store_true", default=True, help="wait for completion (the default)"
)
_CAPUT.add_argument("--no-wait", dest="wait", action="store_false", help="only send")
_CAPUT.add_argument("-t", dest="terse", action="store_true", help="terse: show nothing")
_CAPUT.add_argument("-n", dest="number", action="store_true", help="a state by its number only")
_CAPUT.add_argument("-s", dest="string", action="store_true", help="all words are one text")
_CAPUT.add_argument(
    "-S", dest="chars", action="store_true", help="text into an array of characters"
)
_CAPUT.add_argument("--qt", action="store_true", help="ask for the value in a window")
_CAPUT.add_argument("-a", dest="array", action="store_true", help="values are an array")
_CAPUT_FLAGS: Final = frozenset(_CAPUT.flags())


def _caput(session: Session, options: Namespace) -> Any:
    if options.qt:
        with plainly(session):
            return show_put(session, _names(session, [options.pv]))
    if not options.values:
        raise Refused(f"%caput: no value for {options.pv}; try %caput {options.pv} 1")
    value = _put_value(options)
    with plainly(session):
        names = _names(session, [options.pv])
        one = _one_or_many([options.pv], names)
        put = partial(session.desk.put, names[0]) if one else partial(session.desk.put_many, names)
        with waiting_shown(session, names):
            result: PutResult | Puts = put(
                value,
                wait=options.wait,
                timeout=options.timeout,
                as_number=options.number,
                as_text=options.chars,
            )
    if isinstance(result, Puts) and len(result.failed) == len(result):
        more = f"; and so with {len(result) - 1} more" if len(result) > 1 else ""
        raise Refused(sanitise(str(result[0])) + more)
    if not options.terse:
        print(for_stream(str(result), sys.stdout, session.width()))
    return result


def _put_value(options: Namespace) -> Any:
    values = options.values
    late = [word for word in values[1:] if word in _CAPUT_FLAGS]
    if late:
        raise Refused(
            f"%caput: {late[0]} comes after the PV, where it is taken for a value; "
            f"flags go first: %caput {late[0]} … {options.pv} {values[0]}"
        )
    if options.string or options.chars:
        return " ".join(values)
    if options.array:
        if len(values) > 1 and values[0].isdecimal() and int(values[0]) == len(values) - 1:
            values = values[1:]  # caput -a of EPICS base takes the number of elements first
        return values
    return values[0] if len(values) == 1 else values


class _Waiting:
    """What the dock says while a put is being waited for."""

    SILENT_S: Final = 0.5

    def __init__(self, session: Session, names: Sequence[str]) -> None:
        self.title = "put"
        self.refresh_s: float | None = self.SILENT_S
        self._session = session
        self._names = names

    def render(self, width: int, height: int, now: float) -> list[str]:
        """Return one line once the wait is worth a word."""
        waiting = self._session.desk.waiting
        left = [name for name in self._names if name in waiting]
        elapsed = now - min((waiting[name] for name in left), default=now)
        if height < 1 or elapsed < self.SILENT_S:
            return []
        self.refresh_s = 1.0
        who = sanitise(left[0]) + (f" and {len(left) - 1} more" if len(left) > 1 else "")
        text = f" {who}: waiting for completion, {elapsed:.0f} s (Ctrl-C stops waiting)"
        return [clip(text, width)]


@contextmanager
def waiting_shown(session: Session, names: Sequence[str]) -> Iterator[None]:
    """Say in the dock what is being waited for, for as long as it takes."""
    dock = session.dock
    item = _Waiting(session, names)
    if dock is None:
        yield
        return
    dock.add(item)
    try:
        yield
    finally:
        dock.remove(item)


# %connect --------------------------------------------------------------------------------------

_CONNECT = LineParser(
    "connect",
    "Wait until PVs are connected, and say which are not.",
    (
        ("%connect DEMO:CURRENT DEMO:RF:FREQ", "both, at most 5 s"),
        ("%connect -w 1 DEMO:BPM-{01..12}:X", "twelve, at most a second"),
    ),
)
_of_pvs(_CONNECT)


def _connect(session: Session, options: Namespace) -> Any:
    with plainly(session):
        names = _names(session, options.pvs)
        infos = connect(names, cainfo=True, timeout=options.timeout, throw=False)
    missing = [info for info in infos if not info.ok]
    if missing and len(infos) == 1:
        raise Refused(sanitise(str(missing[0])) + hint(session, names[0]))
    print(f"{len(infos) - len(missing)} of {len(infos)} connected")
    for info in missing:
        print(clip(f"  {sanitise(str(info))}{hint(session, info.name)}", session.width()))
    return infos[0] if _one_or_many(options.pvs, names) else infos


# %cainfo ---------------------------------------------------------------------------------------

_CAINFO = LineParser(
    "cainfo",
    "Show where a PV is served, what it holds and which limits it has.",
    (
        ("%cainfo DEMO:RF:FREQ", "host, access, type, units, limits, states"),
        ("%cainfo -w 1 DEMO:BPM-{01..04}:X", "four PVs, at most a second"),
    ),
)
_of_pvs(_CAINFO)


def _cainfo(session: Session, options: Namespace) -> Any:
    with plainly(session):
        names = _names(session, options.pvs)
        found = about(names, timeout=options.timeout)
    if len(found) == 1 and not found[0].info.ok:
        raise Refused(sanitise(found[0].problem) + hint(session, names[0]))
    for one in found:
        session.metadata[one.name] = one.metadata
        for line in about_lines(one):
            print(clip(line, session.width()))
    infos = [one.info for one in found]
    return infos[0] if _one_or_many(options.pvs, names) else infos


SPECS: Final[Sequence[Spec]] = (
    Spec("caget", _CAGET, _caget),
    Spec("caput", _CAPUT, _caput),
    Spec("connect", _CONNECT, _connect),
    Spec("cainfo", _CAINFO, _cainfo),
)
"""The magics of this file."""
