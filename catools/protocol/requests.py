# SPDX-License-Identifier: Apache-2.0
"""What a client may ask of a server: create, read, write, subscribe, and take back.

Law: whatever would make a server hang up is refused here, before anything is sent: data types and
masks that do not exist, cancelling twice, messages too large for its revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from struct import Struct
from typing import Any, Final

from . import commands as c
from .dbr import DBR_TYPES, LAST_DBR, WRITABLE
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
    ALIGN,
    EXTENDED,
    HEADER,
    HEADER_SIZE,
    MONITOR_BODY,
    header,
    padded,
    text_payload,
)
from .records import CLEARING, CONNECTED, CREATING, CircuitChannel, Event, Put, Subscription
from .state import MOST_OUTSTANDING, READ_ONLY, CircuitState, RequestRefused

Wanted = tuple[CircuitChannel, int, int, int]
"""(channel, DBR code, count, index)"""

Writing = tuple[CircuitChannel, int, int, bytes, int]
"""(channel, DBR code, count, unpadded payload, index)"""

_MONITOR_SIZE: Final = MONITOR_BODY.size
_PLAIN: Final = c.WRITE.to_bytes(2, "big")
"""What the header of a WRITE begins with."""
_SHORT_WRITE: Final = Struct(f"{HEADER.format}{ALIGN}s")


class Requests(CircuitState):
    """The half of a circuit that talks to the server."""

    @property
    def busy(self) -> bool:
        """True while something is outstanding that the server still has to answer."""
        return bool(self.reads or self.puts or self.echo_deadline is not None)

    def create(self, cid: int, name: bytes, token: Any) -> CircuitChannel:
        """Ask the server for a channel."""
        self.create_many(((cid, name, token),))
        return self.channels[cid]

    def create_many(self, wanted: Iterable[tuple[int, bytes, Any]]) -> None:
        """Ask the server for many channels, each given as (CID, name, token)."""
        channels = self.channels
        messages: list[bytes] = []
        pack = HEADER.pack
        for cid, name, token in wanted:
            channels[cid] = CircuitChannel(cid, name, token)
            body = text_payload(name)
            messages.append(pack(c.CREATE_CHAN, len(body), 0, 0, cid, c.MINOR_VERSION) + body)
        self.send(b"".join(messages))

    def clear(self, channel: CircuitChannel) -> list[Event]:
        """Give a channel back and return how its outstanding requests ended."""
        if channel.state is CREATING:
            # Its SID is unknown; the CLEAR goes out when the server tells it.
            channel.state = CLEARING
            channel.sid = -1
        elif channel.state is CONNECTED:
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
        if channel.state is not CONNECTED:
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
        for ident, (channel, dbr, count, index) in enumerate(wanted, first):
            if channel.state is CONNECTED and channel.access & 1 and count < EXTENDED:
                reads[ident] = (token, index, dbr, channel)
                append(pack(c.READ_NOTIFY, 0, dbr, count, channel.sid, ident))
                continue
            try:
                self.read(channel, dbr, count, token, index)
            except RequestRefused as refusal:
                refused.append((index, refusal))
        self.send(b"".join(messages))
        return refused

    def abandon(self, ident: int) -> None:
        """Forget a read whose caller has gone; a late answer is dropped as a stray."""
        self.reads.pop(ident, None)

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
        is unanswered the next one on the same channel waits, and so does whatever follows it. While
        as many are unanswered as a server can be trusted with, the next one waits on whatever
        channel, and so does all that follows it.

        Raises:
            RequestRefused: not connected, read-only, no write access, unwritable type, too large.
        """
        if channel.state is not CONNECTED:
            raise RequestRefused(ECA_DISCONN, "the channel is not connected")
        if self.settings.read_only:
            raise RequestRefused(ECA_NOWTACCESS, READ_ONLY)
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
        if self.held or (notify and len(self.puts) >= MOST_OUTSTANDING and self.room <= 0):
            self.hold([put])
        elif channel.put_queue or (notify and channel.put_in_flight is not None):
            self.queue_put(put)
        else:
            self.send_put(put)
        return put

    def write_many(
        self, writings: Sequence[Writing], *, notify: bool, token: Any
    ) -> tuple[list[Put], list[tuple[int, RequestRefused]]]:
        """Write many values in order; for each of them what `write` does, in a third of the time.

        Returns:
            The puts that were accepted, and index and reason of each that was refused.
        """
        puts: list[Put] = []
        refused: list[tuple[int, RequestRefused]] = []
        first = self.ids.take_block(len(writings))
        messages: list[bytes] = []
        late: list[Put] = []
        command = c.WRITE_NOTIFY if notify else c.WRITE
        simple = first is not None and not self.settings.read_only
        wait = bool(self.held) or (notify and self.room < len(writings))
        blank = Put.__new__
        pack = _SHORT_WRITE.pack
        for ident, (channel, dbr, count, payload, index) in enumerate(writings, first or 0):
            if (
                simple
                and channel.state is CONNECTED
                and channel.access & c.WRITE_ACCESS
                and dbr in WRITABLE
                and len(payload) == ALIGN
                and (wait or not (channel.put_queue or (notify and channel.put_in_flight)))
            ):
                message = pack(command, ALIGN, dbr, count, channel.sid, ident, payload)
                # An __init__ would cost as much as all of this.
                put = blank(Put)
                put.channel = channel
                put.ident = ident
                put.notify, put.token, put.index = notify, token, index
                if wait:
                    put.message, put.sent = message, False
                    late.append(put)
                else:
                    messages.append(message)
                    put.message = b""
                    self.note_sent(put)
            else:
                self.send(b"".join(messages))
                messages.clear()
                self.hold(late)
                late = []
                try:
                    put = self.write(
                        channel, dbr, count, payload, notify=notify, token=token, index=index
                    )
                except RequestRefused as refusal:
                    refused.append((index, refusal))
                    continue
            puts.append(put)
        self.send(b"".join(messages))
        if wait:
            self.hold(late)
            self.release([])
        return puts, refused

    def withdraw(self, put: Put) -> bool:
        """Take a put back; True when it had not been sent and now never will be."""
        if not put.message:
            return False
        queue = put.channel.put_queue
        (queue if queue and put in queue else self.held).remove(put)
        self.take_out(put)
        return True

    def write_the_rest(self) -> None:
        """Send every put that still waits, without asking for its end: nobody will hear of it."""
        waiting = [put for channel in self.channels.values() for put in channel.put_queue or ()]
        if not self.settings.read_only:
            for put in (*sorted(waiting, key=attrgetter("ident")), *self.held):
                self.send(_PLAIN + put.message[len(_PLAIN) :])

    def subscribe(
        self,
        channel: CircuitChannel,
        dbr: int,
        count: int,
        mask: int,
        token: Any,
        kind: Any = None,
    ) -> Subscription:
        """Ask for updates; the first comes at once, whatever the mask.

        Args:
            kind: if given, updates of scalars may come out as a `Run`, together with those of
                other subscriptions to the same type with the very same kind.

        Raises:
            RequestRefused: not connected, or type or mask that would make the server hang up.
        """
        if channel.state is not CONNECTED:
            raise RequestRefused(ECA_DISCONN, "the channel is not connected")
        if not 0 < mask <= 0xFF:
            raise RequestRefused(ECA_BADMASK, f"event mask {mask} is not within 1 to 255")
        if not 0 <= dbr <= LAST_DBR:
            raise RequestRefused(ECA_BADTYPE, f"DBR type {dbr} does not exist")
        count = self._count_for_version(channel, dbr, count)
        ident = self.new_id()
        sub = Subscription(channel, ident, DBR_TYPES[dbr], count, mask, token, kind)
        self.subscriptions[ident] = sub
        if not channel.subscriptions:
            channel.subscriptions = {}
        channel.subscriptions[ident] = sub
        self.send(header(c.EVENT_ADD, _MONITOR_SIZE, dbr, count, channel.sid, ident))
        self.send(MONITOR_BODY.pack(0.0, 0.0, 0.0, mask, 0))
        return sub

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; nothing more comes out for it. Harmless when repeated."""
        if self.subscriptions.pop(subscription.ident, None) is None:
            return
        subscription.channel.subscriptions.pop(subscription.ident, None)
        if subscription.channel.state is CONNECTED:
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
