# SPDX-License-Identifier: Apache-2.0
"""What one session of the shell holds: the panels, the desk for puts, and what is known of PVs.

This is the one place of global state: `session` exists once, and making it starts nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Final

from coshell.panel.dock import Dock
from coshell.panel.model import Metadata, PutNote
from coshell.panel.theme import Theme, theme_for
from coshell.put import Desk, PutResult
from coshell.watch import Watches


class Session:
    """Panels, puts and memory of one shell.

    Attributes:
        watches: the named panels.
        desk: the door for puts.
        metadata: units, precision and states of every PV read at the prompt.
        name_sources: each is asked for PV names when a glob or a near miss needs them.
        dock: where panels are shown, or None when the shell has no such place.
        styles: what the profile changes in the theme.
    """

    def __init__(self) -> None:
        self.watches = Watches()
        self.desk = Desk()
        self.metadata: dict[str, Metadata] = {}
        self.name_sources: list[Callable[[], Iterable[str]]] = [self.watches.known]
        self.dock: Dock | None = None
        self.styles: dict[str, str] = {}
        self.desk.observers.append(self._note_put)

    def known(self) -> list[str]:
        """Return every PV name this session has heard of."""
        names = dict.fromkeys(self.metadata)
        for source in self.name_sources:
            names.update(dict.fromkeys(source()))
        return list(names)

    def theme(self) -> Theme:
        """Return the theme for the terminal as it is now."""
        return theme_for(os.environ, getattr(sys.stdout, "encoding", None), self.styles)

    def width(self) -> int:
        """Return how many cells a line of output may take."""
        return shutil.get_terminal_size((100, 24)).columns

    def _note_put(self, result: PutResult) -> None:
        self.metadata[result.name] = result.metadata
        shown = result.asked if result.new is None else result.new
        note = PutNote(result.at, result.old, shown, result.ok)
        self.watches.note_put(result.name, note)


session: Final = Session()
"""The session."""
