# SPDX-License-Identifier: Apache-2.0
"""How values, ages and alarms look as text: every rule of presentation, and no drawing.

Law: a cell is a tuple of *variants*, the fullest first. The renderer shows the first one that fits,
so each rule for narrow screens is stated here, beside the text it shortens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import isfinite, isinf, isnan
from typing import Any, Final

from catools.protocol.dbr import ALARM_STATUS
from coshell.panel.model import INVALID, Metadata, Row, State
from coshell.panel.spark import profile, sparkline
from coshell.panel.text import clip, sanitise
from coshell.panel.theme import FAILED, LOST, SEARCHING, SEVERITIES, Severity, Theme

NOTHING: Final = "---"
MARKED: Final = "⚑"
MARKED_PLAIN: Final = "!"
TREND_WIDTH: Final = 8
FLASH_S: Final = 0.4
QUIET_S: Final = 2.0
"""A value flashes only when it had been still this long: what changes all the time need not."""

LONGEST_DIGITS: Final = 1e12
SHORT_ARRAY: Final = 4
SHORT_FAILURE: Final = 30


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column shows of one row: the same thing said ever shorter, and in which role."""

    variants: tuple[str, ...]
    role: str = "text"
    number: bool = False


EMPTY: Final = Cell(("",))


# Values --------------------------------------------------------------------------------------


def number_text(value: int | float, precision: int | None) -> str:
    """Return a number as operators write it.

    A precision of None or 0 on a float shows six significant digits, because 0 is what a record
    says whose precision nobody set; from 100,000 on it shows every digit before the point. A
    number that fixed digits would show as nothing, or at absurd length, gets an exponent.
    """
    if not isinstance(value, float):
        return format(value, "d")
    if isnan(value):
        return "nan"
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    size = abs(value)
    if precision is None or precision <= 0:
        return format(value, ".0f" if 1e5 <= size < LONGEST_DIGITS else ".6g")
    digits = min(precision, 15)
    if size >= LONGEST_DIGITS or 0 < size < 0.5 * 10.0**-digits:
        return format(value, f".{digits}e")
    return format(value, f".{digits}f")


def value_texts(value: Any, metadata: Metadata, unicode: bool = True) -> tuple[str, ...]:
    """Return a value as text, then the same shorter, if it can be said shorter.

    Args:
        value: whatever Channel Access delivered, or None for "no value yet".
        metadata: of the same PV: precision, states.
        unicode: whether the terminal shows more than ASCII.
    """
    if value is None:
        return (NOTHING,)
    if isinstance(value, str):
        return (sanitise(value) if value else '""',)
    if isinstance(value, bytes):
        return (sanitise(value.decode("utf-8", "backslashreplace")) if value else '""',)
    if isinstance(value, (float, int)):
        return _scalar_texts(value, metadata)
    if hasattr(value, "dtype"):
        return _array_texts(value, metadata, unicode)
    return (sanitise(str(value)),)


def _scalar_texts(value: int | float, metadata: Metadata) -> tuple[str, ...]:
    if metadata.enums and not isinstance(value, float):
        if 0 <= value < len(metadata.enums):
            return (sanitise(metadata.enums[value]) or f"state {value:d}",)
        return (f"{value:d} (no such state)", f"{value:d}")
    full = number_text(value, metadata.precision)
    if isinstance(value, float) and isfinite(value):
        return (full, format(value, ".4g"), format(value, ".2g"))
    return (full,)


def _array_texts(value: Any, metadata: Metadata, unicode: bool) -> tuple[str, ...]:
    count = value.size
    if count == 0:
        return ("[] empty", "[]")
    if value.dtype.kind in "SUO":
        words = [sanitise(str(item)) for item in value[:SHORT_ARRAY]]
        more = ("…" if unicode else "...") if count > SHORT_ARRAY else ""
        return (f"[{count}] {', '.join(words)}{more}", f"[{count}]")
    text = _char_text(value)
    if text is not None:
        return (sanitise(text),)
    if count <= SHORT_ARRAY:
        items = ", ".join(number_text(item, metadata.precision) for item in value.tolist())
        return (f"[{items}]", f"[{count}]")
    low, high = _range(value)
    dots = "…" if unicode else ".."
    full = [number_text(end, metadata.precision) for end in (low, high)]
    return (
        f"[{count}] {full[0]} {dots} {full[1]}",
        f"[{count}] {low:.3g} {dots} {high:.3g}",
        f"[{count}]",
    )


def _range(value: Any) -> tuple[float, float]:
    """Return the smallest and largest finite number of an array, nan when there is none."""
    low, high = value.min().item(), value.max().item()
    if isfinite(low) and isfinite(high):
        return low, high
    import numpy as np

    finite = value[np.isfinite(value)]
    return (finite.min().item(), finite.max().item()) if finite.size else (low, high)


def _char_text(value: Any) -> str | None:
    """Return the text in an array of characters that ends with NUL, or None if it is numbers."""
    if value.dtype.itemsize != 1 or value.dtype.kind not in "iu":
        return None
    head, nul, rest = bytes(value.tobytes()).partition(b"\0")
    if not nul or not head or rest.strip(b"\0"):
        return None
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.replace("\n", " ").replace("\t", " ").isprintable() else None


def unit_text(row: Row) -> str:
    """Return the engineering units of a row; a state or a text has none."""
    return sanitise(row.metadata.units) if not row.metadata.enums else ""


# Time ----------------------------------------------------------------------------------------

