# SPDX-License-Identifier: Apache-2.0
"""The screen: who may write where, and when the dock is painted.

Theory.  The screen is in one of three hands:

 * *prompt*: prompt_toolkit draws input line and dock.  Whole lines from the background are put
   above: its drawing is erased, the lines written, and everything drawn again, in one write.
 * *cell*: foreground code writes straight to the terminal, where the cursor always stands at its
   own output.  The dock is painted on the last rows of the screen, after making sure that so many
   rows are free below the cursor, and the cursor is put back.
 * *lent*: another program has the terminal; lines wait.

Invariants:
  1. Only whole lines come from the background; a line half written by the foreground is written
     again below them.
  2. What waits is bounded: the oldest lines are dropped and counted.
  3. The service sleeps until somebody has something for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from cothread import Event, Sleep, Spawn, Timedout
from cothread.clock import monotonic
from cothread.scheduler import scheduler

from .colours import tint
from .dock import Dock, cells, clip, dock_rows
from .terminal import Terminal

__all__ = ["Console", "Screen"]

PAINT_INTERVAL_S: Final = 0.1
RESTORE_INTERVAL_S: Final = 0.03
"""How soon the dock comes back after output went over its place."""
FLUSH_INTERVAL_S: Final = 0.04
RETRY_S: Final = 0.05
"""How often a terminal that does not read is tried again."""
PENDING_LINES: Final = 20_000
BATCH_LINES: Final = 400
PARTIAL_CHARACTERS: Final = 4096
INDEX: Final = "\x1bD"


class Screen(Protocol):
    """What the console needs of whoever draws the prompt."""

    def ready(self) -> bool:
        """Return True when it has drawn, and lines can be put above."""

    def above(self, text: str) -> None:
        """Put whole lines above the prompt."""

    def repaint(self) -> None:
        """Draw again, soon."""

    def at_bottom(self) -> bool:
        """Return True when what was drawn is known to end on the last row of the screen."""


class Console:
    """Shares one terminal between the prompt, the foreground, the background and the dock."""

    def __init__(
        self,
        terminal: Terminal,
        dock: Dock,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.terminal = terminal
        self.dock = dock
        self.clock = clock
        self.screen: Screen | None = None
        self.lent = False
        self.dropped = 0
        self.drain: Callable[[], bool] = bool
        """Hands in what was written past Python; True when there was anything."""
        self._pending: deque[str] = deque()
        self._partial = ""
        self._painted_from = 0
        self._needs_paint = False
        self._cell_since: float | None = None
        self._last_paint = 0.0
        self._last_flush = 0.0
        self._wake = Event[None]()
        self._kicked = False
        self._service: Spawn[Any] | None = None
        self._thread = threading.get_ident()
        self._size = (0, 0)
        dock.on_invalidate = self.kick

    # -- who writes

    def write(self, text: str) -> None:
        """Write foreground output, where the cursor stands.

        Thread: the scheduler's.
        """
        if self.screen is not None or self.lent:
            self.lines(text if text.endswith("\n") else text + "\n")
            return
        self._note_partial(text)
        if self._painted_from:
            text = self._erasure() + text
            now = self.clock()
            if not self._partial and now - self._last_paint >= RESTORE_INTERVAL_S:
                text += self._picture(now)
            else:
                self._needs_paint = True
                self.kick()
        elif self._cell_since is not None and not self._needs_paint:
            self._needs_paint = True
            self.kick()
        self.terminal.write(text)

    def lines(self, text: str) -> None:
        """Write whole lines from the background; they wait until the screen can take them.

        Thread: any.
        """
        if not self.terminal.interactive:
            self.terminal.print(text)
            return
        if len(self._pending) >= PENDING_LINES:
            self._pending.popleft()
            self.dropped += 1
        self._pending.append(text)
        if not self._kicked:
            self.kick()

    def catch_up(self) -> None:
        """Show what was written past Python, before the foreground writes more."""
        if self.drain():
            self.flush()

    def kick(self) -> None:
        """Wake the service: there is something to show.

        Thread: any.
        """
        if self._kicked:
            return
        self._kicked = True
        if threading.get_ident() != self._thread:
            scheduler.call_soon_threadsafe(self._wake.Signal)
        else:
            if self._service is None and self.terminal.interactive:
                self._service = Spawn(self._serve)
                self._service.name = "console"
            self._wake.Signal()

    # -- whose screen it is

    @contextmanager
    def prompting(self, screen: Screen) -> Iterator[None]:
        """Leave the screen to the prompt; a cell that asks for input goes on afterwards."""
        in_cell = self._cell_since is not None
        self.leave_cell()
        if self._partial:
            self.terminal.write("\n")
            self._partial = ""
        # The prompt leaves the terminal as it found it: what is typed before the cell begins, which
        # takes its turn, must not be echoed.
        self.terminal.watch()
        self.screen = screen
        if self._pending:
            self.kick()
        try:
            yield
        finally:
            self.screen = None
            if in_cell:
                self.enter_cell()

    def take_partial(self) -> str:
        """Take the line that the foreground has begun off the screen, and return it."""
        partial, self._partial = self._partial, ""
        if partial:
            self.terminal.write(f"{self._erasure()}{self._up_from(partial)}\r\x1b[J")
        return partial

    @property
    def in_cell(self) -> bool:
        """Whether a cell has the screen."""
        return self._cell_since is not None and self.screen is None

    def enter_cell(self) -> None:
        """Begin the running of a cell: keys are kept for the next prompt, the dock stays live."""
        self.terminal.watch()
        self._cell_since = self.clock()
        # At once, and as it was: a cell that never waits would leave its place empty.
        self.terminal.write(self._picture(self._cell_since))
        # What a cell starts and ends need not have told the dock.
        self.dock.invalidate()
        self.kick()

    def leave_cell(self) -> None:
        """End the running of a cell."""
        self.catch_up()
        self._cell_since = None
        self._needs_paint = False
        self.clear_dock()
        self.flush()

    @contextmanager
    def lending(self) -> Iterator[None]:
        """Lend the terminal, as it was found, to a program that talks to it directly.

        Suspends: until the terminal has taken what was written before.
        """
        self.clear_dock()
        self.flush()
        while self.terminal.resume():
            Sleep(RETRY_S)
        lent, self.lent = self.lent, True
        self.terminal.cook()
        try:
            yield
        finally:
            self.lent = lent
            self._partial = ""
            if self._cell_since is not None and not lent:
                self.terminal.watch()
                self._needs_paint = True
                self.kick()

    def alert(self, text: str) -> None:
        """Write over the last row, where the dock is, and let its items say that they stand still.

        Thread: any; meant for the watchdog, while nobody else can draw.
        """
        if self.terminal.stalled:
            return
        if self.terminal.paints and (self.screen is not None or self._painted_from):
            columns, rows = self.terminal.size()
            line = clip(text, columns)
            said = f"\x1b[{rows};1H{tint(line, '7;31')}\x1b[K"
            if not self.lent and (self.screen is None or self.screen.at_bottom()):
                for row, title in self.dock.paused(self.clock()):
                    if row < -1:
                        said += f"\x1b[{rows + 1 + row};1H{title}\x1b[m\x1b[K"
            self.terminal.write(f"\x1b7{said}\x1b8")

    def restore(self) -> None:
        """Draw everything again, also what nobody changed."""
        self._size = (0, 0)
        self._needs_paint = self._cell_since is not None
        if self.screen is not None and self.screen.ready():
            self.screen.above("")
        self.dock.invalidate()
        self.kick()

    def close(self) -> None:
        """Show what still waits and give the terminal back."""
        self.leave_cell()
        self.terminal.cook()
        if self._service is not None:
            self._service.Cancel()
            self._service = None

    def resized(self) -> None:
        """Take note that the terminal has another size.

        Thread: any; also from signal handlers.
        """
        self.kick()

    # -- the service

    def _serve(self) -> None:
        while True:
            self._kicked = False
            now = self.clock()
            due = self._turn(now)
            with suppress(Timedout):
                self._wake.Wait(None if due is None else max(due - now, 0.001))

    def _turn(self, now: float) -> float | None:
        """Do what is due; return when the next thing is, or None."""
        if self.terminal.stalled and self.terminal.resume():
            # Nobody looks.
            return now + RETRY_S
        dues = [self._flush_turn(now), self._paint_turn(now)]
        known = [due for due in dues if due is not None]
        return min(known) if known else None

    def _flush_turn(self, now: float) -> float | None:
        if not self._pending or self.lent:
            return None
        if self.screen is not None and not self.screen.ready():
            return now + 0.01
        due = self._last_flush + FLUSH_INTERVAL_S
        if now < due:
            return due
        self.flush(BATCH_LINES)
        return self._last_flush + FLUSH_INTERVAL_S if self._pending else None

    def flush(self, limit: int = PENDING_LINES) -> None:
        """Show at most `limit` of the lines that wait, if somebody can take them now."""
        if not self._pending or self.lent or (self.screen is not None and not self.screen.ready()):
            return
        pending = self._pending
        batch = [pending.popleft() for _ in range(min(limit, len(pending)))]
        if self.dropped:
            batch.insert(0, tint(f"… {self.dropped} lines came too fast to show", "2") + "\n")
            self.dropped = 0
        text = "".join(batch)
        if self.screen is not None:
            self.screen.above(text)
        else:
            self._insert(text)
        self._last_flush = self.clock()

    def _insert(self, text: str) -> None:
        """Put whole lines above the line that the foreground is writing."""
        if not self.terminal.paints:
            begin = "\n" if self._partial else ""
            self.terminal.write(f"{begin}{text}{self._partial}")
            return
        erasure = self._erasure()
        if self._partial:
            erasure += f"{self._up_from(self._partial)}\r\x1b[J"
        picture = ""
        if self._cell_since is not None:
            if self._partial:
                self._needs_paint = True
            elif erasure:
                picture = self._picture(self.clock())
        self.terminal.write(erasure + text + self._partial + picture)

    def _up_from(self, partial: str) -> str:
        """Return what moves from the end of a line to the row of its beginning."""
        above = max(cells(partial) - 1, 0) // self.terminal.size()[0]
        return f"\x1b[{above}A" if above else ""

    # -- the dock while a cell runs

    def _paint_turn(self, now: float) -> float | None:
        if self.lent or self.dock.empty:
            return None
        stale = self.dock.due()
        if self.screen is not None:
            if self.dock.dirty or (stale is not None and now >= stale):
                if now < self._last_paint + PAINT_INTERVAL_S:
                    return self._last_paint + PAINT_INTERVAL_S
                self._last_paint = now
                self.screen.repaint()
                # Only the drawing shows when its rows grow old: look again.
                return now + PAINT_INTERVAL_S
            return stale
        if self._cell_since is None:
            return None
        size = self.terminal.size()
        changed = self.dock.dirty or size != self._size or (stale is not None and now >= stale)
        if not changed and not self._needs_paint:
            return stale
        interval = PAINT_INTERVAL_S if self._painted_from else RESTORE_INTERVAL_S
        if now < self._last_paint + interval:
            return self._last_paint + interval
        erasure = self._erasure() or ("" if size == self._size else "\x1b[J")
        self.terminal.write(erasure + self._picture(now))
        return self.dock.due()

    def clear_dock(self) -> None:
        """Take the painted dock off the screen."""
        erasure = self._erasure()
        if erasure:
            self.terminal.write(erasure)

    def _erasure(self) -> str:
        if not self._painted_from:
            return ""
        row, self._painted_from = self._painted_from, 0
        if self.terminal.size() != self._size:
            # Nobody knows where its rows are now, but they are below the cursor.
            return "\x1b[J"
        # From its first row, not from the cursor: that may rest on the last character of a line.
        return f"\x1b7\x1b[{row};1H\x1b[J\x1b8"

    def _picture(self, now: float) -> str:
        """Return what paints the dock on the last rows and leaves the cursor where it was."""
        if not self.terminal.paints:
            return ""
        self._size = columns, rows = self.terminal.size()
        lines = self.dock.lines(columns, dock_rows(rows), now)
        self._last_paint = now
        self._needs_paint = False
        if not lines:
            return ""
        height = len(lines)
        first = self._painted_from = rows - height + 1
        rows_text = "".join(
            f"\x1b[{first + i};1H{line}\x1b[m\x1b[K" for i, line in enumerate(lines)
        )
        # Index moves down without leaving the column, and scrolls at the bottom: that makes room.
        return f"{INDEX * height}\x1b[{height}A\x1b7{rows_text}\x1b8"

    def _note_partial(self, text: str) -> None:
        _, newline, tail = text.rpartition("\n")
        partial = tail if newline else self._partial + text
        if "\r" in partial:
            partial = partial[partial.rindex("\r") :]
        self._partial = partial[-PARTIAL_CHARACTERS:]
