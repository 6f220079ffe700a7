# SPDX-License-Identifier: Apache-2.0
"""Writing many PVs at once, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cothread import Yield
from cothread.clock import Timeout, expiry, monotonic

from ..conversion import write_request
from ..encode_numbers import pack_double
from ..errors import CAException, bare, ca_nothing, success
from ..protocol.circuit import RequestRefused
from ..protocol.dbr import DBR_DOUBLE
from ..protocol.eca import ECA_NORMAL, ECA_NOWTACCESS, ECA_TIMEOUT
from ..protocol.state import READ_ONLY
from .batch import Batch
from .channel import Channel
from .explain import timed_out
from .get import PIECE, URGENT, enum_strings
from .link import FLUSH_ABOVE
from .put_hooks import Attempt, put_hooks

if TYPE_CHECKING:
    from ..protocol.records import Put as SentPut
    from ..protocol.requests import Writing
    from .client import Client
    from .link import Link

Callback = Callable[[ca_nothing], object]


class PutBatch(Batch):
    """Collects completions, and tells callbacks and hooks of each."""

    __slots__ = ("_attempts", "_names", "_notify", "completed", "returns_failures")

    def __init__(
        self,
        names: Sequence[str],
        notify: Callable[[ca_nothing], None] | None,
        attempts: Sequence[Attempt],
    ) -> None:
        super().__init__(len(names))
        self._names = names
        self._notify = notify
        self._attempts = attempts
        self.completed: set[int] = set()
        self.returns_failures = False

    def written(self, index: int, status: int, detail: str) -> None:
        """Take the end of a put."""
        self.completed.add(index)
        if status & 1:
            self.left -= 1
            if self.left == 0:
                self._tell()
        else:
            self.failed(index, status, detail)
        if self._notify is not None or self._attempts:
            self.ended(index, ca_nothing(self._names[index], status, detail))

    def all_written(self, indexes: list[int]) -> None:
        """Take the good ends of puts."""
        if self._notify is not None or self._attempts:
            for index in indexes:
                self.written(index, ECA_NORMAL, "")
            return
        self.completed.update(indexes)
        self.left -= len(indexes)
        if self.left == 0:
            self._tell()

    def ended(self, index: int, result: ca_nothing) -> None:
        """Tell callback and hooks how a put has ended."""
        # A failure that the call itself is going to return is not called back as well.
        if self._notify is not None and (result.ok or not self.returns_failures):
            self._notify(result)
        self.tell_hooks(index, result)

    def tell_hooks(self, index: int, result: ca_nothing) -> None:
        """Tell the hooks alone: for what was never sent."""
        if self._attempts:
            attempt = self._attempts[index]
            attempt.error = None if result.ok else result
            put_hooks.ended(attempt)

    def sent(self, index: int, sent: bool = True) -> None:
        """Note whether a put is on its way."""
        if self._attempts:
            self._attempts[index].sent = sent

    def refused(self, index: int, error: ca_nothing) -> None:
        """Take the server's refusal of a put that was believed done."""
        self.tell_hooks(index, error)