_AGES: Final = (
    (100.0, 1.0, "s"),
    (6000.0, 60.0, "m"),
    (172800.0, 3600.0, "h"),
    (float("inf"), 86400.0, "d"),
)


def age_text(seconds: float) -> str:
    """Return an age in at most four characters for a hundred days."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    for below, unit, letter in _AGES:
        if seconds < below:
            return f"{int(seconds // unit)}{letter}"
    return "old"


def age_step(seconds: float) -> float:
    """Return in how many seconds the text of an age will next be worth redrawing."""
    for below, unit, _ in _AGES:
        if seconds < below:
            return unit - seconds % unit
    return 86400.0


def wall_text(wall: float | None) -> str:
    """Return a time of day, with the date when it is out of reach of any day."""
    if wall is None:
        return ""
    try:
        return datetime.fromtimestamp(wall).strftime("%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "unknown time"


# Cells ---------------------------------------------------------------------------------------


def severity_of(row: Row) -> Severity:
    """Return how a row is doing, with "not connected" as one more severity."""
    if row.state is State.LIVE:
        return SEVERITIES[row.severity if 0 <= row.severity <= INVALID else INVALID]
    return {State.LOST: LOST, State.SEARCHING: SEARCHING}.get(row.state, FAILED)


def status_text(status: int) -> str:
    """Return the EPICS word for the cause of an alarm."""
    return ALARM_STATUS[status] if 0 <= status < len(ALARM_STATUS) else f"status {status}"


def alarm_cell(row: Row, theme: Theme) -> Cell:
    """Return symbol, cause and severity, then without the cause, then the symbol alone."""
    severity = severity_of(row)
    if not severity.word:
        return _mark_cell(row, theme)
    symbol = severity.symbol if theme.unicode else severity.plain
    short = f"{symbol} {severity.word}"
    if row.state is State.LIVE:
        return Cell(
            (f"{symbol} {status_text(row.status)} {severity.word}", short, symbol), severity.role
        )
    if row.state is State.LOST:
        since = f"{short} {wall_text(row.lost_wall)}".rstrip()
        return Cell((since, short, symbol), severity.role)
    if row.state is State.FAILED:
        why = f"{symbol} {sanitise(row.failure)}"
        return Cell((why, clip(why, SHORT_FAILURE), short, symbol), severity.role)
    return Cell((short, symbol), severity.role)


def _mark_cell(row: Row, theme: Theme) -> Cell:
    """Return the threshold of the operator's own that a row without alarm has crossed."""
    if row.marked is None:
        return EMPTY
    symbol = MARKED if theme.unicode else MARKED_PLAIN
    return Cell((f"{symbol} {row.marked}", symbol), "threshold")


def value_cell(row: Row, theme: Theme) -> Cell:
    """Return the value; good ones in the colour of their alarm, others as stale."""
    texts = value_texts(row.value, row.metadata, theme.unicode)
    number = isinstance(row.value, (float, int)) and not row.metadata.enums
    if row.state is not State.LIVE:
        return Cell(texts, "stale" if row.value is not None else "searching", number)
    quiet = "threshold" if row.marked is not None else "value"
    return Cell(texts, severity_of(row).role if row.severity else quiet, number)


def trend_cell(row: Row, theme: Theme) -> Cell:
    """Return the recent past of a number, the newest on the right, or the shape of an array."""
    if hasattr(row.value, "dtype"):
        values = profile(row.value, TREND_WIDTH) if _char_text(row.value) is None else []
    else:
        values = row.trend.recent(TREND_WIDTH)
    if not values:
        return EMPTY
    bars = sparkline(values, theme.unicode).rjust(TREND_WIDTH)
    return Cell((bars,), "trend" if row.live else "searching")


def range_cell(row: Row, theme: Theme) -> Cell:
    """Return the lowest and highest value in the time that the trend shows, if they differ."""
    ends = row.trend.extremes(TREND_WIDTH)
    if ends is None or row.metadata.enums or hasattr(row.value, "dtype"):
        return EMPTY
    low, high = (number_text(end, row.metadata.precision) for end in ends)
    dots = "…" if theme.unicode else ".."
    return Cell((f"{low}{dots}{high}",), "unit") if low != high else EMPTY


def age_cell(row: Row, now: float) -> Cell:
    """Return how old the value is, or how long there has been none."""
    if row.live and row.never_processed:
        return Cell(("never",), "age")
    return Cell((age_text(row.age(now)),), "age")


def put_cell(row: Row, now: float) -> Cell:
    """Return the last put of this session: what and when, then when alone."""
    note = row.last_put
    if note is None:
        return EMPTY
    ago = f"{age_text(max(now - note.at, 0.0))} ago"
    if not note.ok:
        return Cell((f"failed {ago}", ago), "minor")
    new = value_texts(note.new, row.metadata)[-1 if hasattr(note.new, "dtype") else 0]
    return Cell((f"{new} {ago}", ago), "put")


def rate_cell(row: Row, now: float) -> Cell:
    """Return updates per second."""
    if not row.live:
        return EMPTY
    rate = row.rate(now)
    return Cell((f"{rate:.1f}/s" if rate < 10 else f"{rate:.0f}/s",), "age")


def stamp_cell(row: Row) -> Cell:
    """Return the time stamp the IOC gave the value."""
    if row.timestamp is None:
        return EMPTY
    return Cell(("never" if row.never_processed else wall_text(row.timestamp),), "age")


def flashing(row: Row, now: float) -> bool:
    """Return whether a value that had been still has only just changed."""
    return row.live and row.arrived - row.changed >= QUIET_S and 0 <= now - row.arrived < FLASH_S
