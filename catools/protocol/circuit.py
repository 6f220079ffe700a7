# SPDX-License-Identifier: Apache-2.0
"""One virtual circuit: bytes and `now` in; a list of results, bytes to send and a deadline out.

Law: `receive` makes no object per frame. A monitor update or the reply to a read comes out as one
tuple (token, index, element count, payload); everything rarer is an event object. Results stand in
the order in which the server sent them.

Theory: the first flight is VERSION, CLIENT_NAME, HOST_NAME, and the server's own VERSION is never
waited for. Replies are matched by identifier alone. Whether an empty EVENT_ADD acknowledges a
cancel or is an empty array is decided by what we did, never by its bytes.

Invariants: after a Fault nothing more is accepted or produced; every request ends exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from . import commands as c
from .dbr import DBR_STRING, DBR_TYPES, LAST_DBR, WRITABLE
from .eca import (
    ECA_BADMASK,
    ECA_BADTYPE,
    ECA_CHANDESTROY,
    ECA_DISCONN,
    ECA_NORDACCESS,
    ECA_NOWTACCESS,
    ECA_TOLARGE,
)
from .framing import (
    EXTENDED,
    EXTENDED_SIZE,
    EXTENSION,
    HEADER,
    HEADER_SIZE,
    MONITOR_BODY,
    header,
    padded,
    text_frame,
)
from .records import (
    ChannelState,
    CircuitChannel,
    Event,
    Fault,
    Item,
    Put,
    ReadFailed,
    Subscription,
    SubscriptionFailed,
)
from .replies import REPLIES
from .state import CircuitSettings, CircuitState, PendingRead, RequestRefused

__all__ = ["Circuit", "CircuitSettings", "RequestRefused"]

LARGE: Final = 4096
"""Payloads above this come out as views of the received block instead of copies."""

FIRST_BYTES_S: Final = 5.0
"""A server that has not sent a single byte this long after the connection gets an ECHO."""

Wanted = tuple[CircuitChannel, int, int, int]
"""(channel, DBR code, count, index)"""

_SCALAR_SIZES: Final = tuple(row.size(1) for row in DBR_TYPES)
_MONITOR_SIZE: Final = MONITOR_BODY.size


class Circuit(CircuitState):
    """The client's end of one TCP connection, without the connection."""

    def __init__(
        self,
        settings: CircuitSettings,
        now: float,
        *,
        priority: int = 0,
        version_hint: int = 0,
        echo_timeout_s: float = c.ECHO_TIMEOUT_S,
    ) -> None:
        super().__init__(settings, version_hint)
        self._pieces: list[bytes] = []
        self._pieces_size = 0
        self._needed = 0
        self._fault: Fault | None = None
        self._echo_timeout = echo_timeout_s
        self._heard_at = now
        self._heard = False
        self.send(HEADER.pack(c.VERSION, 0, priority, c.MINOR_VERSION, 0, 0))
        self.send(text_frame(c.CLIENT_NAME, settings.user))
        self.send(text_frame(c.HOST_NAME, settings.host))

    # What the server sends

    def receive(self, data: bytes, now: float) -> list[Item]:
        """Take bytes as they came and return what they complete."""
        results: list[Item] = []
        if self._fault is not None:
            return results
        self._heard_at = now
        self._heard = True
        if self.echo_deadline is not None:
            self.echo_deadline = now + self._echo_timeout
        if self._pieces:
            self._pieces.append(data)
            self._pieces_size += len(data)
            if self._pieces_size < self._needed:
                return results
            data = b"".join(self._pieces)
            self._pieces.clear()
        used, needed = self._frames(data, results)
        if needed and used < len(data):
            self._pieces.append(data[used:])
            self._pieces_size = len(data) - used
            self._needed = needed
        return results

    @property
    def wanted(self) -> int:
        """How many more bytes complete the message that is being received; a hint for reading."""
        return self._needed - self._pieces_size if self._pieces else 0

    def _frames(self, data: bytes, results: list[Item]) -> tuple[int, int]:  # noqa: C901
        """Take whole messages from the front; return what was used and what the next one needs.

        This is the hot loop, about 0.5 us per update, so the two kinds of data are handled inline.
        """
        unpack = HEADER.unpack_from
        append = results.append
        subscriptions = self.subscriptions
        reads = self.reads
        view: memoryview | None = None
        position, end = 0, len(data)
        while position + HEADER_SIZE <= end:
            command, size, dtype, count, p1, p2 = unpack(data, position)
            body = position + HEADER_SIZE
            if size == EXTENDED:
                if position + EXTENDED_SIZE > end:
                    return position, EXTENDED_SIZE
                size, count = EXTENSION.unpack_from(data, body)
                body = position + EXTENDED_SIZE
            if size & 7 or size > self.settings.max_payload:
                self.fail(results, f"{c.command_name(command)} with a payload of {size} bytes")
                return position, 0
            after = body + size
            if after > end:
                return position, after - position
            payload: bytes | memoryview
            if size > LARGE:
                if view is None:
                    view = memoryview(data)
                payload = view[body:after]
            else:
                payload = data[body:after]
            if command == c.EVENT_ADD:
                sub = subscriptions.get(p2)
                if (
                    sub is not None
                    and p1 == 1
                    and dtype == sub.dbr
                    and count * sub.element_size + sub.value_offset <= size
                ):
                    append((sub.token, 0, count, payload))
                else:
                    self._odd_update(sub, dtype, count, p1, p2, payload, results)
            elif command == c.READ_NOTIFY:
                entry = reads.pop(p2, None)
                if (
                    entry is not None
                    and p1 == 1
                    and dtype == entry[2]
                    and count == 1
                    and size >= _SCALAR_SIZES[dtype]
                ):
                    append((entry[0], entry[1], 1, payload))
                else:
                    self._other_read(entry, dtype, count, p1, payload, results)
            else:
                handler = REPLIES.get(command)
                if handler is None:
                    self.strays += 1
                else:
                    handler(self, dtype, count, p1, p2, bytes(payload), results)
            position = after
        return position, HEADER_SIZE

    def _odd_update(
        self,
        sub: Subscription | None,
        dtype: int,
        count: int,
        status: int,
        ident: int,
        payload: bytes | memoryview,
        results: list[Item],
    ) -> None:
        """Take an EVENT_ADD that is late, an acknowledgement, a failure, or malformed."""
        if sub is None:
            if ident not in self.cancelling:
                self.strays += 1
            elif not payload:
                del self.cancelling[ident]
            return
        if not status & 1:
            results.append(SubscriptionFailed(sub.token, status))
            return
        usable = _usable(dtype, sub.dbr, count, payload)
        if usable is None:
            results.append(SubscriptionFailed(sub.token, ECA_BADTYPE, "an update is unusable"))
        else:
            results.append((sub.token, 0, *usable))

    def _other_read(
        self,
        entry: PendingRead | None,
        dtype: int,
        count: int,
        status: int,
        payload: bytes | memoryview,
        results: list[Item],
    ) -> None:
        """Take a READ_NOTIFY that is not a plain scalar: array, failure, stray or malformed."""
        if entry is None:
            self.strays += 1
            return
        token, index, wanted, _ = entry
        if not status & 1:
            results.append(ReadFailed(token, index, status))
            return
        usable = _usable(dtype, wanted, count, payload)
        if usable is None:
            results.append(ReadFailed(token, index, ECA_BADTYPE, "the reply is unusable"))
        else:
            results.append((token, index, *usable))

    def fail(self, results: list[Item], reason: str) -> None:
        """Declare the circuit broken and end every request."""
        self._fault = Fault(reason)
        self._pieces.clear()
        results.extend(self.drop_everything(reason))
        results.append(self._fault)

    def disconnected(self, reason: str) -> list[Event]:
        """Tell the circuit that its connection is gone and return how its requests ended."""
        if self._fault is not None:
            return []
        self._fault = Fault(reason)
        self._pieces.clear()
        return self.drop_everything(reason)

    # Time

    @property
    def deadline(self) -> float:
        """When `tick` must be called next."""
        if self.echo_deadline is not None:
            return self.echo_deadline
        quiet = self.settings.connection_timeout_s
        return self._heard_at + (quiet if self._heard else min(quiet, FIRST_BYTES_S))

    def tick(self, now: float) -> list[Item]:
        """Do what is due: ask a silent server for a sign of life, or give it up.

        Call it only after reading what has already arrived, or a client that was held up itself
        will take its own delay for the server's.
        """
        results: list[Item] = []
        if self._fault is not None or now < self.deadline:
            return results
        if self.echo_deadline is None:
            self.probe(now)
        else:
            self.fail(results, f"server silent for {now - self._heard_at:.0f} s")
        return results

    def probe(self, now: float) -> None:
        """Ask for a sign of life at once, for instance because a beacon hinted at a restart."""
        if self.echo_deadline is None and self._fault is None:
            self.echo_deadline = now + self._echo_timeout
            self.send_echo()

    # What the client asks for

    @property
    def busy(self) -> bool:
        """True while something is outstanding that the server still has to answer."""
        return bool(self.reads or self.puts or self.echo_deadline is not None)

    def create(self, cid: int, name: bytes, token: Any) -> CircuitChannel:
        """Ask the server for a channel."""
        channel = CircuitChannel(cid, name, token)
        self.channels[cid] = channel
        self.send(text_frame(c.CREATE_CHAN, name, p1=cid, p2=c.MINOR_VERSION))
        return channel

    def clear(self, channel: CircuitChannel) -> list[Event]:
        """Give a channel back and return how its outstanding requests ended."""
        if channel.state is ChannelState.CREATING:
            # Its SID is unknown; the CLEAR goes out when the server tells it.
            channel.state = ChannelState.CLEARING
            channel.sid = -1
        elif channel.state is ChannelState.CONNECTED:
            self.send_clear(channel)
        return self.drop_requests(channel, ECA_CHANDESTROY, "the channel was closed")

    def read(
        self, channel: CircuitChannel, dbr: int, count: int, token: Any, index: int = 0
    ) -> int:
        """Ask for a value and return the request's identifier.

        Args:
            count: number of elements; 0 means as many as there are at the moment.

        Raises:
            RequestRefused: not connected, no read access, or too large for an old server.
        """
        if channel.state is not ChannelState.CONNECTED:
            raise RequestRefused(ECA_DISCONN, "the channel is not connected")
        if not channel.access & c.READ_ACCESS:
            raise RequestRefused(ECA_NORDACCESS, "the server grants no read access")
        if self.version < c.SINCE_CURRENT_LENGTH or count >= EXTENDED:
            count = self._count_for_version(channel, dbr, count)
        ident = self.ids.take(
            self.reads, self.puts, self.recent_writes, self.subscriptions, self.cancelling
        )
        self.reads[ident] = (token, index, dbr, channel)
        if count < EXTENDED:
            self.send(HEADER.pack(c.READ_NOTIFY, 0, dbr, count, channel.sid, ident))
        else:
            self.send(header(c.READ_NOTIFY, 0, dbr, count, channel.sid, ident))
        return ident

    def read_many(self, wanted: Sequence[Wanted], token: Any) -> list[tuple[int, RequestRefused]]:
        """Ask for many values at once; for each of them what `read` does, in a third of the time.

        Returns:
            Index and reason of each request that was refused.
        """
        refused: list[tuple[int, RequestRefused]] = []
        first = self.ids.take_block(len(wanted))
        if first is None or self.version < c.SINCE_CURRENT_LENGTH:
            for channel, dbr, count, index in wanted:
                try:
                    self.read(channel, dbr, count, token, index)
                except RequestRefused as refusal:
                    refused.append((index, refusal))
            return refused
        messages: list[bytes] = []
        append = messages.append
        pack = HEADER.pack
        reads = self.reads
        connected = ChannelState.CONNECTED
        for ident, (channel, dbr, count, index) in enumerate(wanted, first):
            if channel.state is connected and channel.access & 1 and count < EXTENDED:
                reads[ident] = (token, index, dbr, channel)
                append(pack(c.READ_NOTIFY, 0, dbr, count, channel.sid, ident))
                continue
            try:
                self.read(channel, dbr, count, token, index)
            except RequestRefused as refusal:
                refused.append((index, refusal))
        self.send(b"".join(messages))
        return refused

    def abandon_all(self, token: Any) -> None:
        """Forget all reads of one caller, who has gone; late answers are dropped as strays."""
        gone = [ident for ident, entry in self.reads.items() if entry[0] is token]
        for ident in gone:
            del self.reads[ident]

    def write(
        self,
        channel: CircuitChannel,
        dbr: int,
        count: int,
        payload: bytes,
        *,
        notify: bool,
        token: Any,
        index: int = 0,
    ) -> Put:
        """Write a value; with `notify` the server tells when processing has ended.

        Writes to one channel reach the server in the order of these calls. While a WRITE_NOTIFY
        is unanswered the next one on the same channel waits, and so does whatever follows it.

        Raises:
            RequestRefused: not connected, read-only, no write access, unwritable type, too large.
        """
        if channel.state is not ChannelState.CONNECTED:
            raise RequestRefused(ECA_DISCONN, "the channel is not connected")
        if self.settings.read_only:
            raise RequestRefused(ECA_NOWTACCESS, "this client is read-only")
        if not channel.access & c.WRITE_ACCESS:
            raise RequestRefused(ECA_NOWTACCESS, "the server grants no write access")
        if dbr not in WRITABLE:
            raise RequestRefused(ECA_BADTYPE, f"DBR type {dbr} cannot be written")
        body = padded(payload)
        self._check_size(len(body), count)
        ident = self.new_id()
        command = c.WRITE_NOTIFY if notify else c.WRITE
        message = header(command, len(body), dbr, count, channel.sid, ident) + body
        put = Put(channel, ident, message, notify, token, index)
        if channel.put_queue or (notify and channel.put_in_flight is not None):
            channel.put_queue.append(put)
        else:
            self.send_put(put)
        return put

    def withdraw(self, put: Put) -> bool:
        """Take a put back; True when it had not been sent and now never will be."""
        if put.sent:
            return False
        try:
            put.channel.put_queue.remove(put)
        except ValueError:
            return False
        return True

    def subscribe(
        self, channel: CircuitChannel, dbr: int, count: int, mask: int, token: Any
    ) -> Subscription:
        """Ask for updates; the first comes at once, whatever the mask.

        Raises:
            RequestRefused: not connected, or type or mask that would make the server hang up.
        """
        if channel.state is not ChannelState.CONNECTED:
            raise RequestRefused(ECA_DISCONN, "the channel is not connected")
        if not 0 < mask <= 0xFF:
            raise RequestRefused(ECA_BADMASK, f"event mask {mask} is not within 1 to 255")
        if not 0 <= dbr <= LAST_DBR:
            raise RequestRefused(ECA_BADTYPE, f"DBR type {dbr} does not exist")
        count = self._count_for_version(channel, dbr, count)
        ident = self.new_id()
        sub = Subscription(channel, ident, DBR_TYPES[dbr], count, mask, token)
        self.subscriptions[ident] = sub
        channel.subscriptions[ident] = sub
        self.send(header(c.EVENT_ADD, _MONITOR_SIZE, dbr, count, channel.sid, ident))
        self.send(MONITOR_BODY.pack(0.0, 0.0, 0.0, mask, 0))
        return sub

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; nothing more comes out for it. Harmless when repeated."""
        if self.subscriptions.pop(subscription.ident, None) is None:
            return
        subscription.channel.subscriptions.pop(subscription.ident, None)
        if subscription.channel.state is ChannelState.CONNECTED:
            self.send_cancel(subscription)

    def search(self, messages: bytes) -> None:
        """Pass on SEARCH messages to a server that also answers for others."""
        self.send(messages)

    def events(self, on: bool) -> None:
        """Let monitor updates flow, or ask the server to hold all but the newest."""
        self.send(HEADER.pack(c.EVENTS_ON if on else c.EVENTS_OFF, 0, 0, 0, 0, 0))

    def _count_for_version(self, channel: CircuitChannel, dbr: int, count: int) -> int:
        if count == 0 and self.version < c.SINCE_CURRENT_LENGTH:
            count = max(1, channel.native_count)
        if count >= EXTENDED:
            self._check_size(DBR_TYPES[dbr].size(count), count)
        return count

    def _check_size(self, size: int, count: int) -> None:
        if self.version >= c.SINCE_LARGE_ARRAYS:
            return
        if size > c.OLD_TCP_LIMIT - HEADER_SIZE or count >= EXTENDED:
            raise RequestRefused(
                ECA_TOLARGE,
                f"{size} bytes, but a server of revision 4.{self.version} takes at most "
                f"{c.OLD_TCP_LIMIT - HEADER_SIZE}",
            )


def _usable(
    dtype: int, wanted: int, count: int, payload: bytes | memoryview
) -> tuple[int, bytes | memoryview] | None:
    """Return the count and payload to trust, or None when there is no value in them."""
    if dtype != wanted or dtype > LAST_DBR:
        return None
    row = DBR_TYPES[dtype]
    room = len(payload) - row.value_offset
    if room < 0:
        return None
    if count * row.element_size <= room:
        return count, payload
    if row.base == DBR_STRING and count == 1 and room > 0:
        # A single string may arrive cut short behind its NUL.
        return 1, bytes(payload).ljust(row.size(1), b"\0")
    return room // row.element_size, payload
