# SPDX-License-Identifier: Apache-2.0
"""Reading many PVs at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from cothread.clock import Timeout, expiry, monotonic

from ..errors import CAException, bare, ca_nothing
from ..protocol.circuit import RequestRefused
from ..protocol.dbr import DBR_GR_ENUM, DBR_TYPES, ENUM_STATES, ENUM_STRING_SIZE
from ..protocol.eca import ECA_DISCONN
from ..protocol.framing import decode_text
from .batch import Batch
from .channel import Channel
from .explain import read_failed, timed_out

if TYPE_CHECKING:
    from ..conversion import Request, RequestKey
    from ..protocol.circuit import Wanted
    from ..protocol.records import Data
    from .client import Client
    from .link import Link

URGENT: Final = 40
"""Up to so many PVs, which fit one datagram, a call may overtake longer lists in the search."""

PIECE: Final = 512
"""Requests sent together."""


class Get:
    """One call of caget."""

    __slots__ = (
        "batch",
        "channels",
        "client",
        "deadline",
        "errors",
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
        self.errors: dict[int, ca_nothing] = {}
        self.links: set[Link] = set()

    def run(self) -> list[Any]:
        """Return a value or a `ca_nothing` for each name, in order.

        Suspends: until all have ended or the deadline has passed.
        """
        try:
            self._start()
            while self.batch.left > 0:
                if not self.batch.wait(self.deadline):
                    break
                self._issue(self.batch.take_ready())
        finally:
            # Cancelled or interrupted or timed out: nothing of ours stays behind.
            if self.batch.left > 0:
                self._abandon()
            replies = self.batch.take_replies()
        return self._results(replies)

    def _start(self) -> None:
        client = self.client
        known = client.channels
        channels = self.channels
        for index, name in enumerate(self.names):
            channel = known.get(name)
            if channel is None:
                try:
                    channel = client.channel(name)
                except ca_nothing as error:
                    self._fail(index, error)
                    continue
            channels[index] = channel
        self._issue(range(len(channels)))

    def _issue(self, indexes: Iterable[int]) -> None:
        """Send the requests for those channels that are connected, and wait for the others."""
        channels = self.channels
        requests = self.requests
        key = self.key
        link: Link | None = None
        wanted: list[Wanted] = []
        groups: dict[Link, list[Wanted]] = {}
        missing: list[Channel] = []
        absent: list[int] = []
        for index in indexes:
            channel = channels[index]
            if channel is None:
                continue
            record = channel.record
            if record is None:
                missing.append(channel)
                absent.append(index)
                continue
            requests[index] = request = channel.requests.get(key) or channel.request(key)
            if channel.link is not link:
                link = channel.link
                assert link is not None
                wanted = groups.setdefault(link, [])
            wanted.append((record, request.dbr, request.count, index))
        if missing:
            pairs = zip(missing, absent, strict=True)
            self.client.wait_for(pairs, self.batch, urgent=len(channels) <= URGENT)
        for link, wanted in groups.items():
            self._send(link, wanted)

    def _send(self, link: Link, wanted: list[Wanted]) -> None:
        # In pieces, so that the server works on the first while we prepare the next.
        for start in range(0, len(wanted), PIECE):
            for index, refusal in link.circuit.read_many(wanted[start : start + PIECE], self.batch):
                name = self.names[index]
                self._fail(index, CAException(name, refusal.status, refusal.detail))
            link.flush()
        self.links.add(link)

    def _fail(self, index: int, error: ca_nothing) -> None:
        self.errors[index] = bare(error)
        self.batch.left -= 1

    def _abandon(self) -> None:
        for channel, index in self.batch.waiting():
            self.client.forget_waiter(channel, self.batch, index)
        for link in self.links:
            if link.up:
                link.circuit.abandon_all(self.batch)

    def _results(self, replies: list[Data | None]) -> list[Any]:
        results: list[Any] = []
        append = results.append
        for channel, request, reply in zip(self.channels, self.requests, replies, strict=True):
            if channel is None or request is None or reply is None:
                append(self._error(len(results)))
                continue
            try:
                append(request.decode(channel.name, reply[3], reply[2]))
            except ca_nothing as error:
                append(bare(error))
        return results

    def _error(self, index: int) -> ca_nothing:
        error = self.errors.get(index)
        if error is not None:
            return error
        channel = self.channels[index]
        assert channel is not None
        failure = self.batch.failures.get(index)
        if failure is not None:
            request = self.requests[index]
            if request is None:
                return ca_nothing(channel.name, *failure)
            return read_failed(channel, request.dbr, *failure)
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
        link.circuit.read(record, DBR_GR_ENUM, 1, batch)
    except RequestRefused as refusal:
        raise CAException(channel.name, refusal.status, refusal.detail) from None
    link.flush()
    while batch.left > 0:
        if not batch.wait(deadline):
            link.circuit.abandon_all(batch)
            elapsed = monotonic() - started
            raise timed_out(client, channel, elapsed, "the states of the enumeration did not come")
    if 0 in batch.failures:
        raise ca_nothing(channel.name, *batch.failures[0])
    (reply,) = batch.take_replies()
    assert reply is not None
    _, _, states, texts = DBR_TYPES[DBR_GR_ENUM].metadata.unpack_from(reply[3])
    used = max(0, min(states, ENUM_STATES))
    return [
        decode_text(texts[start : start + ENUM_STRING_SIZE])
        for start in range(0, used * ENUM_STRING_SIZE, ENUM_STRING_SIZE)
    ]
