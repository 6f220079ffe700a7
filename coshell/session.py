# SPDX-License-Identifier: Apache-2.0
"""What one session of the shell holds: the panels, the desk for puts, and what is known of PVs.

This is the one place of global state: `session` exists once, and making it starts nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

from catools import put_hooks
from catools.client.put_hooks import Attempt
from coshell.names import pvs
from coshell.panel.dock import Dock
from coshell.panel.model import Metadata
from coshell.panel.theme import Theme, theme_for
from coshell.past import Past, Source, best
from coshell.put import Desk
from coshell.watch import Watches


def live_names() -> list[str]:
    """Return the names of the channels that were found; this starts no client.

    Thread: any; a stock IPython completes in one of its own.
    """
    from catools.client.default import running

    client = running()
    if client is None:
        return []
    # A mistyped name must not be offered, nor kept for later sessions.
    return [
        name
        for name, one in list(client.channels.items())
        if one.record is not None or one.disconnected_at is not None
    ]


class Session:
    """Panels, puts and memory of one shell.

    Attributes:
        watches: the named panels.
        desk: the door for puts.
        metadata: units, precision and states of every PV read at the prompt.
        name_sources: each is asked for PV names when a glob or a near miss needs them.
        past_sources: each is asked what was recorded of a PV, for curves that begin in the past.
        dock: where panels are shown, or None when the shell has no such place.
        emit: prints whole lines from the background.
        tell: prints messages, which are broken between words.
        styles: what the profile changes in the theme.
        foreground: runs a coroutine that has the whole terminal to its end, or None where there
            is no terminal.
        lending: keeps everyone else from the terminal as long as its block runs.
        stores: files with kept panels, the one that is written to last.
    """

    def __init__(self) -> None:
        self.watches = Watches()
        self.desk = Desk()
        self.metadata: dict[str, Metadata] = {}
        self.name_sources: list[Callable[[], Iterable[str]]] = [self.watches.known, live_names]
        self._loaded: dict[str, tuple[str, ...]] = {}
        self.past_sources: list[Source] = [self.watches.recorded]
        self.dock: Dock | None = None
        self.emit: Callable[[str], object] = print
        self.tell: Callable[[str], object] = print
        self.foreground: Callable[[Coroutine[Any, Any, None]], None] | None = None
        self.lending: Callable[[], AbstractContextManager[object]] = nullcontext
        self.styles: dict[str, str] = {}
        self.stores: list[Path] = []

    def open(
        self,
        dock: Dock | None,
        emit: Callable[[str], object],
        tell: Callable[[str], object] | None = None,
    ) -> None:
        """Begin.

        Args:
            dock: where panels go.
            emit: prints lines as they are.
            tell: prints messages, which may be broken where that suits the screen.
        """
        self.dock = dock
        self.emit = emit
        self.tell = tell or emit
        put_hooks.add(after=self._put_ended)

    def load(self, where: str, names: Iterable[str]) -> None:
        """Know more names, instead of those that came from the same place before."""
        if where not in self._loaded:
            self.name_sources.append(lambda: self._loaded.get(where, ()))
        self._loaded[where] = tuple(names)

    def pvs(self, patterns: str | Iterable[str]) -> list[str]:
        """Return the PVs that ranges, and globs over the known names, stand for.

        Args:
            patterns: one or several; a string may hold several between blanks.
        Raises:
            PatternError: a pattern is too large, or a glob matches no known name.
        """
        return pvs(patterns, self.known())

    def close(self) -> None:
        """End: every panel is closed."""
        self.watches.drop("all")
        put_hooks.remove(after=self._put_ended)
        self.dock = None
        self.emit = self.tell = print
        del self.name_sources[2:]
        self._loaded.clear()
        del self.past_sources[1:]
        self.foreground = None
        self.lending = nullcontext
        self.stores = []
        self.styles = {}

    def known(self) -> list[str]:
        """Return every PV name this session has heard of."""
        return list(dict.fromkeys(name for names in self.known_by_source() for name in names))

    def known_by_source(self) -> Iterator[Collection[str]]:
        """Yield the names of each source; one that repeats itself gives the same object."""
        yield self.metadata
        for source in self.name_sources:
            names = source()
            yield names if isinstance(names, Collection) else list(names)

    def past(self, name: str, since: float) -> Past:
        """Return what was recorded of a number since a monotonic time."""
        return best((source(name, since) for source in self.past_sources), since)

    def used(self) -> list[str]:
        """Return the PVs that were read, watched or connected, once they were found."""
        return list(dict.fromkeys([*live_names(), *self.metadata]))

    def theme(self) -> Theme:
        """Return the theme for the terminal as it is now; without one, text has no colours."""
        environ: Mapping[str, str] = os.environ
        if self.dock is None and not getattr(sys.stdout, "isatty", bool)():
            environ = {"TERM": "dumb"}
        return theme_for(environ, getattr(sys.stdout, "encoding", None), self.styles)

    def width(self) -> int:
        """Return how many cells a line of output may take."""
        return shutil.get_terminal_size((100, 24)).columns

    def _put_ended(self, attempt: Attempt) -> None:
        self.watches.note_put(attempt.name, attempt.value, ok=attempt.error is None)


session: Final = Session()
"""The session."""
