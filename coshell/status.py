# SPDX-License-Identifier: Apache-2.0
"""The status line: what it says about Channel Access and the panels.

Nothing here starts a client: before the first PV is used there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from coshell.session import Session
from cothread.clock import monotonic

if TYPE_CHECKING:
    from catools.client.client import Client

__all__ = ["Alarms", "Connections", "Mode", "Rate", "fields"]

RATE_S: Final = 1.0
SEARCHING_S: Final = 2.0


def _client() -> Client | None:
    from catools.client.default import running

    return running()


class Connections:
    """How many PVs there are, how many lost their circuit, and how many never had one."""

    def __init__(self, client: Callable[[], Any] = _client) -> None:
        self._client = client
        self.refresh_s: float | None = None

    def __call__(self) -> str:
        """Return the field."""
        client = self._client()
        if client is None or not client.channels:
            self.refresh_s = None
            return ""
        without = [one for one in client.channels.values() if one.record is None]
        lost = sum(one.disconnected_at is not None for one in without)
        # What was never found, and nobody waits for any more, was most likely mistyped.
        idle = sum(one.disconnected_at is None and not one.wanted for one in without)
        count = len(client.channels) - idle
        # A channel of no panel tells nobody when it is found.
        self.refresh_s = SEARCHING_S if without else None
        if not count:
            return ""
        searching = len(without) - lost - idle
        text = f"{count} PV{'s' * (count != 1)}"
        text += f" · {lost} disconnected" if lost else ""
        return f"{text} · {searching} searching" if searching else text


class Alarms:
    """How many rows of the panels are in alarm."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self) -> str:
        """Return the field."""
        count = sum(watch.panel.count().alarms for watch in self._session.watches)
        return f"{count} alarm{'s' * (count != 1)}" if count else ""


class Rate:
    """How many updates come in each second."""

    def __init__(
        self, client: Callable[[], Any] = _client, clock: Callable[[], float] = monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._since = 0.0
        self._counted = 0
        self._rate = 0.0
        self.refresh_s: float | None = None

    def __call__(self) -> str:
        """Return the field."""
        client = self._client()
        if client is None:
            return ""
        now, counted = self._clock(), client.dispatcher.delivered
        elapsed = now - self._since
        if elapsed >= RATE_S or counted < self._counted:
            self._rate = max(0.0, (counted - self._counted) / elapsed)
            self._since, self._counted = now, counted
        # One look after the last update, so that a rate of long ago does not stay.
        self.refresh_s = RATE_S if self._rate or counted != self._counted else None
        return f"{self._rate:.0f} upd/s" if self._rate else ""


class Mode:
    """Whether puts are allowed."""

    def __init__(self, client: Callable[[], Any] = _client) -> None:
        self._client = client

    def __call__(self) -> str:
        """Return the field."""
        client = self._client()
        if client is None:
            return ""
        return "READ-ONLY" if client.settings.read_only else "read-write"


def fields(session: Session) -> list[Callable[[], str]]:
    """Return the fields in the order of their importance."""
    return [Connections(), Alarms(session), Rate(), Mode()]
