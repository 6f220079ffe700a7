# SPDX-License-Identifier: Apache-2.0
"""Where panels are shown: docked under the prompt, or as a log above it."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Final

from coshell.panel.dock import DockedPanel
from coshell.panel.log import Log
from coshell.panel.look import Look
from coshell.panel.model import Kind, Row
from coshell.panel_store import Plan
from coshell.session import Session
from coshell.watch import Watch
from cothread import Timer
from cothread.clock import monotonic

DOCK: Final = "dock"
LOG: Final = "log"


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
    for group, words in plan.groups.items():
        watch = session.watches.open(words, name, group)
    watch.mark(plan.marks)
    watch.look = plan.look
    watch.opens = plan.opens
    return watch


def relook(session: Session, watch: Watch, look: Look) -> None:
    """Show a panel in another way, wherever it is shown."""
    watch.look = look
    if DOCK in watch.views:
        show_docked(session, watch)
    if LOG in watch.views:
        show_logged(session, watch)
