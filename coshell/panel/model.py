# SPDX-License-Identifier: Apache-2.0
"""What a panel knows: one row per PV, driven from outside and blind to how it is shown.

Laws:
  1. Pure. Every method takes `now` (monotonic seconds) and, where a person will read it, `wall`
     (epoch seconds). Nothing here reads a clock, waits, formats or draws.
  2. An update is a few attribute stores. Formatting happens when a view looks, and only for the
     rows it shows; `Row.version` says whether they changed since it last looked.
  3. A disconnected row keeps its last value, and never again counts as good until an update comes.
  4. `Panel.version` grows with every change of any row, so a view can see at once that nothing
     happened.

Two kinds of onlooker: a *listener* is told that something changed and looks for itself (a view); an
*observer* is handed each change, in order, with nothing merged (a log, a recorder).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

from coshell.panel.marks import Mark
from coshell.panel.trend import Trend

NEVER_PROCESSED: Final = 631152000.0
"""The EPICS epoch: the time stamp of a record that has not been processed since its IOC started."""

RATE_WINDOW_S: Final = 2.0
INVALID: Final = 3


class Reading(Protocol):
    """What a panel needs of a Channel Access value in time format."""

    ok: bool
    severity: int
    status: int
    timestamp: float


class State(Enum):
    """Whether the value of a row can be believed."""

    SEARCHING = "searching"
    LIVE = "live"
    LOST = "disconnected"
    FAILED = "failed"


class Kind(Enum):
    """What an observer is told of."""

    UPDATE = "update"
    DISCONNECT = "disconnect"
    METADATA = "metadata"
    PUT = "put"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the control format says about a PV; it changes rarely and outlives its value."""

    units: str = ""
    precision: int | None = None
    enums: tuple[str, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)

    @property
    def control_limits(self) -> tuple[float, float] | None:
        """The range in which the record lets itself be set; None when nobody has set it up."""
        low, high = (self.limits.get(f"{end}_ctrl_limit") for end in ("lower", "upper"))
        return (low, high) if low is not None and high is not None and low < high else None


@dataclass(frozen=True, slots=True)
class PutNote:
    """The last put of this session to a row."""

    at: float
    old: Any
    new: Any
    ok: bool
    text: str = ""


NO_METADATA: Final = Metadata()

LIMITS: Final = (
    "upper_disp_limit",
    "lower_disp_limit",
    "upper_alarm_limit",
    "upper_warning_limit",
    "lower_warning_limit",
    "lower_alarm_limit",
    "upper_ctrl_limit",
    "lower_ctrl_limit",
)
"""The eight limits of the control format, as catools names them."""


def metadata_of(value: Any) -> Metadata:
    """Return what a value in control format says about its PV."""
    return Metadata(
        units=getattr(value, "units", "") or "",
        precision=getattr(value, "precision", None),
        enums=tuple(getattr(value, "enums", ())),
        limits={
            name: float(getattr(value, name))
            for name in LIMITS
            if getattr(value, name, None) is not None
        },
    )


