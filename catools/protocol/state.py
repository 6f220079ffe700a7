# SPDX-License-Identifier: Apache-2.0
"""The books of one circuit, and the few moves that both requests and replies make on them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from . import commands as c
from .eca import ECA_DISCONN, ECA_NOWTACCESS
from .framing import HEADER, frame
from .ids import IdSource
from .large import fresh
from .records import (
    CLEARING,
    GONE,
    CircuitChannel,
    Event,
    Item,
    Put,
    ReadFailed,
    Subscription,
    WriteDone,
)

RECENT_WRITES: Final = 8192
"""Plain WRITEs kept for blaming a later ERROR on the right one; the oldest are forgotten."""

MAX_PAYLOAD: Final = 0x40000000
"""Largest payload believed, 1 GiB: a hostile size must not make us wait or allocate for ever."""

PendingRead = tuple[Any, int, int, CircuitChannel]
"""(token, index, DBR code asked for, channel)."""


class RequestRefused(Exception):
    """A request was refused before anything was sent; the caller's fault.

    `status` is the ECA code to report and `detail` says why.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(slots=True)
class CircuitSettings:
    """What all circuits of one client share; `read_only` may change at any time.

    `memory` returns where a very large message is collected.
    """

    user: bytes = b"nobody"
    host: bytes = b"localhost"
    connection_timeout_s: float = 30.0
    max_payload: int = MAX_PAYLOAD
    read_only: bool = False
    memory: Callable[[int], memoryview] = fresh


