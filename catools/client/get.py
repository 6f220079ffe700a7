# SPDX-License-Identifier: Apache-2.0
"""Reading many PVs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cothread.clock import Timeout, expiry, monotonic

from ..errors import CAException, ca_nothing
from ..protocol.circuit import RequestRefused
from ..protocol.dbr import DBR_GR_ENUM, DBR_TYPES, ENUM_STATES, ENUM_STRING_SIZE
from ..protocol.eca import ECA_DISCONN
from ..protocol.framing import decode_text
from .batch import Batch
from .channel import Channel, RequestKey
from .explain import timed_out
from .link import FLUSH_ABOVE

if TYPE_CHECKING:
    from ..conversion import Request
    from .client import Client
    from .link import Link

URGENT: Final = 40
"""Up to so many PVs, which fit one datagram, a call may overtake longer lists in the search."""


class Get:
    """One call of caget."""

    __slots__ = (
        "batch",
        "channels",
        "client",
        "deadline",
        "errors",
        "idents",
        "key",
        "links",
        "names",
        "requests",
        "started",
    )

    def __init__(
        self, client: Client, names: Sequence[str], timeout: Timeout, key: RequestKey
    ) -> None:
        size = len(names)
        self.client = client
        self.names = names
        self.key = key
        self.started = monotonic()
        self.deadline = expiry(timeout)
        self.batch = Batch(size)
        self.channels: list[Channel | None] = [None] * size
        self.requests: list[Request | None] = [None] * size
        self.idents: list[int] = [0] * size
        self.errors: dict[int, ca_nothing] = {}
        self.links: set[Link] = set()

    def run(self) -> list[Any]:
        """Return a value or a `ca_nothing` for each name, in order.

        Suspends: until all have ended or the deadline has passed.
        """
        try:
            self._start()
            while self.batch.left > 0:
                self._flush()
                if not self.batch.wait(self.deadline):
                    break
                for index in self.batch.take_ready():
                    channel = self.channels[index]
                    assert channel is not None
                    self._issue(index, channel)
        finally:
            # Cancelled or interrupted or timed out: nothing of ours stays behind.
            if self.batch.left > 0:
                self._abandon()
        return self._results()

    def _start(self) -> None:
        client = self.client
        known = client.channels
        channels = self.channels
        urgent = len(self.names) <= URGENT
        for index, name in enumerate(self.names):
            channel = known.get(name)
            if channel is None:
                try:
                    channel = client.channel(name)
                except ca_nothing as error:
                    self._fail(index, error)
                    continue
            channels[index] = channel
            if channel.record is not None:
                self._issue(index, channel)
            else:
                client.wait_for(channel, self.batch, index, urgent=urgent)

    def _issue(self, index: int, channel: Channel) -> None:
        """Send the request for a connected channel."""
        record, link = channel.record, channel.link
        if record is None or link is None:
            # It was lost again between the news and our turn.
            self.client.wait_for(channel, self.batch, index, urgent=False)
            return
        request = channel.requests.get(self.key) or channel.request(self.key)
        self.requests[index] = request
        circuit = link.circuit
        try:
            self.idents[index] = circuit.read(record, request.dbr, request.count, self.batch, index)
        except RequestRefused as refusal:
            self._fail(index, CAException(channel.name, refusal.status, refusal.detail))
            return
        if circuit.outgoing_size > FLUSH_ABOVE:
            link.flush()
        else:
            self.links.add(link)

    def _fail(self, index: int, error: ca_nothing) -> None:
        self.errors[index] = error
        self.batch.left -= 1

    def _flush(self) -> None:
        links = self.links
        while links:
            links.pop().flush()

    def _abandon(self) -> None:
        batch = self.batch
        for index, channel in enumerate(self.channels):
            if channel is None or batch.replies[index] is not None or index in self.errors:
                continue
            if self.idents[index] == 0:
                self.client.forget_waiter(channel, batch, index)
            elif index not in batch.failures and channel.link is not None and channel.link.up:
                channel.link.circuit.abandon((self.idents[index],))

    def _results(self) -> list[Any]:
        replies = self.batch.replies
        results: list[Any] = []
        append = results.append
        for index, request in enumerate(self.requests):
            reply = replies[index]
            if reply is None or request is None:
                append(self._error(index))
                continue
            try:
                append(request.decode(reply[1], reply[0]))
            except ca_nothing as error:
                append(error)
        return results

    def _error(self, index: int) -> ca_nothing:
        error = self.errors.get(index)
        if error is not None:
            return error
        channel = self.channels[index]
        assert channel is not None
        failure = self.batch.failures.get(index)
        if failure is not None:
            return ca_nothing(channel.name, *failure)
        elapsed = monotonic() - self.started
        return timed_out(self.client, channel, elapsed, "the server has not replied")


def enum_strings(client: Client, channel: Channel, deadline: float | None) -> list[str]:
    """Return the texts of the states of an enumeration, read now.

    Raises:
        ca_nothing: they could not be read.
    Suspends: until the server replies.
    """
    started = monotonic()
    batch = Batch(1)
    record, link = channel.record, channel.link
    if record is None or link is None:
        raise ca_nothing(channel.name, ECA_DISCONN, channel.lost_reason)
    try:
        ident = link.circuit.read(record, DBR_GR_ENUM, 1, batch)
    except RequestRefused as refusal:
        raise CAException(channel.name, refusal.status, refusal.detail) from None
    link.flush()
    while batch.left > 0:
        if not batch.wait(deadline):
            link.circuit.abandon((ident,))
            elapsed = monotonic() - started
            raise timed_out(client, channel, elapsed, "the states of the enumeration did not come")
    if 0 in batch.failures:
        raise ca_nothing(channel.name, *batch.failures[0])
    reply = batch.replies[0]
    assert reply is not None
    _, _, states, texts = DBR_TYPES[DBR_GR_ENUM].metadata.unpack_from(reply[1])
    used = max(0, min(states, ENUM_STATES))
    return [
        decode_text(texts[start : start + ENUM_STRING_SIZE])
        for start in range(0, used * ENUM_STRING_SIZE, ENUM_STRING_SIZE)
    ]
