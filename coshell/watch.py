# SPDX-License-Identifier: Apache-2.0
"""Watch PVs: keep the rows of a panel up to date from Channel Access.

Two subscriptions per PV: values and alarms in time format, and — one element of it — properties in
control format, so that units, precision and states follow the record, through reconnects too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import time
from typing import Any, Protocol

from catools import DBE_PROPERTY, FORMAT_CTRL, FORMAT_TIME, camonitor
from coshell.names import pvs
from coshell.panel.model import Panel, PutNote
from cothread.clock import monotonic


class View(Protocol):
    """Whatever shows a panel."""

    def close(self) -> None:
        """Stop showing it."""


class Subscription(Protocol):
    """What camonitor returns."""

    def close(self) -> None:
        """End it; no callback comes later."""


class Watch:
    """A panel and the subscriptions that feed it.

    Args:
        name: what the panel is called.
        names: PVs, in order.
    """

    def __init__(self, name: str, names: Iterable[str] = ()) -> None:
        self.panel = Panel(name)
        self.views: list[View] = []
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._on_close: list[Callable[[Watch], object]] = []
        self.add(names)

    @property
    def name(self) -> str:
        """What the panel is called."""
        return self.panel.title

    @property
    def names(self) -> list[str]:
        """The rows there are, in order."""
        return [row.name for row in self.panel]

    def __repr__(self) -> str:
        count = self.panel.count()
        lost = f", {count.lost} not connected" if count.lost else ""
        return f"<panel {self.name}: {count.rows} PV{'s' * (count.rows != 1)}{lost}>"

    def add(self, names: Iterable[str], group: str = "") -> list[str]:
        """Watch these PVs as well, and return those that were not watched before."""
        fresh = [name for name in dict.fromkeys(names) if name not in self.panel]
        now = monotonic()
        rows = [self.panel.add(name, now, group) for name in fresh]
        if not fresh:
            return []

        def updated(value: Any, index: int) -> None:
            if value.ok:
                self.panel.apply_update(rows[index], value, monotonic(), time())
            else:
                self.panel.apply_disconnect(rows[index], monotonic(), time())

        def described(value: Any, index: int) -> None:
            if value.ok:
                self.panel.apply_metadata(rows[index], value, monotonic())

        values = camonitor(fresh, updated, format=FORMAT_TIME, notify_disconnect=True)
        properties = camonitor(fresh, described, events=DBE_PROPERTY, format=FORMAT_CTRL, count=1)
        for name, value, prop in zip(fresh, values, properties, strict=True):
            self._subscriptions[name] = [value, prop]
        return fresh

    def remove(self, names: Iterable[str]) -> None:
        """Stop watching these PVs."""
        for name in names:
            self.panel.remove(name)
            for subscription in self._subscriptions.pop(name, []):
                subscription.close()

    def on_close(self, callback: Callable[[Watch], object]) -> None:
        """Call `callback(self)` when the watch is closed."""
        self._on_close.append(callback)

    def close(self) -> None:
        """End every subscription and every view; may be repeated."""
        self.remove(self.names)
        views, self.views = self.views, []
        for view in views:
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

    def __iter__(self) -> Any:
        return iter(self._watches.values())

    def __len__(self) -> int:
        return len(self._watches)

    def __getitem__(self, name: str) -> Watch:
        return self._watches[name]

    def __contains__(self, name: object) -> bool:
        return name in self._watches

    def open(self, names: Sequence[str] | str, name: str = "watch") -> Watch:
        """Watch PVs in the panel of that name, which is made if there is none.

        Args:
            names: PVs; ranges like `SR-BPM-{01..12}:X` are expanded.
            name: of the panel.
        """
        wanted = pvs(names, self.known())
        watch = self._watches.get(name)
        if watch is None:
            watch = self._watches[name] = Watch(name)
            watch.on_close(lambda closed: self._watches.pop(closed.name, None))
        watch.add(wanted)
        return watch

    def known(self) -> list[str]:
        """Return every PV that is watched somewhere."""
        return list(dict.fromkeys(name for watch in self for name in watch.names))

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
        for name in pvs(what, self.known()):
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
