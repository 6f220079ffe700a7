# SPDX-License-Identifier: Apache-2.0
"""The full screen: a panel one can walk through. Keys come in as names, lines and wishes go out.

Law: pure. What needs the world — to put, to ask for details, to write a file, to leave — is what
`key` returns as a wish, and whoever owns the terminal fulfils it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from coshell.panel import style
from coshell.panel.chart import Curve, chart, columns_of, spans_in_time, spans_of
from coshell.panel.look import Look
from coshell.panel.model import Panel, Row
from coshell.panel.select import ONLY, SORTS
from coshell.panel.text import clip, plain, sanitise
from coshell.panel.theme import Theme

HINTS: Final = "q leave  ? help  / filter  s sort  o only  p put  Enter info  Space pause  e csv"
HELP: Final = """\
 ↑ ↓  PageUp PageDown  Home End      choose a row
 /      filter as you type, words in any order; Enter keeps it, Esc drops it
 s      next order: as given, by name, worst alarm first, newest change first
 o      show only: everything, in alarm, disconnected, changed in the last seconds
 Space  pause: the screen stands still, the values are still collected
 Enter  everything about the row, with its history; Esc goes back
 p      put a value into the row
 e      write what is shown to a CSV file
 q      back to the prompt"""
HISTORY_S: Final = 120.0
MESSAGE_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Leave:
    """Go back to the prompt."""


@dataclass(frozen=True, slots=True)
class Put:
    """Put what was typed into a PV."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Inspect:
    """Find out everything about a PV and hand it to `Browser.details`."""

    name: str


@dataclass(frozen=True, slots=True)
class Export:
    """Write rows to a file."""

    rows: tuple[Row, ...]


Wish = Leave | Put | Inspect | Export


