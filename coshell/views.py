# SPDX-License-Identifier: Apache-2.0
"""Where panels are shown: docked under the prompt, or as a log above it."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Final

from coshell.fullscreen import FullScreen
from coshell.get import about
from coshell.panel.browser import Browser
from coshell.panel.dock import DockedPanel
from coshell.panel.log import Log
from coshell.panel.look import Look
from coshell.panel.model import Kind, Row
from coshell.panel.plot import Plot
from coshell.panel.trend import CAPACITY
from coshell.panel_store import Plan, Store, StoreError, load
from coshell.reading import about_lines
from coshell.session import Session
from coshell.watch import Watch
from cothread import Timer
from cothread.clock import monotonic

DOCK: Final = "dock"
LOG: Final = "log"
INSPECT_S: Final = 3.0
SHOWN_ANYWAY: Final = frozenset({"value", "precision", "states"})
"""What the full screen knows of a row without asking the IOC."""


class NoTerminal(RuntimeError):
    """Say that there is no terminal to show something on."""


def show_docked(session: Session, watch: Watch) -> None:
    """Dock a panel; one that is docked already stays, and takes on its present look."""
    view = watch.views.get(DOCK)
    table = watch.look.table(watch.panel, session.theme())
    if isinstance(view, DockedPanel):
        view.retable(table, watch.look.rate)
    elif session.dock is not None:
        view = DockedPanel(table, watch.look.rate)
        view.show(session.dock)
        watch.views[DOCK] = view


def show_plotted(session: Session, watch: Watch, span_s: float) -> None:
    """Dock a panel as curves over so many seconds; one that is docked becomes that."""
    for row in watch.panel:
        row.trend.period_s = span_s / CAPACITY
        row.trend.whole = False
    _dock_plot(session, watch, Plot(watch.panel, session.theme(), span_s))


def show_plotted_since(session: Session, watch: Watch, since: float, began: str) -> None:
    """Dock a panel as curves that begin at a monotonic time, and with that time in words."""
    plot = Plot(watch.panel, session.theme(), monotonic() - since, since, began)
    _dock_plot(session, watch, plot)


def _dock_plot(session: Session, watch: Watch, plot: Plot) -> None:
    view = watch.views.get(DOCK)
    if isinstance(view, DockedPanel):
        view.retable(plot)
    elif session.dock is not None:
        view = DockedPanel(plot)
        view.show(session.dock)
        watch.views[DOCK] = view


def browse(session: Session, watch: Watch) -> None:
    """Show a panel on the whole screen until the operator leaves.

    Raises:
        NoTerminal: there is no screen to show it on.

    Suspends: yes.
    """
    if session.foreground is None:
        raise NoTerminal("the full screen needs a terminal; %camonitor PV prints values here")
    session.foreground(full_screen(session, watch).run())


def full_screen(session: Session, watch: Watch) -> FullScreen:
    """Return the full screen of a panel, ready to be run."""
    browser = Browser(watch.panel, watch.look, session.theme())

    def put(name: str, text: str) -> str:
        return str(session.desk.put(name, text))

    def inspect(name: str) -> list[str]:
        lines = about_lines(about([name], timeout=INSPECT_S)[0])[1:]
        return [line for line in lines if line.split()[0] not in SHOWN_ANYWAY]

    return FullScreen(browser, watch.panel.listen, watch.panel.look, put, inspect)


def set_hidden(watch: Watch, hidden: bool) -> None:
    """Take a docked panel off the screen, or bring it back."""
    view = watch.views.get(DOCK)
    if isinstance(view, DockedPanel):
        view.hidden = hidden
        view.refresh()


def show_logged(session: Session, watch: Watch) -> None:
    """Print every change of a panel above the prompt; a log that runs is begun anew."""
    previous = watch.views.pop(LOG, None)
    if previous is not None:
        previous.close()
    log = Log(session.theme(), watch.look.rate)
    watch.views[LOG] = LogView(watch, log, session.emit)


class LogView:
    """Prints the changes of a panel for as long as it is open.

    Args:
        watch: whose changes.
        log: makes lines of them.
        emit: prints whole lines.
    """

    def __init__(self, watch: Watch, log: Log, emit: Callable[[str], object]) -> None:
        self._log = log
        self._emit = emit
        self._timer: Timer | None = None
        self._end = watch.panel.observe(self._changed)

    def _changed(self, row: Row, kind: Kind, now: float) -> None:
        self._say(self._log.take(row, kind, now, time()))
        due = self._log.due()
        if due is not None and self._timer is None:
            self._timer = Timer(max(due - now, 0.0), self._due)

    def _due(self) -> None:
        self._timer = None
        now = monotonic()
        self._say(self._log.flush(now, time()))
        due = self._log.due()
        if due is not None:
            self._timer = Timer(max(due - now, 0.001), self._due)

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self._emit(line)

    def close(self) -> None:
        """Print no more."""
        self._end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def plan_of(watch: Watch) -> Plan:
    """Return a panel as it is kept in a file."""
    groups: dict[str, list[str]] = {}
    for row in watch.panel:
        groups.setdefault(row.group, []).append(row.name)
    marks = [(row.name, mark) for row in watch.panel for mark in row.marks]
    return Plan(groups, marks, watch.look, watch.opens)


def open_plan(session: Session, name: str, plan: Plan) -> Watch:
    """Open a kept panel.

    Raises:
        PatternError, ExpressionError: a name in it cannot be understood.
        LookupError: a threshold names a PV that is not in it.
    """
    watch = session.watches.open([], name)
    try:
        for group, words in plan.groups.items():
            watch.add(words, session.watches.known(), group)
        watch.mark(plan.marks)
    except (ValueError, LookupError):
        if not len(watch.panel):
            watch.close()
        raise
    watch.look = plan.look
    watch.opens = plan.opens
    return watch


def kept(session: Session) -> Store:
    """Return what the session's files keep, the later files above the earlier.

    Raises:
        StoreError: a file cannot be understood.
    """
    panels: dict[str, Plan] = {}
    theme: dict[str, str] = {}
    for path in session.stores:
        store = load(path)
        panels.update(store.panels)
        theme.update(store.theme)
    return Store(panels, theme)


def open_kept(session: Session) -> list[Watch]:
    """Take on the kept theme, and open the panels that open with the shell.

    One that cannot be opened is told of and left out.
    """
    try:
        store = kept(session)
    except StoreError as exc:
        session.tell(f"panels were not loaded: {exc}")
        return []
    session.styles = dict(store.theme)
    opened = []
    for name, plan in store.panels.items():
        if not plan.opens:
            continue
        try:
            watch = open_plan(session, name, plan)
        except (ValueError, LookupError) as exc:
            session.tell(f"panel {name} was not opened: {exc}")
            continue
        show_docked(session, watch)
        opened.append(watch)
    return opened


def relook(session: Session, watch: Watch, look: Look) -> None:
    """Show a panel in another way, wherever it is shown."""
    watch.look = look
    if DOCK in watch.views:
        show_docked(session, watch)
    if LOG in watch.views:
        show_logged(session, watch)
