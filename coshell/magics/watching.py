# SPDX-License-Identifier: Apache-2.0
"""`%camonitor`: put PVs into live panels, list the panels, and take PVs out again."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

from coshell.magics.access import plainly
from coshell.magics.parsing import LineParser, Refused, Spec
from coshell.panel.dock import DockedPanel
from coshell.panel.render import Table
from coshell.session import Session
from coshell.watch import NoSuchPanel, Watch
from cothread import Sleep
from cothread.clock import monotonic

DEFAULT_PANEL: Final = "watch"
SNAPSHOT_S: Final = 1.0

_CAMONITOR = LineParser(
    "camonitor",
    "Keep PVs on the screen, live, in a panel under the prompt. Alone it lists the panels.",
    (
        ("%camonitor DEMO:CURRENT DEMO:RF:FREQ", "two PVs in the panel 'watch'"),
        ("%camonitor ring: DEMO:BPM-{01..12}:X", "twelve in a panel of their own"),
        ("%camonitor", "which panels there are"),
        ("%camonitor -d DEMO:CURRENT", "take one PV out"),
        ("%camonitor -d ring", "close a panel; 'all' closes every one"),
    ),
)
_CAMONITOR.add_argument(
    "pvs", nargs="*", metavar="[NAME:] PV", help="a panel's name and PVs, ranges, globs"
)
_CAMONITOR.add_argument(
    "-d", dest="drop", action="store_true", help="drop these panels or PVs; 'all' for everything"
)


def _camonitor(session: Session, options: Namespace) -> Any:
    if options.drop:
        return _drop(session, options.pvs)
    if not options.pvs:
        return _list(session)
    name, patterns = split_name(options.pvs)
    with plainly(session):
        watch = session.watches.open(patterns, name)
    if session.dock is None:
        _snapshot(session, watch)
    else:
        show_docked(session, watch)
    return watch


def split_name(patterns: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the panel's name, which ends with a colon, and the PVs after it.

    Raises:
        Refused: a name without PVs.
    """
    first, rest = patterns[0], patterns[1:]
    if not first.endswith(":"):
        return DEFAULT_PANEL, patterns
    if not rest or first == ":":
        raise Refused(f"%camonitor: {first} names a panel; PVs come after it")
    return first[:-1], rest


def show_docked(session: Session, watch: Watch) -> None:
    """Dock a panel unless it is docked already."""
    dock = session.dock
    if dock is None or any(isinstance(view, DockedPanel) for view in watch.views):
        return
    view = DockedPanel(Table(watch.panel, session.theme()))
    view.show(dock)
    watch.views.append(view)


def _snapshot(session: Session, watch: Watch) -> None:
    """Print a panel once, where there is no dock to keep it live."""
    deadline = monotonic() + SNAPSHOT_S
    while watch.panel.count().lost and monotonic() < deadline:
        Sleep(0.02)
    print_table(session, watch)
    print("(here a panel cannot stay on screen; %camonitor shows the values of that moment)")


def print_table(session: Session, watch: Watch) -> None:
    """Print every row of a panel as it is now."""
    table = Table(watch.panel, session.theme())
    print("\n".join(table.lines(session.width(), len(watch.panel) + 2, monotonic())))


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


SPECS: Final[Sequence[Spec]] = (Spec("camonitor", _CAMONITOR, _camonitor),)
"""The magics of this file."""