class Row:
    """One line of a panel: a PV or an expression, its newest value and what is known of it."""

    __slots__ = (
        "arrived", "changed", "datatype", "failure", "group", "last_put", "lost_at", "lost_wall",
        "marked", "marks", "metadata", "name", "offset", "rank", "rate_count", "rate_from",
        "rate_value", "severity",
        "state", "status", "timestamp", "trend", "updates", "value", "version",
    )  # fmt: skip

    def __init__(self, name: str, now: float, group: str = "") -> None:
        self.name = name
        self.group = group
        self.state = State.SEARCHING
        self.value: Any = None
        self.severity = 0
        self.status = 0
        self.timestamp: float | None = None
        self.metadata = NO_METADATA
        self.arrived = now
        self.changed = float("-inf")
        self.offset = 0.0
        self.lost_at = now
        self.lost_wall: float | None = None
        self.failure = ""
        self.datatype: int | None = None
        self.rank = 0
        self.trend = Trend()
        self.updates = 0
        self.rate_from = now
        self.rate_count = 0
        self.rate_value = 0.0
        self.last_put: PutNote | None = None
        self.marks: tuple[Mark, ...] = ()
        self.marked: Mark | None = None
        self.version = 0

    @property
    def live(self) -> bool:
        """Whether the value is what the IOC last said over a circuit that is still up."""
        return self.state is State.LIVE

    @property
    def never_processed(self) -> bool:
        """Whether the record behind the value has not been processed since its IOC started."""
        return self.timestamp == NEVER_PROCESSED

    @property
    def urgency(self) -> int:
        """How much the row wants to be seen: its severity, or 4 when there is no good value."""
        return self.severity if self.state is State.LIVE else 4

    def age(self, now: float) -> float:
        """Return the seconds since the value was new, or since the circuit was lost."""
        if self.state is State.LIVE:
            return max(now - self.arrived, 0.0) + self.offset
        return max(now - self.lost_at, 0.0)

    def rate(self, now: float) -> float:
        """Return updates per second over the last few seconds."""
        elapsed = now - self.rate_from
        if self.rate_value and elapsed < RATE_WINDOW_S:
            return self.rate_value
        return (self.updates - self.rate_count) / elapsed if elapsed > 0 else 0.0


Observer = Callable[[Row, Kind, float], None]


