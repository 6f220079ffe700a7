# SPDX-License-Identifier: Apache-2.0
"""Curves in a terminal: braille dots, or stars where there is only ASCII.

Law: `chart(…, width, height)` gives at most `height` lines of at most `width` cells, whatever the
numbers are. Each column of dots shows everything between the lowest and the highest value that
falls into it, so that a spike one sample wide is seen among a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from coshell.panel.style import number_text
from coshell.panel.text import cells, clip, sanitise
from coshell.panel.theme import Theme
from coshell.panel.trend import Trend

if TYPE_CHECKING:
    import numpy as np

BRAILLE: Final = 0x2800
DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a braille character, by row and column."""
NARROW: Final = 24
ROLES: Final = ("trend", "minor", "invalid", "ok", "major")

Span = tuple[float, float] | None
"""The lowest and highest value of one column of dots; None where there is no value."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A name and what each column of dots shows, from left to right."""

    name: str
    spans: Sequence[Span]


def columns_of(width: int, unicode: bool = True) -> int:
    """Return how many columns of dots a chart of this width has at most."""
    return max(width, 1) * (2 if unicode else 1)


def spans_of(array: np.ndarray[Any, Any], columns: int) -> list[Span]:
    """Return lowest and highest value of an array in each of `columns` pieces, in order."""
    import numpy as np

    flat = np.asarray(array, dtype=float).reshape(-1)
    if flat.size == 0 or columns < 1:
        return []
    pieces = min(columns, flat.size)
    edges = np.linspace(0, flat.size, pieces + 1).astype(int)[:-1]
    finite = np.isfinite(flat)
    lows = np.minimum.reduceat(np.where(finite, flat, np.inf), edges)
    highs = np.maximum.reduceat(np.where(finite, flat, -np.inf), edges)
    found: list[Span] = [
        (low, high) if low <= high else None
        for low, high in zip(lows.tolist(), highs.tolist(), strict=True)
    ]
    return [found[at * pieces // columns] for at in range(columns)]


def spans_in_time(trend: Trend, start: float, end: float, columns: int) -> list[Span]:
    """Return what a number did in each of `columns` pieces of the time from `start` to `end`.

    A bucket counts with lowest and highest value for its own period, and from then on with its
    last value until the next one begins: a value that nobody changes stays.
    """
    width = (end - start) / max(columns, 1)
    spans: list[Span] = [None] * columns
    buckets = [bucket for bucket in trend if isfinite(bucket.low) and isfinite(bucket.high)]
    if width <= 0 or not buckets:
        return spans

    def fill(since: float, until: float, low: float, high: float) -> None:
        first = max(int((since - start) / width), 0)
        for at in range(first, min(int((until - start) / width), columns - 1) + 1):
            known = spans[at] or (low, high)
            spans[at] = (min(low, known[0]), max(high, known[1]))

    ends = [bucket.began for bucket in buckets[1:]] + [end]
    for bucket, until in zip(buckets, ends, strict=True):
        closed = min(bucket.began + trend.period_s, until)
        fill(bucket.began, closed, bucket.low, bucket.high)
        if isfinite(bucket.last) and until > closed:
            fill(closed + width, until, bucket.last, bucket.last)
    return spans


def chart(
    curves: Sequence[Curve],
    width: int,
    height: int,
    theme: Theme,
    precision: int | None = None,
    ends: tuple[str, str] = ("", ""),
) -> list[str]:
    """Return curves as lines of text: a legend, the curves with their scale, and what the ends are.

    Args:
        curves: what is drawn.
        width: cells to fill.
        height: lines to fill.
        theme: how roles look, and whether there is braille.
        precision: digits of the scale.
        ends: words for the left and the right end.
    """
    if width < 1 or height < 1:
        return []
    legend = _legend(curves, width, theme) if height >= 3 else []
    footer = any(ends) and height >= 4
    rows = height - len(legend) - footer
    low, high = _limits(curves)
    labels = _labels(low, high, rows, precision)
    if width < NARROW or max(map(cells, labels)) > width // 3:
        labels = [""] * rows
    margin = max((cells(label) for label in labels), default=0)
    room = width - margin - bool(margin)
    grid = _Grid(room, rows, theme.unicode)
    for number, curve in enumerate(curves):
        grid.draw(curve.spans, low, high, ROLES[number % len(ROLES)])
    bar = ("┤" if theme.unicode else "|") if margin else ""
    lines = [
        theme.paint(label.rjust(margin) + bar, "age") + text
        for label, text in zip(labels, grid.lines(theme), strict=True)
    ]
    if footer:
        left, right = ends
        gap = " " * max(room - cells(left) - cells(right), 1)
        text = clip(" " * (margin + bool(margin)) + left + gap + right, width, _dots(theme))
        lines.append(theme.paint(text, "age"))
    return [*legend, *lines]


def _legend(curves: Sequence[Curve], width: int, theme: Theme) -> list[str]:
    parts = []
    used = 0
    for number, curve in enumerate(curves):
        name = sanitise(curve.name)
        text = f" {'━' if theme.unicode else '-'} {name if theme.unicode else ascii(name)[1:-1]}"
        text = clip(text, width - used, _dots(theme))
        used += cells(text)
        parts.append(theme.paint(text, ROLES[number % len(ROLES)]))
    return ["".join(parts)]


def _dots(theme: Theme) -> str:
    return "…" if theme.unicode else "."


def _limits(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the ends of the scale; a constant gets some air, nothing at all the unit range."""
    spans = [span for curve in curves for span in curve.spans if span is not None]
    low = min((span[0] for span in spans), default=0.0)
    high = max((span[1] for span in spans), default=1.0)
    if low == high:
        air = abs(low) * 0.01 or 1.0
        low, high = low - air, high + air
    return (low, high) if isfinite(low) and isfinite(high) else (-1.7e308, 1.7e308)


def _labels(low: float, high: float, rows: int, precision: int | None) -> list[str]:
    """Return the scale: numbers at both ends and, with room, in the middle."""
    labels = [""] * rows
    for at, value in ((rows // 2, low / 2 + high / 2), (rows - 1, low), (0, high)):
        if at != rows // 2 or rows >= 5:
            labels[at] = number_text(value, precision)
    return labels


class _Grid:
    """Cells of dots, and the role of the curve that came last in each."""

    def __init__(self, width: int, height: int, unicode: bool) -> None:
        self._across, self._down = (2, 4) if unicode else (1, 1)
        self._bits = [[0] * width for _ in range(height)]
        self._roles = [[""] * width for _ in range(height)]
        self._size = (width * self._across, height * self._down)

    def draw(self, spans: Sequence[Span], low: float, high: float, role: str) -> None:
        """Draw one curve, stretched to the whole width."""
        across, down = self._size
        before: tuple[int, int] | None = None
        for x in range(across if spans else 0):
            span = spans[x * len(spans) // across]
            if span is None:
                before = None
                continue
            bottom, top = (_place(value, low, high, down) for value in span)
            reach = (bottom, top)
            if before is not None:
                # Join the neighbour, or a steep flank would be a row of islands.
                reach = (min(bottom, before[1] + 1), max(top, before[0] - 1))
            for y in range(reach[0], reach[1] + 1):
                self._dot(x, down - 1 - y, role)
            before = (bottom, top)

    def _dot(self, x: int, y: int, role: str) -> None:
        column, row = x // self._across, y // self._down
        self._bits[row][column] |= DOTS[y % self._down][x % self._across]
        self._roles[row][column] = role

    def lines(self, theme: Theme) -> list[str]:
        """Return the rows, each stretch of one role painted at once."""
        return [
            _painted(bits, roles, theme)
            for bits, roles in zip(self._bits, self._roles, strict=True)
        ]


def _place(value: float, low: float, high: float, down: int) -> int:
    # Halves keep the span of the widest doubles finite.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return min(max(int(share * (down - 1) + 0.5), 0), down - 1)


def _painted(bits: Sequence[int], roles: Sequence[str], theme: Theme) -> str:
    parts = []
    start = 0
    for at in range(1, len(bits) + 1):
        if at == len(bits) or roles[at] != roles[start]:
            stretch = bits[start:at]
            if theme.unicode:
                text = "".join(chr(BRAILLE + bit) if bit else " " for bit in stretch)
            else:
                text = "".join("*" if bit else " " for bit in stretch)
            parts.append(theme.paint(text, roles[start]) if roles[start] else text)
            start = at
    return "".join(parts)
