# SPDX-License-Identifier: Apache-2.0
"""The books of one circuit, and the few moves that both requests and replies make on them.

Theory of puts with completion: an IOC hands each completion to its callback thread through a queue
of 2,000 places. What does not fit is lost, and such a put never ends. So no more than
`MOST_OUTSTANDING` are under way at a time, and what comes on top is held; while anything is held,
everything that is written stands behind it. Slow records do not stand in that queue. They are told
from a server that is itself behind by an ECHO sent after the last put: once it has been answered,
and no put has ended for `SLOW_AFTER_S`, the oldest under way are slow and count no more. A few at a
time, since a server's callback thread may not have run all the while.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from . import commands as c
from .eca import ECA_DISCONN, ECA_NOWTACCESS
from .framing import HEADER, frame
from .ids import IdSource
from .large import fresh
from .records import (
    CLEARING,
    CONNECTED,
    GONE,
    CircuitChannel,
    DeadlineSet,
    Event,
    Item,
    Put,
    ReadFailed,
    Subscription,
    WriteDone,
)

MOST_OUTSTANDING: Final = 1000
"""WRITE_NOTIFYs under way at a time, those of slow records apart: half of an IOC's places, since
others use them too."""

GOOD_ROOM: Final = 250
"""Puts that are held go out together, when there is room for so many."""

SLOW_AFTER_S: Final = 0.2
"""A put that a server has taken, and has not ended after so long without other news, is slow."""

RECENT_WRITES: Final = 8192
"""Plain WRITEs kept for blaming a later ERROR on the right one; the oldest are forgotten."""

READ_ONLY: Final = "this client is read-only"

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
    SID would block the server's thread for this circuit for up to a minute. `held` are the puts
    that wait for room, in the order in which they were written; `slow` are the identifiers of those
    in `puts` that take their time. A Put has a message exactly as long as it waits.
    """

    def __init__(self, settings: CircuitSettings, version_hint: int = 0) -> None:
        self.settings = settings
        self.version = min(version_hint, c.SINCE_TCP_SEARCH)
        self.version_known = False
        self.channels: dict[int, CircuitChannel] = {}
        self.reads: dict[int, PendingRead] = {}
        self.puts: dict[int, Put] = {}
        self.held: deque[Put] = deque()
        self.slow: set[int] = set()
        # Ordered, because finding the oldest entry of a plain dict passes all deleted ones.
        self.recent_writes: OrderedDict[int, Put] = OrderedDict()
        self.subscriptions: dict[int, Subscription] = {}
        self.cancelling: dict[int, Subscription] = {}
        self.outgoing: list[bytes] = []
        self.outgoing_size = 0
        self.queued_size = 0
        self.strays = 0
        self.echo_deadline: float | None = None
        self.heard_at = 0.0
        self.slow_at: float | None = None
        self._sent_since = False
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
            raise RequestRefused(ECA_NOWTACCESS, READ_ONLY)
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

    def put_ended(self, put: Put, results: list[Item]) -> None:
        """Take the end of a WRITE_NOTIFY; what waited behind it on its channel is sent."""
        channel = put.channel
        channel.put_in_flight = None
        if self.slow:
            self.slow.discard(put.ident)
        queue = channel.put_queue
        while queue and channel.put_in_flight is None:
            put = queue.popleft()
            if self.settings.read_only:
                self._refuse(put, results, ECA_NOWTACCESS, READ_ONLY)
            else:
                self.queued_size -= len(put.message)
                self.send_put(put)

    def queue_put(self, put: Put) -> None:
        """Have a put wait behind the others of its channel."""
        if put.channel.put_queue is None:
            put.channel.put_queue = deque()
        put.channel.put_queue.append(put)
        self.queued_size += len(put.message)

    def take_out(self, put: Put) -> None:
        """Enter into the books that a put waits no longer, and will not be sent."""
        self.queued_size -= len(put.message)
        put.message = b""

    def _refuse(self, put: Put, results: list[Item], status: int, detail: str) -> None:
        self.take_out(put)
        results.append(WriteDone(put.token, put.index, status, detail))

    # Puts that are held

    @property
    def room(self) -> int:
        """How many more WRITE_NOTIFYs may be under way."""
        return MOST_OUTSTANDING - len(self.puts) + len(self.slow)

    def hold(self, puts: Sequence[Put]) -> None:
        """Have puts wait for room, behind all that wait for it already."""
        if puts and not self.held:
            self._ask()
        self.held += puts
        self.queued_size += sum([len(put.message) for put in puts])

    def release(self, results: list[Item]) -> None:
        """Send what is held, in order, as far as there is room."""
        held = self.held
        room = self.room
        before = len(held)
        messages: list[bytes] = []
        while held and (room > 0 or not held[0].notify):
            put = held.popleft()
            channel = put.channel
            if channel.state is not CONNECTED:
                self._refuse(put, results, ECA_DISCONN, "the channel has gone")
            elif self.settings.read_only:
                self._refuse(put, results, ECA_NOWTACCESS, READ_ONLY)
            elif channel.put_queue or (put.notify and channel.put_in_flight):
                self.queued_size -= len(put.message)
                self.queue_put(put)
            else:
                messages.append(put.message)
                put.message = b""
                self.note_sent(put)
                room -= put.notify
        data = b"".join(messages)
        self.send(data)
        self.queued_size -= len(data)
        if len(held) < before:
            self._sent_since = True
            if self.slow_at is not None:
                self.slow_at = self.heard_at + SLOW_AFTER_S

    def find_slow(self, results: list[Item]) -> None:
        """Take it that there was no news until `slow_at`: go on all the same, or ask once more."""
        self.slow_at = None
        if self.held and not self._sent_since:
            slow = self.slow
            slow.update(islice([ident for ident in self.puts if ident not in slow], GOOD_ROOM))
            self.release(results)
        if self.held:
            self._ask()

    def answered(self, results: list[Item]) -> None:
        """Take the answer to an ECHO: what was sent before it has been taken."""
        self.echo_deadline = None
        if self.held and self.slow_at is None:
            self.slow_at = self.heard_at + SLOW_AFTER_S
            results.append(DeadlineSet())

    def _ask(self) -> None:
        self.slow_at = None
        self._sent_since = False
        self.send_echo()

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
            self.slow.discard(in_flight.ident)
            yield in_flight
        for put in queued:
            self.take_out(put)
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
        puts: list[Put] = []
        for channel in self.channels.values():
            channel.state = GONE
            channel.subscriptions.clear()
            puts += self._take_puts(channel)
        for put in self.held:
            self.take_out(put)
        puts += self.held
        ended += [WriteDone(put.token, put.index, ECA_DISCONN, detail) for put in puts]
        self.held.clear()
        self.channels.clear()
        self.puts.clear()
        self.slow.clear()
        self.recent_writes.clear()
        return ended
