# SPDX-License-Identifier: Apache-2.0
"""`%camonitor`: put PVs into live panels, list the panels, and take PVs out again."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from coshell.magics.access import plainly
from coshell.magics.parsing import LineParser, Refused, Spec, duration, positive
from coshell.magics.windows import show_table
from coshell.panel.columns import COLUMNS
from coshell.panel.look import Look
from coshell.panel.marks import MarkError, parse_mark
from coshell.panel.select import ONLY, SORTS
from coshell.session import Session
from coshell.views import (
    NoTerminal,
    browse,
    relook,
    show_docked,
    show_logged,
)
from coshell.watch import NoSuchPanel, Watch
from cothread import Sleep, Timer
from cothread.clock import monotonic

DEFAULT_PANEL: Final = "watch"
SNAPSHOT_S: Final = 1.0


def _columns(text: str) -> tuple[str, ...]:
    keys = tuple(key for key in text.replace(",", " ").split() if key)
    unknown = [key for key in keys if key not in COLUMNS]
    if unknown or not keys:
        raise ArgumentTypeError(f"there is no column {text!r}; there are {', '.join(COLUMNS)}")
    return keys


def _mark(text: str) -> Any:
    try:
        return parse_mark(text)
    except MarkError as exc:
        raise ArgumentTypeError(str(exc)) from exc


_CAMONITOR = LineParser(
    "camonitor",
    "Keep PVs on the screen, live, in a panel under the prompt. Alone it lists the panels.",
    (
        ("%camonitor DEMO:CURRENT DEMO:RF:FREQ", "two PVs in the panel 'watch'"),
        ("%camonitor ring: DEMO:BPM-{01..12}:X", "twelve in a panel of their own"),
        ("%camonitor ring: 'mean(DEMO:BPM-{01..12}:X)'", "add an expression to it"),
        ("%camonitor ring: --sort alarm --rate 2", "worst first, two pictures a second"),
        ("%camonitor --mark 'DEMO:CURRENT < 290' DEMO:CURRENT", "stand out below 290"),
        ("%camonitor --log --for 10s DEMO:CURRENT", "a line for every change, for 10 s"),
        ("%camonitor --screen ring:", "the whole screen: scroll, filter, inspect, put"),
        ("%camonitor", "which panels there are"),
        ("%camonitor -d DEMO:CURRENT", "take one PV out"),
        ("%camonitor -d ring", "close a panel; 'all' closes every one"),
    ),
)
_CAMONITOR.add_argument(
    "pvs", nargs="*", metavar="[NAME:] PV", help="a panel's name; PVs, ranges, globs, expressions"
)
_CAMONITOR.add_argument(
    "-d", dest="drop", action="store_true", help="drop these panels or PVs; 'all' for everything"
)
_PLACE = _CAMONITOR.add_mutually_exclusive_group()
_PLACE.add_argument("--dock", action="store_true", help="under the prompt (the default)")
_PLACE.add_argument("--log", action="store_true", help="a line above the prompt for every change")
_PLACE.add_argument("--screen", action="store_true", help="full screen, until q is typed")
_PLACE.add_argument("--qt", action="store_true", help="in a window: sort, filter, plot, put")
_CAMONITOR.add_argument(
    "--for", dest="seconds", type=duration, metavar="TIME", help="close it by itself after 10s, 5m"
)
_CAMONITOR.add_argument(
    "--rate", type=positive, metavar="HZ", help="pictures, or log lines of one PV, per second"
)
_CAMONITOR.add_argument("--sort", choices=tuple(SORTS), help="order of the rows")
_CAMONITOR.add_argument("--only", choices=("all", *ONLY), help="which rows are shown")
_CAMONITOR.add_argument(
    "--columns", type=_columns, metavar="A,B", help=f"any of {', '.join(COLUMNS)}"
)
_CAMONITOR.add_argument("--group", default="", help="put these PVs under a heading")
_CAMONITOR.add_argument(
    "--mark",
    dest="marks",
    type=_mark,
    action="append",
    default=[],
    metavar="'PV < 5'",
    help="make rows stand out; '> 5' for every row",
)


def _camonitor(session: Session, options: Namespace) -> Any:
    if options.drop:
        return _drop(session, options.pvs)
    if not options.pvs and not options.screen:
        return list_panels(session)
    name, patterns = split_name(options.pvs)
    if not patterns and name not in session.watches:
        raise Refused(f"%camonitor: there is no panel {name}; PVs come after its name")
    fresh = name not in session.watches
    with plainly(session):
        watch = session.watches.open(patterns, name, options.group)
        try:
            watch.mark(options.marks)
        except LookupError as exc:
            raise Refused(f"%camonitor --mark: {exc.args[0]}") from exc
    relook(session, watch, look_with(watch.look, options))
    if options.seconds is not None:
        timer = Timer(options.seconds, watch.close)
        watch.on_close(lambda _: timer.cancel())
    _show(session, watch, options)
    if options.screen and fresh and not watch.views:
        watch.close()
        return None
    return watch


def _show(session: Session, watch: Watch, options: Namespace) -> None:
    if options.screen:
        try:
            browse(session, watch)
        except NoTerminal as exc:
            raise Refused(f"%camonitor --screen: {exc}") from exc
    elif options.qt:
        show_table(session, watch)
    elif options.log:
        show_logged(session, watch)
    elif session.dock is None:
        _snapshot(session, watch)
    else:
        show_docked(session, watch)


def look_with(look: Look, options: Namespace) -> Look:
    """Return a look with what the line changes of it."""
    choice = look.choice
    if options.sort is not None:
        choice = replace(choice, sort=options.sort)
    if options.only is not None:
        choice = replace(choice, only="" if options.only == "all" else options.only)
    if options.group:
        choice = replace(choice, grouped=True)
    return Look(options.columns or look.columns, choice, options.rate or look.rate)


def split_name(patterns: Sequence[str], default: str = DEFAULT_PANEL) -> tuple[str, Sequence[str]]:
    """Return the panel's name, which ends with a colon, and the PVs after it.

    Raises:
        Refused: the name is empty.
    """
    if not patterns:
        return default, patterns
    first, rest = patterns[0], patterns[1:]
    if not first.endswith(":"):
        return default, patterns
    if first == ":":
        raise Refused("a panel needs a name before the colon, such as ring:")
    return first[:-1], rest


def _snapshot(session: Session, watch: Watch) -> None:
    """Print a panel once, where there is no dock to keep it live."""
    deadline = monotonic() + SNAPSHOT_S
    while watch.panel.count().lost and monotonic() < deadline:
        Sleep(0.02)
    print_table(session, watch)
    print("(here a panel cannot stay on screen; %camonitor shows the values of that moment)")


def print_table(session: Session, watch: Watch) -> None:
    """Print every row of a panel as it is now."""
    table = watch.look.table(watch.panel, session.theme())
    print("\n".join(table.lines(session.width(), 2 * len(watch.panel) + 2, monotonic())))


def list_panels(session: Session) -> list[Watch]:
    """Say which panels are open and how they are doing; return them."""
    watches = list(session.watches)
    if not watches:
        print("nothing is watched; try %camonitor PV")
    for watch in watches:
        if session.dock is None:
            print_table(session, watch)
            continue
        count = watch.panel.count()
        facts = [f"{count.rows} PV{'s' * (count.rows != 1)}"]
        facts += [f"{count.disconnected} disconnected"] if count.disconnected else []
        facts += [f"{count.searching} searching"] if count.searching else []
        facts += [f"{count.alarms} in alarm"] if count.alarms else []
        print(f"{watch.name}: {', '.join(facts)}: {few(watch.names)}")
    return watches


def few(names: Sequence[str], count: int = 4) -> str:
    """Return the first few names."""
    return ", ".join(names[:count]) + (" …" if len(names) > count else "")


def _drop(session: Session, what: Sequence[str]) -> list[str]:
    if not what:
        raise Refused("%camonitor -d: name a panel, PVs, or 'all'")
    dropped = []
    try:
        with plainly(session):
            for word in what:
                panel = word[:-1] if word.endswith(":") else word
                dropped += session.watches.drop(panel)
    except NoSuchPanel as exc:
        raise Refused(f"%camonitor -d: {exc}") from exc
    print(f"no longer watched: {few(dropped)}" if dropped else "nothing was watched")
    return dropped


SPECS: Final[Sequence[Spec]] = (Spec("camonitor", _CAMONITOR, _camonitor),)
"""The magics of this file."""
