# SPDX-License-Identifier: Apache-2.0
"""Watch PVs: keep the rows of a panel up to date from Channel Access.

Two subscriptions per PV: values and alarms in time format, and — one element of it — properties in
control format, so that units, precision and states follow the record, through reconnects too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import time
from typing import Any, Protocol

from catools import DBE_PROPERTY, FORMAT_CTRL, FORMAT_TIME, camonitor
from catools.protocol.eca import ECA_DISCONN
from coshell.computed import Formula
from coshell.expression import Expression, is_expression
from coshell.names import pvs
from coshell.panel.look import Look
from coshell.panel.marks import Mark
from coshell.panel.model import Panel, PutNote, Row, metadata_of
from coshell.past import Past, best, since_then
from cothread.clock import monotonic


class View(Protocol):
    """Whatever shows a panel."""

    def close(self) -> None:
        """Stop showing it."""


class Subscription(Protocol):
    """What camonitor returns."""

    def close(self) -> None:
        """End it; no callback comes later."""


def subscribe(panel: Panel, rows: Sequence[Row]) -> list[list[Subscription]]:
    """Feed rows of a panel from the PVs they are named after; returns what to close, per row."""

    def updated(value: Any, index: int) -> None:
        row = rows[index]
        if value.ok:
            panel.apply_update(row, value, monotonic(), None if row.live else time())
        elif value.errorcode == ECA_DISCONN:
            panel.apply_disconnect(row, monotonic(), time())
        else:
            panel.apply_failure(row, value.message, monotonic())

    def described(value: Any, index: int) -> None:
        if value.ok:
            panel.apply_metadata(rows[index], metadata_of(value), monotonic())

    names = [row.name for row in rows]
    # The properties first: a log's first line of a state is then its name and not its number.
    properties = camonitor(names, described, events=DBE_PROPERTY, format=FORMAT_CTRL, count=1)
    values = camonitor(names, updated, format=FORMAT_TIME, notify_disconnect=True)
    return [list(pair) for pair in zip(values, properties, strict=True)]


def _subscribe_all(panel: Panel, rows: list[Row]) -> Callable[[], None]:
    """Feed rows that live and die together; returns what ends it."""
    subscriptions = subscribe(panel, rows)

    def close() -> None:
        for pair in subscriptions:
            for subscription in pair:
                subscription.close()

    return close


class Watch:
    """A panel and what feeds it.

    Args:
        name: what the panel is called.

    Attributes:
        look: how it is shown.
        opens: whether it opens with the shell, once it is saved.
        views: where it is shown, by kind ("dock", "log").
    """

    def __init__(self, name: str) -> None:
        self.panel = Panel(name)
        self.look = Look()
        self.opens = False
        self.views: dict[str, View] = {}
        self._feeds: dict[str, list[Subscription]] = {}
        self._on_close: list[Callable[[Watch], object]] = []

    @property
    def name(self) -> str:
        """What the panel is called."""
        return self.panel.title

    @property
    def names(self) -> list[str]:
        """The PVs and expressions there are, in order."""
        return [row.name for row in self.panel]

    def __repr__(self) -> str:
        count = self.panel.count()
        lost = f", {count.disconnected} disconnected" if count.disconnected else ""
        if count.searching == count.rows:
            lost = ", connecting" * (count.rows > 0)
        elif count.searching:
            lost += f", {count.searching} searching"
        return f"<panel {self.name}: {count.rows} PV{'s' * (count.rows != 1)}{lost}>"

    def add(self, words: Iterable[str], known: Iterable[str] = (), group: str = "") -> list[str]:
        """Watch PVs and expressions as well, and return those that were not watched before.

        Args:
            words: names, patterns such as `SR-BPM-{01..12}:X`, expressions such as `I1 - I2`.
            known: names a glob is matched against.
            group: the heading under which they stand.

        Raises:
            PatternError: a pattern cannot be expanded.
            ExpressionError: an expression cannot be read.
        """
        wanted: list[tuple[str, Expression | None]] = []
        for word in words:
            if is_expression(word):
                expression = Expression(word)
                wanted.append((expression.text, expression))
            else:
                wanted += [(name, None) for name in pvs([word], known)]
        now = monotonic()
        plain: list[Row] = []
        fresh: list[str] = []
        for name, formula in dict(wanted).items():
            if name in self.panel:
                continue
            fresh.append(name)
            row = self.panel.add(name, now, group)
            if formula is None:
                plain.append(row)
            else:
                self._feeds[name] = [Formula(formula, self.panel, row, _subscribe_all)]
        for row, feeds in zip(plain, subscribe(self.panel, plain), strict=True):
            self._feeds[row.name] = feeds
        return fresh

    def mark(self, marks: Iterable[tuple[str, Mark]]) -> None:
        """Give rows thresholds; those without a name hold for every row.

        Raises:
            LookupError: a threshold names a row there is not.
        """
        for name, mark in marks:
            if name and name not in self.panel:
                raise LookupError(f"{name}: has no row in panel {self.name}")
            for row in [self.panel[name]] if name else self.panel.rows:
                if mark not in row.marks:
                    self.panel.set_marks(row, (*row.marks, mark))

    def remove(self, names: Iterable[str]) -> None:
        """Stop watching these PVs."""
        for name in names:
            self.panel.remove(name)
            for feed in self._feeds.pop(name, []):
                feed.close()

    def on_close(self, callback: Callable[[Watch], object]) -> None:
        """Call `callback(self)` when the watch is closed."""
        self._on_close.append(callback)

    def close(self) -> None:
        """End every subscription and every view; may be repeated."""
        self.remove(self.names)
        views, self.views = self.views, {}
        for view in views.values():
            view.close()
        callbacks, self._on_close = self._on_close, []
        for callback in callbacks:
            callback(self)


class NoSuchPanel(LookupError):
    """Say that nothing of that name is watched, and what is."""


class Watches:
    """The named watches of a session."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}

    def __iter__(self) -> Iterator[Watch]:
        return iter(self._watches.values())

    def __len__(self) -> int:
        return len(self._watches)

    def __getitem__(self, name: str) -> Watch:
        return self._watches[name]

    def __contains__(self, name: object) -> bool:
        return name in self._watches

    def open(self, words: Sequence[str] | str, name: str = "watch", group: str = "") -> Watch:
        """Watch PVs in the panel of that name, which is made if there is none.

        Args:
            words: PVs, ranges and expressions; a string holds several PVs between blanks.
            name: of the panel.
            group: the heading under which they stand.

        Raises:
            PatternError: a pattern cannot be expanded.
            ExpressionError: an expression cannot be read.
        """
        watch = self._watches.get(name)
        made = watch is None
        if watch is None:
            watch = Watch(name)
        watch.add(words.split() if isinstance(words, str) else words, self.known(), group)
        if made:
            self._watches[name] = watch
            watch.on_close(lambda closed: self._watches.pop(closed.name, None))
        return watch

    def known(self) -> list[str]:
        """Return every PV that is watched somewhere, without the expressions."""
        names = dict.fromkeys(name for watch in self for name in watch.names)
        return [name for name in names if not is_expression(name)]

    def recorded(self, name: str, since: float) -> Past:
        """Return what the panels remember of a PV since a monotonic time."""
        rows = [watch.panel[name] for watch in self if name in watch.panel]
        return best((since_then(row.datatype, row.trend, since) for row in rows), since)

    def drop(self, what: str) -> list[str]:
        """Close the panel of that name, or take PVs out of every panel; "all" ends everything.

        Args:
            what: the name of a panel, PV names or patterns, or "all".

        Returns:
            What was dropped, in words.

        Raises:
            NoSuchPanel: nothing of that name is watched.
        """
        if what == "all":
            dropped = [watch.name for watch in self]
            for name in dropped:
                self._watches[name].close()
            return dropped
        if what in self._watches:
            self._watches[what].close()
            return [what]
        gone = []
        rows = [what] if any(what in watch.panel for watch in self) else pvs(what, self.known())
        for name in rows:
            holders = [watch for watch in self if name in watch.panel]
            if not holders:
                raise NoSuchPanel(f"{name}: not watched; watched are {self._listing()}")
            for watch in holders:
                watch.remove([name])
                if not len(watch.panel):
                    watch.close()
            gone.append(name)
        return gone

    def _listing(self) -> str:
        names = [watch.name for watch in self] + self.known()
        return ", ".join(names[:8]) + (" …" if len(names) > 8 else "") if names else "no PVs at all"

    def note_put(self, name: str, value: Any, ok: bool) -> None:
        """Show a put in every row of that PV."""
        now = monotonic()
        for watch in self:
            row = watch.panel.get(name)
            if row is not None:
                watch.panel.apply_put(row, PutNote(now, row.value, value, ok), now)
