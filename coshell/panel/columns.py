# SPDX-License-Identifier: Apache-2.0
"""The columns there are, and how they share a width.

Everything about a column is one row of `COLUMNS`; everything about who gives way on a narrow screen
is one row of `SQUEEZE`, taken from the top until the rest fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from coshell.panel import style
from coshell.panel.model import Row
from coshell.panel.style import Cell
from coshell.panel.text import sanitise
from coshell.panel.theme import Theme


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its side, its greatest width and what fills it.

    `timed` marks a column whose text changes by itself as time goes on; `make` gets the row, the
    theme and the time, and only a timed column may look at the time.
    """

    key: str
    title: str
    make: Callable[[Row, Theme, float], Cell]
    widest: int = 40
    right: bool = False
    timed: bool = False


def _name(row: Row, _theme: Theme, _now: float) -> Cell:
    return Cell((sanitise(row.name),), "name")


COLUMNS: Final[Mapping[str, Column]] = {
    column.key: column
    for column in (
        Column("name", "PV", _name, widest=48),
        Column("value", "value", lambda row, theme, _: style.value_cell(row, theme), right=True),
        Column("unit", "unit", lambda row, *_: Cell((style.unit_text(row),), "unit"), widest=10),
        Column("trend", "trend", lambda row, theme, _: style.trend_cell(row, theme), widest=8),
        Column("range", "range", lambda row, theme, _: style.range_cell(row, theme), widest=24),
        Column("alarm", "alarm", lambda row, theme, _: style.alarm_cell(row, theme), widest=30),
        Column(
            "age", "age", lambda row, _, now: style.age_cell(row, now), 8, right=True, timed=True
        ),
        Column(
            "rate", "rate", lambda row, _, now: style.rate_cell(row, now), 8, right=True, timed=True
        ),
        Column("time", "IOC time", lambda row, *_: style.stamp_cell(row), widest=12),
        Column("put", "last put", lambda row, _, now: style.put_cell(row, now), 24, timed=True),
    )
}
"""Every column, in the order they are shown unless asked otherwise."""

USUAL: Final = ("name", "value", "unit", "trend", "range", "alarm", "age", "put")
GAP: Final = 2

DROP: Final = -1
SQUEEZE: Final[Sequence[tuple[str, int]]] = (
    ("gap", 1),
    ("value", 28),
    ("put", 8),
    ("range", DROP),
    ("time", DROP),
    ("put", DROP),
    ("value", 24),
    ("rate", DROP),
    ("alarm", 14),
    ("trend", DROP),
    ("name", 28),
    ("unit", 6),
    ("alarm", 9),
    ("unit", DROP),
    ("value", 14),
    ("alarm", 1),
    ("name", 20),
    ("value", 10),
    ("age", DROP),
    ("name", 12),
    ("value", 7),
    ("name", 6),
    ("value", 5),
    ("alarm", DROP),
    ("value", DROP),
    ("name", 1),
)
"""Who gives way, in turn: a column is limited to so many cells, or goes altogether."""


class ColumnError(ValueError):
    """Say which column does not exist, and which do."""


def columns_named(keys: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of these names.

    Raises:
        ColumnError: there is no such column; the message lists those there are.
    """
    for key in keys:
        if key not in COLUMNS:
            raise ColumnError(f"there is no column {key!r}; the columns are {', '.join(COLUMNS)}")
    return tuple(COLUMNS[key] for key in dict.fromkeys(keys))


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns are shown, how wide each is, and how many blanks stand between."""

    columns: tuple[tuple[Column, int], ...]
    gap: int


def fit(columns: Sequence[Column], wanted: Mapping[str, int], width: int) -> Layout:
    """Return a layout that takes at most `width` cells, a margin of one blank included if it can.

    Args:
        columns: what was asked for, in order.
        wanted: the cells each column would like; one that wants none is left out.
        width: what there is.
    """
    widths = {c.key: min(wanted[c.key], c.widest) for c in columns if wanted.get(c.key, 0) > 0}
    gap = GAP
    for key, limit in SQUEEZE:
        if _total(widths, gap) <= width:
            break
        if key == "gap":
            gap = limit
        elif key in widths and limit == DROP and len(widths) > 1:
            del widths[key]
        elif key in widths and limit != DROP:
            spare = width - (_total(widths, gap) - widths[key])
            widths[key] = max(min(widths[key], limit), min(widths[key], spare))
    if _total(widths, gap) > width and widths:
        last = next(iter(widths))
        widths = {last: min(widths[last], max(width, 1))}
    return Layout(tuple((c, widths[c.key]) for c in columns if c.key in widths), gap)


def _total(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * max(len(widths) - 1, 0)
