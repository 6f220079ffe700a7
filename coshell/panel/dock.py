# SPDX-License-Identifier: Apache-2.0
"""A panel as something that can be docked under the prompt.

The dock knows nothing of PVs and this knows nothing of terminals: between them pass lines of text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from coshell.panel.model import Panel


class DockItem(Protocol):
    """What a dock can show."""

    @property
    def title(self) -> str:
        """What it is called."""

    def render(self, width: int, height: int, now: float) -> list[str]:
        """Return at most `height` lines of ANSI text, each at most `width` cells wide."""


class Dock(Protocol):
    """What a panel needs of the dock."""

    def add(self, item: DockItem) -> None:
        """Show an item."""

    def remove(self, item: DockItem) -> None:
        """Stop showing an item."""

    def invalidate(self) -> None:
        """Ask for a new picture, soon."""


class Picture(Protocol):
    """What draws a panel: a `Table` or a `Plot`."""

    panel: Panel
    refresh_s: float | None
    focused: bool

    def lines(self, width: int, height: int, now: float, top: int = 0) -> list[str]:
        """Return at most `height` lines of ANSI text, each at most `width` cells wide."""

    def paused(self, width: int, now: float) -> str:
        """Return the first of these lines for while nothing is drawn; "" leaves it as it is."""


class DockedPanel:
    """One docked panel: repaints are asked for only after something changed.

    Args:
        table: what is drawn.
        rate: pictures per second at most, when slower than the dock's own pace.
    """

    def __init__(self, table: Picture, rate: float | None = None) -> None:
        self.table = table
        self.top = 0
        self.hidden = False
        self._period = 1.0 / rate if rate else 0.0
        self._drawn_at = float("-inf")
        self._lines: list[str] = []
        self._size = (0, 0)
        self._dock: Dock | None = None
        self._end: Callable[[], object] | None = None
        self._waiting = False

    @property
    def title(self) -> str:
        """What the panel is called."""
        return self.table.panel.title

    @property
    def panel(self) -> Panel:
        """The rows behind the picture."""
        return self.table.panel

    @property
    def refresh_s(self) -> float | None:
        """Seconds until the picture grows old by itself, None for never."""
        if self._waiting:
            return self._period
        return self.table.refresh_s

    def render(self, width: int, height: int, now: float) -> list[str]:
        """Return at most `height` lines of ANSI text, each at most `width` cells wide."""
        if self.hidden:
            return []
        early = now - self._drawn_at < self._period and self._size == (width, height)
        self._waiting = early
        if early:
            return self._lines
        self.panel.look()
        self._size = (width, height)
        self._drawn_at = now
        self.top = max(min(self.top, len(self.panel) - 1), 0)
        self._lines = self.table.lines(width, height, now, top=self.top)
        return self._lines

    def paused(self, width: int, now: float) -> str:
        """Return the first line for while somebody holds the scheduler: that it is, and since when.

        Thread: any.
        """
        return self.table.paused(width, now)

    def scroll(self, rows: int) -> None:
        """Show the rows so many further down, or up when negative."""
        self.top = max(min(self.top + rows, len(self.panel) - 1), 0)
        self.refresh()

    def focus(self, focused: bool) -> None:
        """Mark the panel as the one that keys speak to, or no longer."""
        if self.table.focused is not focused:
            self.table.focused = focused
            self.refresh()

    def show(self, dock: Dock) -> None:
        """Put the panel into a dock; a panel that is docked already stays where it is."""
        if self._dock is None:
            self._dock = dock
            self._end = self.panel.listen(dock.invalidate)
            dock.add(self)

    def retable(self, table: Picture, rate: float | None = None) -> None:
        """Show another picture of the same panel."""
        table.focused = self.table.focused
        self.table = table
        self._period = 1.0 / rate if rate else 0.0
        self.refresh()

    def refresh(self) -> None:
        """Ask for a new picture although no row changed."""
        self._size = (0, 0)
        if self._dock is not None:
            self._dock.invalidate()

    def close(self) -> None:
        """Take the panel out of its dock."""
        if self._end is not None:
            self._end()
            self._end = None
        if self._dock is not None:
            dock, self._dock = self._dock, None
            dock.remove(self)
