# SPDX-License-Identifier: Apache-2.0
"""A panel as a log: one line for every change, oldest first.

Law: with a limit of lines per second each row may skip changes in between, but never the last one:
what was held back is due as soon as the limit allows.
"""

from __future__ import annotations

from datetime import datetime

from coshell.panel import style
from coshell.panel.model import Kind, Row, State
from coshell.panel.text import cells, pad, sanitise
from coshell.panel.theme import Theme


class Log:
    """Turns the changes of a panel into lines.

    Args:
        theme: how roles look.
        rate: lines per second and row at most; None for all.
    """

    def __init__(self, theme: Theme, rate: float | None = None) -> None:
        self._theme = theme
        self._period = 1.0 / rate if rate else 0.0
        self._said: dict[Row, float] = {}
        self._held: dict[Row, float] = {}
        self._name_width = 0

    def take(self, row: Row, kind: Kind, now: float, wall: float) -> list[str]:
        """Return the lines for one change: one, or none when the row spoke only just now."""
        if kind not in (Kind.UPDATE, Kind.DISCONNECT) or row.state is State.SEARCHING:
            return []
        due = self._said.get(row, float("-inf")) + self._period
        if kind is Kind.UPDATE and now < due:
            self._held[row] = due
            return []
        return [self._line(row, now, wall)]

    def due(self) -> float | None:
        """Return when a change that was held back may be said, None when there is none."""
        return min(self._held.values(), default=None)

    def flush(self, now: float, wall: float) -> list[str]:
        """Return lines for what was held back and is due."""
        ready = [row for row, due in self._held.items() if due <= now]
        return [self._line(row, now, wall) for row in ready]

    def _line(self, row: Row, now: float, wall: float) -> str:
        self._said[row] = now
        self._held.pop(row, None)
        name = sanitise(row.name)
        self._name_width = min(max(self._name_width, cells(name)), 40)
        if cells(name) < self._name_width:
            name = pad(name, self._name_width)
        value = style.value_cell(row, self._theme)
        alarm = style.alarm_cell(row, self._theme)
        unit = style.unit_text(row) if row.live else ""
        text = f"{value.variants[0]} {unit}".rstrip()
        parts = [
            self._theme.paint(_clock(row.timestamp if row.live else wall), "age"),
            name,
            self._theme.paint(text, value.role),
            self._theme.paint(alarm.variants[0], alarm.role),
        ]
        return "  ".join(part for part in parts if part)


def _clock(wall: float | None) -> str:
    """Return a time of day to the millisecond."""
    try:
        moment = datetime.fromtimestamp(wall or 0.0)
    except (OverflowError, ValueError, OSError):
        return "--:--:--.---"
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
