# SPDX-License-Identifier: Apache-2.0
"""One virtual circuit: bytes and `now` in; a list of results, bytes to send and a deadline out.

Law: `receive` makes no object per frame. A monitor update or the reply to a read comes out as one
tuple (token, index, element count, payload), many updates that look alike as one `Run`; everything
rarer is an event object. Results stand in the order in which the server sent them.

Theory: the first flight is VERSION, CLIENT_NAME, HOST_NAME, and the server's own VERSION is never
waited for. Replies are matched by identifier alone. Whether an empty EVENT_ADD acknowledges a
cancel or is an empty array is decided by what we did, never by its bytes.

Invariants: after a Fault nothing more is accepted or produced; every request ends exactly once.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Any, Final

from . import commands as c
from .dbr import DBR_TYPES, trusted
from .eca import ECA_BADTYPE
from .framing import EXTENDED, EXTENDED_SIZE, EXTENSION, HEADER, HEADER_SIZE, text_frame
from .large import Large
from .oversize import refuse
from .records import (
    Event,
    Fault,
    Item,
    ReadFailed,
    Subscription,
    SubscriptionFailed,
    WriteDone,
    WritesDone,
)
from .replies import REPLIES, more_created
from .requests import Requests, Wanted
from .runs import take_runs
from .state import GOOD_ROOM, CircuitSettings, PendingRead, RequestRefused

__all__ = ["Circuit", "CircuitSettings", "RequestRefused", "Wanted"]

LARGE: Final = 4096
"""Payloads above this come out as views of the received block instead of copies."""

VERY_LARGE: Final = 1 << 17
"""Messages above this are collected in one buffer of their size, which is filled in place."""

FIRST_BYTES_S: Final = 5.0
"""A server that has not sent a single byte this long after the connection gets an ECHO."""

_HEAD: Final = Struct(">HHHHI")
"""What messages of a run have in common: all of the header but the identifier."""
_HEAD_SIZE: Final = _HEAD.size

_SCALAR_SIZES: Final = tuple(row.size(1) for row in DBR_TYPES)


@lru_cache(maxsize=64)
def _alike(size: int) -> Struct:
    """Return how to take apart a run of messages with payloads of one size."""
    return Struct(f">{_HEAD_SIZE}sI{size}s")


class Circuit(Requests):
    """The client's end of one TCP connection, without the connection.

    Attributes:
        large: None unless a very large message is under way. Bytes read straight to its `room` are
            not copied once more: tell `filled` how many they were.
    """

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
        self._to_skip = 0
        self.large: Large | None = None
        self._fault: Fault | None = None
        self._echo_timeout = echo_timeout_s
        self.heard_at = now
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
        self._hear(now)
        if self.large is not None:
            room = self.large.room
            taken = min(len(room), len(data))
            room[:taken] = data[:taken]
            self._fill(self.large, taken, results)
            data = data[taken:]
        if self._pieces:
            self._pieces.append(data)
            self._pieces_size += len(data)
            if self._pieces_size < self._needed:
                return results
            data = b"".join(self._pieces)
            self._pieces.clear()
        if self._to_skip:
            data = self._skip(data)
        used, needed = self._frames(data, results)
        while not needed and self._to_skip:
            data = self._skip(data[used:])
            used, needed = self._frames(data, results)
        if self.held and self.room >= GOOD_ROOM:
            self.release(results)
        if needed and used < len(data):
            if needed > VERY_LARGE:
                self.large = Large(self.settings.memory(needed), data[used:])
            else:
                self._pieces.append(data[used:])
                self._pieces_size = len(data) - used
                self._needed = needed
        return results

    def _skip(self, data: bytes) -> bytes:
        skipped = min(self._to_skip, len(data))
        self._to_skip -= skipped
        return data[skipped:]

    def _oversize(self, command: int, size: int, header: int, p2: int, results: list[Item]) -> None:
        if refuse(self, command, size, p2, results):
            self._to_skip = header + size
        else:
            self.fail(results, f"{c.command_name(command)} with a payload of {size} bytes")

    def filled(self, count: int, now: float) -> list[Item]:
        """Take note of bytes that were put into `large.room`, and return what they complete."""
        results: list[Item] = []
        if self.large is not None:
            self._hear(now)
            self._fill(self.large, count, results)
        return results

    def _fill(self, large: Large, count: int, results: list[Item]) -> None:
        message = large.filled(count)
        if message is None:
            return
        self.large = None
        command, _, dtype, _, p1, p2 = HEADER.unpack_from(message)
        _, elements = EXTENSION.unpack_from(message, HEADER_SIZE)
        payload = message[EXTENDED_SIZE:]
        if command == c.READ_NOTIFY:
            # Whoever asked is the only one to get it, and may do with it what they like.
            self._other_read(self.reads.pop(p2, None), dtype, elements, p1, payload, results)
        elif command == c.EVENT_ADD:
            sub = self.subscriptions.get(p2)
            self._odd_update(sub, dtype, elements, p1, p2, payload.toreadonly(), results)
        elif (handler := REPLIES.get(command)) is not None:
            handler(self, dtype, elements, p1, p2, bytes(payload), results)
        else:
            self.strays += 1

    def _hear(self, now: float) -> None:
        self.heard_at = now
        self._heard = True
        if self.echo_deadline is not None:
            self.echo_deadline = now + self._echo_timeout

    def _frames(self, data: bytes, results: list[Item]) -> tuple[int, int]:
        """Take whole messages from the front; return what was used and what the next one needs.

        This is the hot loop, about 0.5 us per update, so the two kinds of data are handled inline.
        """
        unpack = HEADER.unpack_from
        append = results.append
        subscriptions, reads = self.subscriptions, self.reads
        position, end = 0, len(data)
        while position + HEADER_SIZE <= end:
            command, size, dtype, count, p1, p2 = unpack(data, position)
            body = position + HEADER_SIZE
            if size == EXTENDED:
                if position + EXTENDED_SIZE > end:
                    return position, EXTENDED_SIZE
                size, count = EXTENSION.unpack_from(data, body)
                body = position + EXTENDED_SIZE
            if size & 7 or size > self.settings.max_payload or command > c.LAST_PLAUSIBLE:
                self._oversize(command, size, body - position, p2, results)
                return position, 0
            after = body + size
            if after > end:
                return position, after - position
            payload = data[body:after] if size <= LARGE else memoryview(data)[body:after]
            if command == c.EVENT_ADD:
                sub = subscriptions.get(p2)
                if (
                    sub is not None
                    and p1 == 1
                    and dtype == sub.dbr
                    and count * sub.element_size + sub.value_offset <= size
                ):
                    append((sub.token, 0, count, payload))
                    more = self._more_updates
                    after = more(data, position, after, sub.kind, results) if after < end else end
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
                    alike = self._more_replies
                    after = alike(data, position, after, results) if after < end else end
                else:
                    self._other_read(entry, dtype, count, p1, payload, results)
            else:
                handler = REPLIES.get(command)
                if handler is None:
                    self.strays += 1
                else:
                    handler(self, dtype, count, p1, p2, bytes(payload), results)
                    after = self._more(command, data, position, after, p1, results)
            position = after
        return position, HEADER_SIZE

    def _more_updates(
        self, data: bytes, first: int, start: int, kind: Any, results: list[Item]
    ) -> int:
        """Take the updates that follow a good one and look just like it; return where they end.

        Servers send values of one type in long runs, and one unpacking then does for three steps.
        """
        head = data[first : first + _HEAD_SIZE]
        if not data.startswith(head, start) or start - first > LARGE:
            return start
        _, size, dtype, count, _ = _HEAD.unpack(head)
        step = start - first
        if size == EXTENDED:
            return start
        if kind is not None and count == 1 and size == (_SCALAR_SIZES[dtype] + 7) & ~7:
            runs = take_runs(data, head, start, step, self.subscriptions, kind)
            results += runs
            start += sum(len(run.messages) for run in runs)
        append = results.append
        find = self.subscriptions.get
        before = len(results)
        whole = (len(data) - start) // step * step
        messages = _alike(size).iter_unpack(memoryview(data)[start : start + whole])
        for beginning, ident, payload in messages:
            sub = find(ident)
            if beginning != head or sub is None or sub.dbr != dtype:
                break
            append((sub.token, 0, count, payload))
        return start + (len(results) - before) * step

    def _more_replies(self, data: bytes, first: int, start: int, results: list[Item]) -> int:
        """Take the replies that follow a good one and look just like it; return where they end."""
        head = data[first : first + _HEAD_SIZE]
        if not data.startswith(head, start) or start - first > LARGE:
            return start
        _, size, dtype, count, _ = _HEAD.unpack(head)
        if size == EXTENDED:
            return start
        append = results.append
        find = self.reads.get
        step = start - first
        whole = (len(data) - start) // step * step
        messages = _alike(size).iter_unpack(memoryview(data)[start : start + whole])
        reads = self.reads
        before = len(results)
        for beginning, ident, payload in messages:
            entry = find(ident)
            if beginning != head or entry is None or entry[2] != dtype:
                break
            del reads[ident]
            append((entry[0], entry[1], count, payload))
        return start + (len(results) - before) * step

    def _more(
        self, command: int, data: bytes, first: int, start: int, p1: int, results: list[Item]
    ) -> int:
        """Take what servers send many of in a row, after the first; return where they end."""
        if command == c.WRITE_NOTIFY:
            return self._more_completions(data, first, start, p1, results)
        if command == c.CREATE_CHAN:
            return more_created(self, data, start, results)
        return start

    def _more_completions(
        self, data: bytes, first: int, start: int, status: int, results: list[Item]
    ) -> int:
        """Take the ends of puts that look just like the one before; return where they end."""
        head = data[first : first + _HEAD_SIZE]
        if not data.startswith(head, start) or start - first != HEADER_SIZE:
            return start
        whole = (len(data) - start) // HEADER_SIZE * HEADER_SIZE
        messages = _alike(0).iter_unpack(memoryview(data)[start : start + whole])
        puts = self.puts
        after = start
        run: WritesDone | None = None
        for beginning, ident, _ in messages:
            if beginning != head:
                break
            after += HEADER_SIZE
            put = puts.pop(ident, None)
            if put is None:
                self.strays += 1
                continue
            if not status & 1:
                results.append(WriteDone(put.token, put.index, status))
            elif run is not None and run.token is put.token:
                run.indexes.append(put.index)
            else:
                run = WritesDone(put.token, [put.index])
                results.append(run)
            if put.channel.put_queue or self.slow:
                self.put_ended(put, results)
                run = None
            else:
                put.channel.put_in_flight = None
        return after

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
                self.cancelled(ident)
            return
        if not status & 1:
            results.append(SubscriptionFailed(sub.token, status))
            return
        usable = trusted(dtype, sub.dbr, count, payload)
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
        usable = trusted(dtype, wanted, count, payload)
        if usable is None:
            results.append(ReadFailed(token, index, ECA_BADTYPE, "the reply is unusable"))
        else:
            results.append((token, index, *usable))

    def fail(self, results: list[Item], reason: str, silent: bool = False) -> None:
        """Declare the circuit broken and end every request."""
        self._fault = Fault(reason, silent)
        self._pieces.clear()
        self.large = None
        results.extend(self.drop_everything(reason))
        results.append(self._fault)

    def disconnected(self, reason: str) -> list[Event]:
        """Tell the circuit that its connection is gone and return how its requests ended."""
        if self._fault is not None:
            return []
        self._fault = Fault(reason)
        self._pieces.clear()
        self.large = None
        return self.drop_everything(reason)

    # Time

    @property
    def deadline(self) -> float:
        """When `tick` must be called next."""
        silence = self._silence_deadline
        return silence if self.slow_at is None else min(silence, self.slow_at)

    @property
    def _silence_deadline(self) -> float:
        if self.echo_deadline is not None:
            return self.echo_deadline
        quiet = self.settings.connection_timeout_s
        return self.heard_at + (quiet if self._heard else min(quiet, FIRST_BYTES_S))

    def tick(self, now: float) -> list[Item]:
        """Do what is due: ask a silent server for a sign of life, or give it up; send held puts.

        Call it only after reading what has already arrived, or a client that was held up itself
        will take its own delay for the server's.
        """
        results: list[Item] = []
        if self._fault is not None:
            return results
        if self.slow_at is not None and now >= self.slow_at:
            self.find_slow(results)
        if now < self._silence_deadline:
            return results
        if self.echo_deadline is None:
            self.probe(now)
        else:
            self.fail(results, f"server silent for {now - self.heard_at:.0f} s", silent=True)
        return results

    def probe(self, now: float) -> None:
        """Ask for a sign of life at once, for instance because a beacon hinted at a restart."""
        if self.echo_deadline is None and self._fault is None:
            self.echo_deadline = now + self._echo_timeout
            self.send_echo()
