# SPDX-License-Identifier: Apache-2.0
"""A PV as the client knows it, across any number of connections."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..conversion import Request, RequestKey, requests_of

if TYPE_CHECKING:
    from ..protocol.records import CircuitChannel
    from .link import Link
    from .monitors import Feed


class Phase(Enum):
    """How far a channel has got."""

    NEW = "never searched"
    SEARCHING = "searching"
    FOUND = "found, not connected yet"
    CONNECTED = "connected"
    CLOSED = "closed"


# Python 3.11 takes 0.2 us to find a member in its class, and 10,000 channels connect at once.
NEW, SEARCHING, FOUND, CONNECTED, CLOSED = Phase


NOTHING: Final[dict[Any, Any]] = {}
"""Stands for each dictionary of a channel until something is entered: two for each of 10,000
channels are a quarter of what the collector would have to look at. Nobody writes to this one."""


class Waiter(Protocol):
    """Somebody who waits for channels to connect, each on behalf of entries of a list."""

    def expect(self, channel: Channel, index: int) -> None:
        """Take note that an entry needs a channel that is not connected."""

    def forget(self, channel: Channel, index: int) -> bool:
        """Take an entry back; True when no other needs the channel."""

    def connected(self, channel: Channel) -> None:
        """Take the news."""

    def closed(self, channel: Channel, status: int, detail: str) -> None:
        """Take the news that it never will."""


class Channel:
    """One PV of one client.

    `record` is its present existence on a circuit: None unless connected, new for every connection.
    """

    __slots__ = (
        "alternates",
        "cid",
        "disconnected_at",
        "feeds",
        "link",
        "lost_reason",
        "name",
        "phase",
        "pinned",
        "raw_name",
        "record",
        "refusals",
        "requests",
        "waiters",
        "wanted_at",
    )

    def __init__(self, name: str, raw_name: bytes, cid: int, now: float) -> None:
        self.name = name
        self.raw_name = raw_name
        self.cid = cid
        self.phase = NEW
        self.link: Link | None = None
        self.record: CircuitChannel | None = None
        self.requests: dict[RequestKey, Request] = NOTHING
        # Thousands of channels that one call waits for have the same tuple.
        self.waiters: tuple[Waiter, ...] = ()
        self.feeds: dict[tuple[object, int, int, int], Feed] = NOTHING
        self.refusals = 0
        self.alternates: tuple[tuple[str, int], ...] = ()
        self.lost_reason = ""
        self.disconnected_at: float | None = None
        self.wanted_at = now
        self.pinned = False

    @property
    def wanted(self) -> bool:
        """True while somebody would notice if the channel connected."""
        return bool(self.waiters or self.feeds or self.pinned)

    @property
    def server(self) -> str:
        """Where the channel is, or was found, as host:port; empty while nobody knows."""
        return self.link.name if self.link is not None else ""

    def request(self, key: RequestKey) -> Request:
        """Return how to ask for a value in some form, which depends on the present native type.

        Raises:
            InvalidDatatype: the form does not exist for this channel.
        """
        record = self.record
        assert record is not None, "only a connected channel has requests"
        # Shared with all channels that are read alike.
        self.requests = requests_of(self.name, record.native_type, record.native_count)
        return self.requests[key]

    def add_feed(self, key: tuple[object, int, int, int], feed: Feed) -> None:
        """Enter a feed, which leaves by itself."""
        if not self.feeds:
            self.feeds = {}
        self.feeds[key] = feed

    def connected(self, link: Link, record: CircuitChannel) -> None:
        """Take the connection: the channel is ready for use."""
        self.record = record
        self.phase = CONNECTED
        self.refusals = 0
        self.disconnected_at = None
        for feed in self.feeds.values():
            feed.start(link, record)
        for waiter in self.take_waiters():
            waiter.connected(self)

    def take_waiters(self) -> tuple[Waiter, ...]:
        """Return those who wait for the connection, once."""
        waiters, self.waiters = self.waiters, ()
        return waiters