class CircuitState:
    """Everything a circuit knows between two calls.

    Invariants: an identifier is in at most one of `reads`, `puts`, `subscriptions` and
    `cancelling`; a channel has at most one WRITE_NOTIFY in flight, because a second one on the same
    SID would block the server's thread for this circuit for up to a minute.
    """

    def __init__(self, settings: CircuitSettings, version_hint: int = 0) -> None:
        self.settings = settings
        self.version = min(version_hint, c.SINCE_TCP_SEARCH)
        self.version_known = False
        self.channels: dict[int, CircuitChannel] = {}
        self.reads: dict[int, PendingRead] = {}
        self.puts: dict[int, Put] = {}
        # Ordered, because finding the oldest entry of a plain dict passes all deleted ones.
        self.recent_writes: OrderedDict[int, Put] = OrderedDict()
        self.subscriptions: dict[int, Subscription] = {}
        self.cancelling: dict[int, Subscription] = {}
        self.outgoing: list[bytes] = []
        self.outgoing_size = 0
        self.queued_size = 0
        self.strays = 0
        self.echo_deadline: float | None = None
        self.ids = IdSource()
        self._sorted_reads: dict[int, list[int]] = {}
        self._sorted_at = 0

    def send(self, data: bytes) -> None:
        """Queue bytes for the wire."""
        if data:
            self.outgoing.append(data)
            self.outgoing_size += len(data)

    def take_output(self) -> bytes:
        """Return everything queued since the last call, as one piece."""
        outgoing = self.outgoing
        if not outgoing:
            return b""
        data = outgoing[0] if len(outgoing) == 1 else b"".join(outgoing)
        outgoing.clear()
        self.outgoing_size = 0
        return data

    def new_id(self) -> int:
        """Return an identifier unused by any request or subscription of this circuit."""
        return self.ids.take(
            self.reads, self.puts, self.recent_writes, self.subscriptions, self.cancelling
        )

    def send_put(self, put: Put) -> None:
        """Put a WRITE or WRITE_NOTIFY on the wire.

        Raises:
            RequestRefused: the client is read-only. This is the one place every write passes.
        """
        if self.settings.read_only:
            raise RequestRefused(ECA_NOWTACCESS, "this client is read-only")
        self.send(put.message)
        # Thousands of puts are remembered after they were sent, and one may be megabytes long.
        put.message = b""
        self.note_sent(put)

    def note_sent(self, put: Put) -> None:
        """Enter a put that is on the wire into the books."""
        put.sent = True
        if put.notify:
            put.channel.put_in_flight = put
            self.puts[put.ident] = put
        else:
            recent = self.recent_writes
            recent[put.ident] = put
            if len(recent) > RECENT_WRITES:
                recent.popitem(last=False)

    def next_puts(self, channel: CircuitChannel, results: list[Item]) -> None:
        """Send what waited behind the WRITE_NOTIFY that has just ended on this channel."""
        channel.put_in_flight = None
        queue = channel.put_queue
        while queue and channel.put_in_flight is None:
            put = queue.popleft()
            self.queued_size -= len(put.message)
            try:
                self.send_put(put)
            except RequestRefused as refusal:
                results.append(WriteDone(put.token, put.index, refusal.status, refusal.detail))

    def send_clear(self, channel: CircuitChannel) -> None:
        """Ask the server to free a channel; its CID stays taken until the answer."""
        channel.state = CLEARING
        self.send(frame(c.CLEAR_CHANNEL, p1=channel.sid, p2=channel.cid))

    def send_cancel(self, subscription: Subscription) -> None:
        """Ask the server to end a subscription; updates for it are dropped from now on."""
        self.cancelling[subscription.ident] = subscription
        subscription.channel.cancelling |= {subscription.ident}
        sid, ident = subscription.channel.sid, subscription.ident
        self.send(
            frame(
                c.EVENT_CANCEL, dtype=subscription.dbr, count=subscription.count, p1=sid, p2=ident
            )
        )

    def cancelled(self, ident: int) -> None:
        """Take the server's word that a subscription has ended."""
        subscription = self.cancelling.pop(ident, None)
        if subscription is not None:
            subscription.channel.cancelling -= {ident}

    def send_echo(self) -> None:
        """Ask for a sign of life in the form the server's revision knows."""
        old = self.version_known and self.version < c.SINCE_ECHO
        self.send(HEADER.pack(c.READ_SYNC if old else c.ECHO, 0, 0, 0, 0, 0))

    def drop_requests(self, channel: CircuitChannel, status: int, detail: str) -> list[Event]:
        """Forget everything outstanding on a channel and return how each request ended."""
        ended: list[Event] = []
        for ident in self._reads_of(channel):
            token, index, _, _ = self.reads.pop(ident)
            ended.append(ReadFailed(token, index, status, detail))
        ended += [
            WriteDone(put.token, put.index, status, detail) for put in self._take_puts(channel)
        ]
        for ident in channel.subscriptions:
            self.subscriptions.pop(ident, None)
        channel.subscriptions.clear()
        # The server answers no EVENT_CANCEL of a channel that it has dropped.
        for ident in channel.cancelling:
            self.cancelling.pop(ident, None)
        channel.cancelling = frozenset()
        return ended

    def _reads_of(self, channel: CircuitChannel) -> list[int]:
        """Return the reads that are outstanding on a channel.

        They are sorted by channel when this is asked for, and again only after others have been
        sent: thousands of channels may be closed one by one while thousands of reads are under way.
        """
        if not self.reads:
            return []
        if self._sorted_at != self.ids.following:
            self._sorted_at = self.ids.following
            self._sorted_reads = {}
            for ident, entry in self.reads.items():
                self._sorted_reads.setdefault(entry[3].cid, []).append(ident)
        found = self._sorted_reads.pop(channel.cid, [])
        return [ident for ident in found if ident in self.reads]

    def _take_puts(self, channel: CircuitChannel) -> Iterator[Put]:
        in_flight, channel.put_in_flight = channel.put_in_flight, None
        queued, channel.put_queue = channel.put_queue or (), None
        if in_flight is not None:
            self.puts.pop(in_flight.ident, None)
            yield in_flight
        for put in queued:
            self.queued_size -= len(put.message)
            yield put

    def drop_everything(self, detail: str) -> list[Event]:
        """Forget all requests because the circuit is down and return how each one ended."""
        ended: list[Event] = [
            ReadFailed(token, index, ECA_DISCONN, detail)
            for token, index, _, _ in self.reads.values()
        ]
        self.reads.clear()
        self.subscriptions.clear()
        self.cancelling.clear()
        for channel in self.channels.values():
            channel.state = GONE
            channel.subscriptions.clear()
            ended += [
                WriteDone(put.token, put.index, ECA_DISCONN, detail)
                for put in self._take_puts(channel)
            ]
        self.channels.clear()
        self.puts.clear()
        self.recent_writes.clear()
        return ended