class Put:
    """One call of caput."""

    def __init__(
        self,
        client: Client,
        names: Sequence[str],
        values: Sequence[Any],
        *,
        datatype: Any,
        wait: bool,
        timeout: Timeout,
        notify: Callable[[ca_nothing], None] | None,
        strict: bool,
    ) -> None:
        self.client = client
        self.names = names
        self.values = values
        self.datatype = datatype
        self.wait = wait
        self.strict = strict
        self.completion = wait or notify is not None
        self.started = monotonic()
        self.deadline = expiry(timeout)
        attempts: list[Attempt] = []
        if put_hooks:
            now = time.time()
            attempts = [
                Attempt(name, value, datatype, wait, now)
                for name, value in zip(names, values, strict=True)
            ]
        self.attempts = attempts
        self.batch = PutBatch(names, notify, attempts)
        self.channels: list[Channel | None] = [None] * len(names)
        self.puts: list[SentPut] = []
        self.errors: dict[int, ca_nothing] = {}
        self.waiting: set[int] = set()
        self.links: set[Link] = set()

    def run(self) -> list[ca_nothing]:
        """Return how each put went, in order.

        Suspends: until all are sent, or with `wait` completed, or the deadline has passed.
        Raises:
            Exception: what a `before` hook raised; then nothing was sent.
        """
        if self.attempts:
            put_hooks.check(self.attempts)
        self.batch.returns_failures = not self.wait
        try:
            self._start()
            while self.waiting or (self.wait and self.batch.left > 0):
                self._flush()
                if not self.batch.wait(self.deadline):
                    break
                self.waiting.difference_update(self.batch.failures)
                for index in self.batch.take_ready():
                    channel = self.channels[index]
                    assert channel is not None
                    self.waiting.discard(index)
                    self._issue(index, channel)
        except BaseException as interruption:
            self._withdraw(interruption)
            raise
        finally:
            self._flush()
            self.batch.returns_failures = False
            for index in self.waiting:
                channel = self.channels[index]
                assert channel is not None
                self.client.forget_waiter(channel, self.batch, index)
        failed = self.errors or self.waiting or self.batch.failures
        if not failed and (not self.wait or len(self.batch.completed) == len(self.names)):
            return [success(name) for name in self.names]
        puts = {put.index: put for put in self.puts}
        return [self._result(index, puts.get(index)) for index in range(len(self.names))]

    def _withdraw(self, interruption: BaseException) -> None:
        """Take back what has not been sent: whoever waits for it has been interrupted.

        What interrupts gets a note how many were not sent.
        """
        unsent = len(self.names) - len(self.puts)
        for put in self.puts:
            if self.wait and self._take_back(put):
                unsent += 1
                name = self.names[put.index]
                interrupted = ca_nothing(name, ECA_TIMEOUT, "interrupted, not sent")
                self.batch.tell_hooks(put.index, interrupted)
        if unsent:
            interruption.add_note(f"{unsent} of {len(self.names)} puts had not been sent")

    def _take_back(self, put: SentPut) -> bool:
        """Take a put back; True when it had not been sent."""
        channel = self.channels[put.index]
        link = channel.link if channel is not None else None
        if link is None or not link.up or not link.circuit.withdraw(put):
            return False
        self.batch.sent(put.index, False)
        return True

    def _start(self) -> None:
        client = self.client
        known = client.channels.get
        values = self.values
        channels = self.channels
        urgent = len(self.names) <= URGENT
        numbers = self.datatype is None and not client.settings.read_only
        wanted: list[Writing] = []
        last: Link | None = None
        for index, name in enumerate(self.names):
            if self.wait and not index % PIECE and last is not None:
                self._send(last, wanted)
                if last.up and last.circuit.held:
                    # Completions that have come make room: the server is not kept waiting.
                    Yield()
            channel = known(name)
            if channel is not None and numbers:
                record = channel.record
                value = values[index]
                if (
                    record is not None
                    and type(value) is float
                    and record.native_type == DBR_DOUBLE
                    and record.native_count
                ):
                    channels[index] = channel
                    if channel.link is not last or len(wanted) >= PIECE:
                        self._send(last, wanted)
                        last = channel.link
                        if channel.record is not record:
                            self._start_one(index, name, urgent)
                            continue
                    wanted.append((record, DBR_DOUBLE, 1, pack_double(value), index))
                    continue
            self._send(last, wanted)
            self._start_one(index, name, urgent)
        self._send(last, wanted)

    def _start_one(self, index: int, name: str, urgent: bool) -> None:
        """Send a put that needs some thought, or wait for its connection."""
        client = self.client
        try:
            channel = client.channel(name)
        except ca_nothing as error:
            self._fail(index, error)
            return
        self.channels[index] = channel
        if client.settings.read_only:
            refusal = CAException(name, ECA_NOWTACCESS, READ_ONLY)
            self._fail(index, refusal)
        elif channel.record is None or channel.link is None:
            self._await_connection(index, channel, urgent)
        else:
            self._issue(index, channel)

    def _send(self, link: Link | None, wanted: list[Writing]) -> None:
        """Send puts that need no more thought, in order, and empty their list."""
        if link is None or not wanted:
            return
        if link.crowded and not (link.wait_for_room(self.deadline) and link.up):
            # Each for itself then: it may have to wait for a connection, or for nothing any more.
            indexes = [index for *_, index in wanted]
            wanted.clear()
            for index in indexes:
                channel = self.channels[index]
                assert channel is not None
                self._issue(index, channel)
            return
        token = self.batch if self.completion or self.attempts else None
        puts, refused = link.circuit.write_many(wanted, notify=self.completion, token=token)
        wanted.clear()
        for index, refusal in refused:
            self._fail(index, CAException(self.names[index], refusal.status, refusal.detail))
        self._issued(puts, link)
        # The server can work on these while we prepare the next.
        link.flush()

    def _issued(self, puts: list[SentPut], link: Link) -> None:
        """Enter puts that the circuit has taken into the books."""
        self.puts += puts
        if self.attempts:
            for put in puts:
                self.batch.sent(put.index)
        if not self.completion:
            self.batch.all_written([put.index for put in puts])
        if link.circuit.outgoing_size > FLUSH_ABOVE:
            link.flush()
        else:
            self.links.add(link)

    def _await_connection(self, index: int, channel: Channel, urgent: bool) -> None:
        self.waiting.add(index)
        self.client.wait_for([(channel, index)], self.batch, urgent=urgent)

    def _issue(self, index: int, channel: Channel) -> None:
        """Send a put on a connected channel.

        Suspends: only if text has to be looked up among the states of an enumeration.
        """
        record = channel.record
        if record is None:
            self._await_connection(index, channel, urgent=False)
            return
        try:
            dbr, count, payload = write_request(
                channel.name,
                record.native_type,
                record.native_count,
                self.values[index],
                self.datatype,
                self.strict,
                lambda: enum_strings(self.client, channel, self.deadline),
            )
            link = channel.link
            if link is not None and link.crowded and not link.wait_for_room(self.deadline):
                raise self._no_room(channel, link)
            if link is None or channel.record is not record:
                self._await_connection(index, channel, urgent=False)
                return
            put = link.circuit.write(
                record,
                dbr,
                count,
                payload,
                notify=self.completion,
                token=self.batch if self.completion or self.attempts else None,
                index=index,
            )
        except RequestRefused as refusal:
            self._fail(index, CAException(channel.name, refusal.status, refusal.detail))
            return
        except ca_nothing as error:
            self._fail(index, error)
            return
        self._issued([put], link)

    def _no_room(self, channel: Channel, link: Link) -> ca_nothing:
        awaited = (
            f"not sent, because {link.backlog} bytes wait already for a server that does not "
            "take them"
        )
        return timed_out(self.client, channel, monotonic() - self.started, awaited)

    def _fail(self, index: int, error: ca_nothing) -> None:
        self.errors[index] = bare(error)
        self.batch.left -= 1
        self.batch.tell_hooks(index, error)

    def _flush(self) -> None:
        links = self.links
        while links:
            links.pop().flush()

    def _result(self, index: int, put: SentPut | None) -> ca_nothing:
        name = self.names[index]
        if index in self.errors:
            return self.errors[index]
        channel = self.channels[index]
        assert channel is not None
        if index in self.batch.failures:
            return ca_nothing(name, *self.batch.failures[index])
        if index in self.waiting:
            return self._timed_out(index, channel, "nothing was sent")
        assert put is not None
        if not self.wait or index in self.batch.completed:
            return success(name)
        if self._take_back(put):
            return self._timed_out(
                index, channel, "earlier puts have not completed, and this one was not sent"
            )
        return self._timed_out(
            index, channel, "the put was sent and its completion has not been reported"
        )

    def _timed_out(self, index: int, channel: Channel, awaited: str) -> ca_nothing:
        error = timed_out(self.client, channel, monotonic() - self.started, awaited)
        self.batch.tell_hooks(index, error)
        return error
