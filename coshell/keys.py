# SPDX-License-Identifier: Apache-2.0
"""Keys for the docked panels, while one types: which panel, scroll, hide, full screen.

    F6              the next panel (marked ▸); hidden ones too
    F7              hide it, or bring it back
    F8              the whole screen; q returns to the line as it was
    Ctrl-Up/Down    scroll by a row
    Alt-PgUp/PgDn   scroll by a page

None of them has a meaning at IPython's prompt, and none does anything while nothing is docked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prompt_toolkit.application import in_terminal
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from coshell.panel.dock import DockedPanel
from coshell.session import Session
from coshell.views import DOCK, full_screen
from coshell.watch import Watch

PAGE: Final = 10


class Focus:
    """Which docked panel the keys speak to.

    Args:
        session: whose panels.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watch: Watch | None = None

    def docked(self) -> list[tuple[Watch, DockedPanel]]:
        """Return the panels that have a place in the dock, hidden ones too."""
        pairs = ((watch, watch.views.get(DOCK)) for watch in self._session.watches)
        return [(watch, view) for watch, view in pairs if isinstance(view, DockedPanel)]

    def current(self) -> tuple[Watch, DockedPanel] | None:
        """Return the panel the keys speak to: the one chosen last, else the first."""
        docked = self.docked()
        for watch, view in docked:
            if watch is self._watch:
                return watch, view
        return docked[0] if docked else None

    def next(self) -> None:
        """Choose the next panel, and mark it unless there is only one."""
        docked = self.docked()
        current = self.current()
        if current is None:
            return
        at = docked.index(current)
        chosen = docked[(at + 1) % len(docked)] if self._watch is current[0] else current
        self._watch = chosen[0]
        for watch, view in docked:
            view.focus(watch is self._watch and len(docked) > 1)

    def scroll(self, rows: int) -> None:
        """Scroll the panel the keys speak to."""
        current = self.current()
        if current is not None:
            current[1].scroll(rows)

    def hide(self) -> None:
        """Hide the panel the keys speak to, or bring it back."""
        current = self.current()
        if current is not None:
            view = current[1]
            view.hidden = not view.hidden
            view.refresh()


def bindings(session: Session) -> KeyBindings:
    """Return the key bindings for the panels of a session."""
    keys = KeyBindings()
    focus = Focus(session)
    docked = Condition(lambda: bool(focus.docked()))

    @keys.add("f6", filter=docked)
    def _(_event: KeyPressEvent) -> None:
        focus.next()

    @keys.add("f7", filter=docked)
    def _(_event: KeyPressEvent) -> None:
        focus.hide()

    @keys.add("f8", filter=docked)
    def _(event: KeyPressEvent) -> None:
        current = focus.current()
        if current is not None:
            event.app.create_background_task(_visit(session, current[0]))

    for names, rows in (
        (("c-up",), -1),
        (("c-down",), 1),
        (("escape", "pageup"), -PAGE),
        (("escape", "pagedown"), PAGE),
    ):
        keys.add(*names, filter=docked)(_scrolling(focus, rows))
    return keys


def _scrolling(focus: Focus, rows: int) -> Callable[[KeyPressEvent], None]:
    def scroll(_event: KeyPressEvent) -> None:
        focus.scroll(rows)

    return scroll


async def _visit(session: Session, watch: Watch) -> None:
    """Show a panel on the whole screen, and then the prompt as it was."""
    async with in_terminal():
        with session.lending():
            await full_screen(session, watch).run()