class Panel:
    """An ordered set of rows with a title; see the laws at the top of this module."""

    def __init__(self, title: str, names: Iterable[str] = (), now: float = 0.0) -> None:
        self.title = title
        self.version = 0
        self.layout_version = 0
        self.rows: list[Row] = []
        self.updates = 0
        self.newest = float("-inf")
        self._by_name: dict[str, Row] = {}
        self._listeners: list[Callable[[], None]] = []
        self._observers: list[Observer] = []
        self._announced = False
        for name in names:
            self.add(name, now)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Row:
        return self._by_name[name]

    def get(self, name: str) -> Row | None:
        """Return the row of that name, or None."""
        return self._by_name.get(name)

    def add(self, name: str, now: float, group: str = "") -> Row:
        """Append a row and return it; a name already there returns the row it has."""
        row = self._by_name.get(name)
        if row is None:
            row = self._by_name[name] = Row(name, now, group)
            row.rank = self.rows[-1].rank + 1 if self.rows else 0
            self.rows.append(row)
            self._rearranged()
        return row

    def remove(self, name: str) -> Row:
        """Take a row out and return it.

        Raises:
            KeyError: no row has that name.
        """
        row = self._by_name.pop(name)
        self.rows.remove(row)
        self._rearranged()
        return row

    def _rearranged(self) -> None:
        self.layout_version += 1
        self._changed()

    # What happens to rows ------------------------------------------------------------------

    def apply_update(self, row: Row, value: Reading, now: float, wall: float | None = None) -> None:
        """Give a row the value that has just arrived.

        Args:
            row: a row of this panel.
            value: an augmented value in time format; one without alarm fields counts as fine.
            now: monotonic seconds.
            wall: epoch seconds; with it the first value after a connect, which may be old, gets
                its age from its own time stamp. Later ones are as old as their arrival, so that
                an IOC whose clock is wrong cannot make live data look stale.
        """
        if row.state is not State.LIVE:
            self._revive(row, value, now, wall)
        else:
            row.offset = 0.0
        row.value = value
        row.severity = getattr(value, "severity", 0)
        row.status = getattr(value, "status", 0)
        row.timestamp = getattr(value, "timestamp", None)
        row.changed = row.arrived
        row.arrived = now
        merged = getattr(value, "update_count", 1)
        row.updates += merged
        self.updates += merged
        if now - row.rate_from >= RATE_WINDOW_S:
            row.rate_value = (row.updates - row.rate_count) / (now - row.rate_from)
            row.rate_from = now
            row.rate_count = row.updates
        if isinstance(value, (float, int)):
            row.trend.add(value, now)
            if row.marks:
                row.marked = next((mark for mark in row.marks if mark.holds(value)), None)
        if now > self.newest:
            self.newest = now
        row.version += 1
        self._changed()
        if self._observers:
            self._tell(row, Kind.UPDATE, now)

    def _revive(self, row: Row, value: Reading, now: float, wall: float | None) -> None:
        """Bring a row to life: anything measured before the gap no longer holds."""
        row.state = State.LIVE
        row.failure = ""
        row.rate_from = now
        row.rate_count = row.updates
        row.rate_value = 0.0
        stamp = getattr(value, "timestamp", None)
        known = wall is not None and stamp is not None and stamp != NEVER_PROCESSED
        row.offset = max(wall - stamp, 0.0) if known and wall is not None and stamp else 0.0
        datatype = getattr(value, "datatype", None)
        if datatype != row.datatype:
            row.datatype = datatype
            row.trend.clear()

    def apply_metadata(self, row: Row, metadata: Metadata, now: float) -> None:
        """Take units, precision, states and limits."""
        row.metadata = metadata
        self._told(row, Kind.METADATA, now)

    def apply_disconnect(self, row: Row, now: float, wall: float | None = None) -> None:
        """Mark a row as without circuit; repeated notices keep the time of the first."""
        if row.state is State.LOST:
            return
        if row.state is State.LIVE:
            row.lost_at = now
            row.lost_wall = wall
            row.state = State.LOST
        self._told(row, Kind.DISCONNECT, now)

    def apply_failure(self, row: Row, why: str, now: float) -> None:
        """Mark a row as impossible, with the reason: a bad expression, a refused request."""
        if row.state is not State.FAILED:
            row.lost_at = now
        row.state = State.FAILED
        row.failure = why
        self._told(row, Kind.DISCONNECT, now)

    def apply_put(self, row: Row, note: PutNote, now: float) -> None:
        """Remember the last put of this session to a row."""
        row.last_put = note
        self._told(row, Kind.PUT, now)

    def set_marks(self, row: Row, marks: tuple[Mark, ...]) -> None:
        """Give a row thresholds; its present value is held against them at once."""
        row.marks = marks
        value = row.value
        number = isinstance(value, (float, int))
        row.marked = next((m for m in marks if m.holds(value)), None) if number else None
        row.version += 1
        self._changed()

    def _told(self, row: Row, kind: Kind, now: float) -> None:
        row.version += 1
        self._changed()
        if self._observers:
            self._tell(row, kind, now)

    # Onlookers -----------------------------------------------------------------------------

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener()` at the first change after anyone looked; returns what ends it.

        One call stands for any number of changes until the next `look()`, so that fifty thousand
        updates a second cost a view nothing between two of its pictures.
        """
        self._listeners.append(listener)
        self._announced = False
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer(row, kind, now)` for each change; returns the function that ends it."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    def look(self) -> int:
        """Return the version there is now; the next change after it will be announced."""
        self._announced = False
        return self.version

    def _changed(self) -> None:
        self.version += 1
        if not self._announced:
            self._announced = True
            for listener in self._listeners:
                listener()

    def _tell(self, row: Row, kind: Kind, now: float) -> None:
        for observer in self._observers:
            observer(row, kind, now)

    def count(self) -> Counts:
        """Return how many rows are without a circuit and how many in which alarm."""
        return tally(self.rows)


@dataclass(frozen=True, slots=True)
class Counts:
    """How a set of rows is doing; those that are searched for have never had a circuit."""

    rows: int
    searching: int
    disconnected: int
    minor: int
    major: int
    invalid: int

    @property
    def lost(self) -> int:
        """Rows without a value that can be believed."""
        return self.searching + self.disconnected

    @property
    def alarms(self) -> int:
        """Rows with a value in any alarm."""
        return self.minor + self.major + self.invalid


def tally(rows: Iterable[Row]) -> Counts:
    """Count rows without a circuit, and those in each alarm."""
    total = searching = lost = 0
    severities = [0, 0, 0, 0]
    for row in rows:
        total += 1
        if row.state is State.SEARCHING:
            searching += 1
        elif row.state is not State.LIVE:
            lost += 1
        elif row.severity:
            severities[min(max(row.severity, 0), INVALID)] += 1
    return Counts(total, searching, lost, severities[1], severities[2], severities[3])