class Browser:
    """One visit to a panel on the full screen.

    Args:
        panel: what is walked through.
        look: how it is shown; `look` afterwards is how the operator left it.
        theme: how roles look.
    """

    def __init__(self, panel: Panel, look: Look, theme: Theme) -> None:
        self.look = look
        self.mode = "table"
        self.details: Mapping[str, list[str]] = {}
        self.refresh_s: float | None = None
        self._live = panel
        self._panel = panel
        self._theme = theme
        self._table = look.table(panel, theme)
        self._selected: Row | None = None
        self._top = 0
        self._page = 1
        self._typed = ""
        self._message = ("", float("-inf"))
        self._paused_at: float | None = None

    @property
    def paused(self) -> bool:
        """Whether the screen stands still."""
        return self._paused_at is not None

    @property
    def selected(self) -> str:
        """The name of the row that is chosen, empty when there is none."""
        return self._selected.name if self._selected is not None else ""

    def say(self, text: str, now: float) -> None:
        """Show a message on the last line for a while."""
        self._message = (sanitise(text), now)

    # Keys ----------------------------------------------------------------------------------

    def key(self, name: str, now: float) -> Wish | None:
        """Take in one key: a character, or "up", "pagedown", "enter", "escape", "backspace" …"""
        self._message = ("", float("-inf"))
        if self.mode in ("filter", "put"):
            return self._typing(name, now)
        if self.mode in ("inspect", "help"):
            return self._reading(name, now)
        action = self._actions().get(name)
        return action(now) if action is not None else None

    def _actions(self) -> Mapping[str, Callable[[float], Wish | None]]:
        return {
            "up": lambda now: self._move(-1, now),
            "down": lambda now: self._move(1, now),
            "pageup": lambda now: self._move(-self._page, now),
            "pagedown": lambda now: self._move(self._page, now),
            "home": lambda now: self._move(-len(self._panel), now),
            "end": lambda now: self._move(len(self._panel), now),
            "enter": self._inspect,
            "escape": lambda _now: self._filter(""),
            "q": lambda _now: Leave(),
            "/": lambda _now: self._enter("filter", self.look.choice.text),
            "p": self._begin_put,
            "s": lambda now: self._next_sort(now),
            "o": lambda now: self._next_only(now),
            " ": self._pause,
            "e": lambda now: Export(tuple(self._table.rows(self._now(now)))),
            "?": lambda _now: self._enter("help", ""),
        }

    def _typing(self, name: str, now: float) -> Wish | None:
        if name == "escape":
            if self.mode == "filter":
                self._filter("")
            self.mode = "table"
        elif name == "enter":
            mode, self.mode = self.mode, "table"
            if mode == "put" and self._typed.strip():
                return Put(self.selected, self._typed.strip())
        elif name == "backspace":
            self._type(self._typed[:-1])
        elif len(name) == 1 and name.isprintable():
            self._type(self._typed + name)
        elif self.mode == "filter" and name in ("up", "down", "pageup", "pagedown"):
            return self._actions()[name](now)
        return None

    def _reading(self, name: str, now: float) -> Wish | None:
        if name in ("escape", "enter", "q", "?"):
            self.mode = "table"
        elif self.mode == "inspect" and name in ("up", "down"):
            self._move(-1 if name == "up" else 1, now)
            return Inspect(self.selected)
        elif self.mode == "inspect" and name == "p":
            self._begin_put(now)
        return None

    def _type(self, text: str) -> None:
        self._typed = text
        if self.mode == "filter":
            self._filter(text)

    def _enter(self, mode: str, typed: str) -> None:
        self.mode = mode
        self._typed = typed

    def _begin_put(self, now: float) -> None:
        if self._selected is None:
            self.say("choose a row first, with the arrow keys", now)
        else:
            self._enter("put", "")

    def _inspect(self, now: float) -> Wish | None:
        if self._selected is None:
            self._move(0, now)
        if self._selected is None:
            return None
        self.mode = "inspect"
        return Inspect(self.selected)

    def _pause(self, now: float) -> None:
        """Freeze the picture by walking through a copy of the rows, or let it live again."""
        if self.paused:
            self._paused_at = None
            self._panel = self._live
        else:
            self._paused_at = now
            self._panel = frozen(self._live)
        name = self.selected
        self._selected = self._panel.get(name)
        self._relook(self.look)

    def _next_sort(self, now: float) -> None:
        keys = list(SORTS)
        sort = keys[(keys.index(self.look.choice.sort) + 1) % len(keys)]
        self._relook(replace(self.look, choice=replace(self.look.choice, sort=sort)))
        self.say(f"order: {sort}", now)

    def _next_only(self, now: float) -> None:
        keys = ["", *ONLY]
        only = keys[(keys.index(self.look.choice.only) + 1) % len(keys)]
        self._relook(replace(self.look, choice=replace(self.look.choice, only=only)))
        self.say(f"rows: {only or 'all'}", now)

    def _filter(self, text: str) -> None:
        if text != self.look.choice.text:
            self._relook(replace(self.look, choice=replace(self.look.choice, text=text)))
            self._top = 0

    def _relook(self, look: Look) -> None:
        self.look = look
        self._table = look.table(self._panel, self._theme)

    def _now(self, now: float) -> float:
        return now if self._paused_at is None else self._paused_at

    def _move(self, by: int, now: float) -> None:
        rows = self._table.rows(self._now(now))
        if not rows:
            self._selected = None
            return
        if self._selected in rows:
            at = rows.index(self._selected) + by
        else:
            at = self._top if abs(by) <= 1 else self._top + by
        self._selected = rows[max(min(at, len(rows) - 1), 0)]

    # Pictures ------------------------------------------------------------------------------

    def lines(self, width: int, height: int, now: float) -> list[str]:
        """Return the screen: at most `height` lines of at most `width` cells."""
        if width < 1 or height < 1:
            return []
        seen = self._now(now)
        body = height - 1 if height > 1 else 1
        if self.mode == "help":
            lines = [self._fit(line, width) for line in HELP.splitlines()[:body]]
            self.refresh_s = None
        elif self.mode == "inspect" and self._selected is not None:
            lines = self._about(self._selected, width, body, seen)
            self.refresh_s = 1.0
        else:
            lines = self._rows(width, body, seen)
            self.refresh_s = self._table.refresh_s
        lines += [""] * (body - len(lines))
        return [*lines, self._footer(width, now)] if height > 1 else lines

    def _rows(self, width: int, height: int, now: float) -> list[str]:
        rows = self._table.rows(now)
        self._page = max(height - 3, 1)
        if self._selected is not None and self._selected in rows:
            at = rows.index(self._selected)
            self._top = min(max(self._top, at - self._page + 1), at)
        self._top = max(min(self._top, len(rows) - self._page), 0)
        note = "PAUSED" if self.paused else ""
        return self._table.lines(width, height, now, self._top, self._selected, note)

    def _footer(self, width: int, now: float) -> str:
        text, since = self._message
        if self.mode == "filter":
            text = f" filter: {self._typed}█"
        elif self.mode == "put":
            text = f" put into {sanitise(self.selected)}: {self._typed}█"
        elif text and now - since < MESSAGE_S:
            text = f" {text}"
        else:
            text = f" {HINTS}"
        fitted = self._fit(text, width)
        return self._theme.paint(fitted, "title" if self.mode in ("filter", "put") else "age")

    def _fit(self, text: str, width: int) -> str:
        """Return text that fits; what is typed is seen at its end."""
        if not self._theme.unicode:
            text = plain(text.replace("↑↓", "arrows").replace("█", "_").replace("↑ ↓", "arrows"))
        return clip(text, width, "…" if self._theme.unicode else ".")

    def _about(self, row: Row, width: int, height: int, now: float) -> list[str]:
        """Return everything about one row, and its history below."""
        facts = facts_of(row, self._theme, now)
        facts += self.details.get(row.name, [])
        room = max(height - len(facts) - 2, 0)
        lines = [self._theme.paint(self._fit(f" {sanitise(row.name)}", width), "title")]
        lines += [self._fit(line, width) for line in facts]
        if room >= 3:
            lines += ["", *self._history(row, width, room, now)]
        return lines[:height]

    def _history(self, row: Row, width: int, height: int, now: float) -> list[str]:
        dots = columns_of(width, self._theme.unicode)
        if hasattr(row.value, "dtype") and row.value.dtype.kind in "iuf":
            curve = Curve("elements", spans_of(row.value, dots))
            ends = ("0", str(row.value.size - 1))
        else:
            curve = Curve("last two minutes", spans_in_time(row.trend, now - HISTORY_S, now, dots))
            ends = (f"{HISTORY_S:.0f} s ago", "now")
        return chart([curve], width, height, self._theme, row.metadata.precision, ends)


