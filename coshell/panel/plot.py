# SPDX-License-Identifier: Apache-2.0
"""A panel drawn as curves: numbers over time, arrays over their index."""

from __future__ import annotations

from typing import Final

from coshell.panel import style
from coshell.panel.chart import ROLES, Curve, Span, chart, columns_of, spans_in_time, spans_of
from coshell.panel.model import Panel, Row
from coshell.panel.text import cells, clip, sanitise
from coshell.panel.theme import Theme

TALLEST: Final = 14
TITLED_FROM: Final = 3
SHORTEST_S: Final = 0.1
MOST: Final = len(ROLES)


class Plot:
    """A picture of a panel, asked for like a `Table`.

    Args:
        panel: whose rows are drawn, the first five of them.
        theme: how roles look.
        span_s: how many seconds the time axis covers.
        since: monotonic seconds at which it begins instead, for good.
        began: that moment in words.
    """

    def __init__(
        self,
        panel: Panel,
        theme: Theme,
        span_s: float,
        since: float | None = None,
        began: str = "",
    ) -> None:
        self.panel = panel
        self.theme = theme
        self.span_s = span_s
        self._since = since
        self._began = began
        self.refresh_s: float | None = None
        self.focused = False
        self._labels: list[str] = []

    def lines(self, width: int, height: int, now: float, top: int = 0) -> list[str]:
        """Return the curves as at most `height` lines of at most `width` cells.

        Args:
            width: cells to fill.
            height: lines to fill.
            now: monotonic seconds.
            top: index of the first row drawn.
        """
        if self._since is not None:
            self.span_s = max(now - self._since, SHORTEST_S)
        rows = self.panel.rows[top : top + MOST]
        dots = columns_of(width, self.theme.unicode)
        timed = any(not is_array(row) for row in rows)
        self.refresh_s = max(self.span_s / dots, 0.25) if timed else None
        labels = [self._label(row) for row in rows]
        curves = [
            Curve(label, self._spans(row, dots, now))
            for label, row in zip(labels, rows, strict=True)
        ]
        precision = max((row.metadata.precision or 0 for row in rows), default=0)
        began = self._began or f"{style.age_text(self.span_s)} ago"
        ends = (began, "now") if timed else self._indices(rows)
        lines = chart(curves, width, min(height, TALLEST), self.theme, precision or None, ends)
        self._labels = labels if len(lines) >= TITLED_FROM else []
        if self.focused and len(lines) >= TITLED_FROM and width >= 2:
            lines[0] = lines[0].replace(" ", "▸" if self.theme.unicode else ">", 1)
        return lines

    def paused(self, width: int, now: float) -> str:
        """Return the line above the curves for while nothing can be drawn.

        Thread: any; it looks at what the last picture said, and at no row.
        """
        age = style.age_text(now - self.panel.newest) if self.panel.newest > 0 else ""
        said = clip(f" PAUSED, {age} ago" if age else " PAUSED", width)
        left = clip("  ".join(["", *self._labels]), width - cells(said))
        return self.theme.paint(said, "paused") + left if self._labels else ""

    def _spans(self, row: Row, dots: int, now: float) -> list[Span]:
        if is_array(row):
            return spans_of(row.value, dots) if row.value.dtype.kind in "iufb" else []
        # What happened before the circuit was lost stays; nothing is drawn for the time since.
        gone = 0.0 if row.live else min(max(now - row.lost_at, 0.0), self.span_s)
        drawn = dots - int(dots * gone / self.span_s)
        spans = spans_in_time(row.trend, now - self.span_s, now - gone, drawn)
        return spans + [None] * (dots - drawn)

    def _label(self, row: Row) -> str:
        value = style.value_texts(row.value, row.metadata, self.theme.unicode)[-1 * is_array(row)]
        alarm = style.alarm_cell(row, self.theme).variants[0]
        parts = (row.name, value, style.unit_text(row), alarm)
        return sanitise(" ".join(part for part in parts if part))

    def _indices(self, rows: list[Row]) -> tuple[str, str]:
        return "0", str(max((row.value.size for row in rows), default=1) - 1)


def is_array(row: Row) -> bool:
    """Return whether a row holds an array."""
    return hasattr(row.value, "dtype")
