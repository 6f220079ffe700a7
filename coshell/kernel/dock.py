# SPDX-License-Identifier: Apache-2.0
"""The dock: what stays on screen below the prompt, whoever draws it.

Laws:
  1. An item that raises shows "rendering error" in its own rows and harms nobody else.
  2. Nothing changes, nothing wakes: lines are made again only after `invalidate`, when an item said
     that its rows grow old (`refresh_s`), or when the size is another.
  3. The screen is not all its own: a third of it is left to output and prompt, see `dock_rows`.
  4. The status line is the last to go: on a small terminal items give up their rows first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeAlias, runtime_checkable

from prompt_toolkit.utils import get_cwidth

from .colours import strip, tint

__all__ = ["Dock", "DockItem", "StatusField", "dock_rows"]

StatusField: TypeAlias = Callable[[], str]
"""One part of the status line; returns plain text, or "" to say nothing.

Like an item it may have `refresh_s`.
"""

Failure: TypeAlias = Callable[[str, BaseException], object]

SEPARATOR = " · "
PROMPT_ROWS: Final = 3
"""What the dock leaves on the smallest of screens."""


@runtime_checkable
class DockItem(Protocol):
    """Anything that can be docked.

    An item may also have `refresh_s`, seconds after which its lines grow old by themselves
    (None: never), read each time after it was rendered; and `paused(width, now)`, which returns
    what stands in its first line while somebody holds the scheduler and nothing can be drawn ("":
    what stands there already). That is called in another thread, and must only read.
    """

    title: str

    def render(self, width: int, height: int, now: float) -> list[str]:
        """Return at most `height` lines of ANSI text, each at most `width` cells wide."""


class Dock:
    """The items below the prompt, in order, and the status line under them.

    Args:
        on_failure: told `(where, exception)` when an item or a status field raises, once per item
            until it renders again.
    """

    def __init__(self, on_failure: Failure | None = None) -> None:
        self.items: list[DockItem] = []
        self.status_fields: list[StatusField] = []
        self.on_invalidate: Callable[[], object] | None = None
        self.on_failure = on_failure
        self._dirty = True
        self._made: list[str] = []
        self._made_for = (0, 0)
        self._tops: list[tuple[int, DockItem]] = []
        self._due: float | None = None
        self._now = 0.0
        self._failing: set[int] = set()

    def add(self, item: DockItem) -> None:
        """Dock an item below the ones already there."""
        if item not in self.items:
            self.items.append(item)
        self.invalidate()

    def remove(self, item: DockItem) -> None:
        """Take an item away.

        Raises:
            ValueError: the item is not docked.
        """
        self.items.remove(item)
        self._failing.discard(id(item))
        self.invalidate()

    def invalidate(self) -> None:
        """Say that something on show has changed."""
        if not self._dirty:
            self._dirty = True
            if self.on_invalidate is not None:
                self.on_invalidate()

    @property
    def dirty(self) -> bool:
        """True when the lines made last no longer tell the truth."""
        return self._dirty

    @property
    def empty(self) -> bool:
        """True when there is nothing to show, not even a status."""
        return not self.items and not self.status_fields

    @property
    def height(self) -> int:
        """How many rows the lines made last take."""
        return len(self._made)

    def due(self) -> float | None:
        """Return the monotonic time at which the lines grow old by themselves, or None."""
        return self._due

    def lines(self, width: int, height: int, now: float) -> list[str]:
        """Return the dock as at most `height` lines of ANSI text, the status line last.

        Args:
            width: cells to fill.
            height: rows that may be taken.
            now: monotonic seconds.
        """
        old = self._due is not None and now >= self._due
        if self._dirty or old or self._made_for != (width, height):
            self._dirty = False
            self._due = None
            self._now = now
            self._made = self._make(width, height, now)
            self._made_for = (width, height)
        return self._made

    def _make(self, width: int, height: int, now: float) -> list[str]:
        self._tops = []
        if height < 1 or width < 1 or self.empty:
            return []
        status = [line] if (line := self.status(width)) else []
        room = height - len(status)
        blocks = [self._render(item, width, room, now) for item in self.items]
        wanted = [len(block) for block in blocks]
        if sum(wanted) > room:
            granted = share(wanted, room)
            blocks = [
                block if len(block) <= rows else self._render(item, width, rows, now)
                for item, block, rows in zip(self.items, blocks, granted, strict=True)
            ]
        lines: list[str] = []
        tops: list[tuple[int, DockItem]] = []
        for item, block in zip(self.items, blocks, strict=True):
            if block:
                tops.append((len(lines), item))
            lines += block
        lines += status
        self._tops = [(top - len(lines), item) for top, item in tops]
        return lines

    def paused(self, now: float) -> list[tuple[int, str]]:
        """Return the lines to write over the picture made last, while nothing can be drawn.

        Returns:
            Pairs of a row, counted from the end of the picture (-1 is its last), and its line.
        Thread: any.
        """
        lines = []
        for row, item in self._tops:
            tell = getattr(item, "paused", None)
            # An item that fails here has nothing to say: the thread that would tell is held.
            with suppress(Exception):
                if tell is not None and (line := tell(self._made_for[0], now)):
                    lines.append((row, line))
        return lines

    def _render(self, item: DockItem, width: int, height: int, now: float) -> list[str]:
        if height < 1:
            return []
        try:
            lines = item.render(width, height, now)[:height]
        except Exception as failure:
            self._failed(id(item), f"panel {getattr(item, 'title', '?')!r}", failure)
            return [tint(clip(f" {item.title}: rendering error (%why tells more)", width), "31")]
        self._failing.discard(id(item))
        self._grows_old(item)
        return lines

    def status(self, width: int) -> str:
        """Return the status line, in as many whole fields as fit `width`."""
        parts = [text for text in map(self._field, self.status_fields) if text]
        while len(parts) > 1 and cells(f" {SEPARATOR.join(parts)} ") > width:
            parts.pop()
        if not parts:
            return ""
        line = clip(strip(f" {SEPARATOR.join(parts)} "), width)
        return tint(line + " " * (width - cells(line)), "7")

    def _field(self, field: StatusField) -> str:
        try:
            text = field()
        except Exception as failure:
            self._failed(id(field), f"status field {getattr(field, '__name__', field)!r}", failure)
            return "rendering error"
        self._failing.discard(id(field))
        self._grows_old(field)
        return text

    def _grows_old(self, thing: object) -> None:
        refresh: float | None = getattr(thing, "refresh_s", None)
        if refresh is not None:
            due = self._now + refresh
            self._due = due if self._due is None else min(self._due, due)

    def _failed(self, key: int, where: str, failure: Exception) -> None:
        if key not in self._failing:
            self._failing.add(key)
            if self.on_failure is not None:
                self.on_failure(where, failure)


def dock_rows(rows: int) -> int:
    """Return how many rows of a screen the dock may take: output and prompt keep a useful part."""
    return max(rows - max(-(-rows // 3), PROMPT_ROWS), 0)


def share(wanted: Sequence[int], room: int) -> list[int]:
    """Return how many of too few rows each gets: small wishes are met, the rest is shared."""
    granted = [0] * len(wanted)
    left = room
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    for position, i in enumerate(order):
        granted[i] = min(wanted[i], -(-left // (len(order) - position)))
        left -= granted[i]
    return granted


def cells(text: str) -> int:
    """Return how many terminal cells ANSI text takes."""
    return get_cwidth(strip(text))


def clip(text: str, width: int) -> str:
    """Return plain text cut to `width` cells."""
    if get_cwidth(text) <= width:
        return text
    while text and get_cwidth(text) > width - 1:
        text = text[:-1]
    return f"{text}…" if width > 0 else ""