def facts_of(row: Row, theme: Theme, now: float) -> list[str]:
    """Return what a row itself knows, one fact per line."""
    metadata = row.metadata
    alarm = style.alarm_cell(row, theme).variants[0] or "no alarm"
    value = style.value_texts(row.value, metadata, theme.unicode)[0]
    facts = [
        ("value", f"{value} {style.unit_text(row)}".rstrip()),
        ("alarm", alarm),
        ("age", style.age_cell(row, now).variants[0]),
        ("IOC time", style.stamp_cell(row).variants[0]),
        ("updates", f"{row.updates}, {row.rate(now):.1f}/s"),
    ]
    if metadata.precision is not None:
        facts.append(("precision", str(metadata.precision)))
    if metadata.enums:
        states = ", ".join(f"{at} {state}" for at, state in enumerate(metadata.enums))
        facts.append(("states", sanitise(states)))
    if row.last_put is not None:
        facts.append(("last put", style.put_cell(row, now).variants[0]))
    facts += [("threshold", str(mark)) for mark in row.marks]
    return [f"  {word:<10} {text}" for word, text in facts]


def frozen(panel: Panel) -> Panel:
    """Return a copy of a panel that nothing changes any more."""
    still = Panel(panel.title)
    for row in panel:
        twin = still.add(row.name, 0.0, row.group)
        for name in Row.__slots__:
            setattr(twin, name, getattr(row, name))
        twin.trend = row.trend.copy()
    still.newest = panel.newest
    still.updates = panel.updates
    return still
