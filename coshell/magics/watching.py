# SPDX-License-Identifier: Apache-2.0
"""`%camonitor`: put PVs into live panels, list the panels, and take PVs out again."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from coshell.magics.access import plainly
from coshell.magics.parsing import LineParser, Refused, Spec, duration, positive
from coshell.panel.columns import COLUMNS
from coshell.panel.look import Look
from coshell.panel.marks import MarkError, parse_mark
from coshell.panel.select import ONLY, SORTS
from coshell.panel_store import StoreError, save
from coshell.session import Session
from coshell.views import (
    NoTerminal,
    browse,
    kept,
    open_plan,
    plan_of,
    relook,
    set_hidden,
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
        return _list(session)
    name, patterns = split_name(options.pvs)
    if not patterns and name not in session.watches:
        raise Refused(f"%camonitor: there is no panel {name}; PVs come after its name")
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
    return watch


def _show(session: Session, watch: Watch, options: Namespace) -> None:
    if options.screen:
        try:
            browse(session, watch)
        except NoTerminal as exc:
            raise Refused(f"%camonitor --screen: {exc}") from exc
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


def split_name(patterns: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the panel's name, which ends with a colon, and the PVs after it.

    Raises:
        Refused: the name is empty.
    """
    if not patterns:
        return DEFAULT_PANEL, patterns
    first, rest = patterns[0], patterns[1:]
    if not first.endswith(":"):
        return DEFAULT_PANEL, patterns
    if first == ":":
        raise Refused("%camonitor: a panel needs a name before the colon, such as ring:")
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


def _list(session: Session) -> list[Watch]:
    watches = list(session.watches)
    if not watches:
        print("nothing is watched; try %camonitor PV")
    for watch in watches:
        if session.dock is None:
            print_table(session, watch)
            continue
        count = watch.panel.count()
        facts = [f"{count.rows} PV{'s' * (count.rows != 1)}"]
        facts += [f"{count.lost} disconnected"] if count.lost else []
        facts += [f"{count.alarms} in alarm"] if count.alarms else []
        print(f"{watch.name}: {', '.join(facts)}: {_few(watch.names)}")
    return watches


def _few(names: Sequence[str], count: int = 4) -> str:
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
    print(f"no longer watched: {_few(dropped)}" if dropped else "nothing was watched")
    return dropped


# %panels ---------------------------------------------------------------------------------------

_PANELS = LineParser(
    "panels",
    "List the panels that are open and those that are kept; keep, open, hide and show them.",
    (
        ("%panels", "what is open and what is kept"),
        ("%panels --save ring", "keep the panel 'ring' in the profile"),
        ("%panels --save --open ring", "and open it whenever the shell starts"),
        ("%panels --load ring", "open a kept panel"),
        ("%panels --hide ring", "keep it live but off the screen; --show brings it back"),
    ),
)
_WHAT = _PANELS.add_mutually_exclusive_group()
for _flag, _help in (
    ("--save", "keep these panels, all without a name"),
    ("--load", "open these kept panels"),
    ("--hide", "take these panels off the screen"),
    ("--show", "bring these panels back"),
):
    _WHAT.add_argument(_flag, dest="what", action="store_const", const=_flag[2:], help=_help)
_PANELS.add_argument(
    "--open", dest="opens", action="store_true", help="with --save: open it at start"
)
_PANELS.add_argument("names", nargs="*", metavar="NAME", help="panels")


def _panels(session: Session, options: Namespace) -> Any:
    names = [name.removesuffix(":") for name in options.names]
    try:
        if options.what == "save":
            return _save(session, names, options.opens)
        if options.what == "load":
            return _load(session, names)
        if options.what in ("hide", "show"):
            return _hide(session, names, hidden=options.what == "hide")
        if names:
            raise Refused(f"%panels: what about {names[0]}? try %panels --load {names[0]}")
        watches = _list(session)
        for name, plan in kept(session).panels.items():
            if name not in session.watches:
                print(f"{name}: kept: {_few([pv for pvs in plan.groups.values() for pv in pvs])}")
    except StoreError as exc:
        raise Refused(f"%panels: {exc}") from exc
    return watches


def _open_ones(session: Session, names: Sequence[str]) -> list[Watch]:
    missing = [name for name in names if name not in session.watches]
    if missing:
        there = ", ".join(watch.name for watch in session.watches) or "none"
        raise Refused(f"%panels: no panel {missing[0]} is open; open are: {there}")
    return [session.watches[name] for name in names]


def _save(session: Session, names: Sequence[str], opens: bool) -> list[str]:
    watches = _open_ones(session, names) if names else list(session.watches)
    if not watches:
        raise Refused("%panels --save: no panel is open; try %camonitor ring: PV first")
    if not session.stores:
        raise Refused("%panels --save: this shell has no profile to keep panels in")
    for watch in watches:
        watch.opens = watch.opens or opens
    save(session.stores[-1], {watch.name: plan_of(watch) for watch in watches})
    print(f"kept in {session.stores[-1]}: {_few([watch.name for watch in watches])}")
    return [watch.name for watch in watches]


def _load(session: Session, names: Sequence[str]) -> list[Watch]:
    plans = kept(session).panels
    missing = [name for name in names if name not in plans]
    if missing or not names:
        asked = f"no panel {missing[0]} is kept" if missing else "which panel?"
        raise Refused(f"%panels --load: {asked}; kept are: {', '.join(plans) or 'none'}")
    opened = []
    for name in names:
        with plainly(session):
            try:
                opened.append(open_plan(session, name, plans[name]))
            except LookupError as exc:
                raise Refused(f"%panels --load {name}: {exc.args[0]}") from exc
        show_docked(session, opened[-1])
    return opened


def _hide(session: Session, names: Sequence[str], hidden: bool) -> list[Watch]:
    watches = _open_ones(session, names) if names else list(session.watches)
    for watch in watches:
        set_hidden(watch, hidden)
    return watches


SPECS: Final[Sequence[Spec]] = (
    Spec("camonitor", _CAMONITOR, _camonitor),
    Spec("panels", _PANELS, _panels),
)
"""The magics of this file."""
