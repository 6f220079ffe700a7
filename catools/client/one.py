# SPDX-License-Identifier: Apache-2.0
"""Reading one PV that is connected: what `Get` does for many, without the books for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cothread import Timedout
from cothread.clock import Timeout, monotonic
from cothread.once import Once

from ..errors import CAException, bare, ca_nothing
from ..protocol.circuit import RequestRefused
from ..protocol.records import Data
from .channel import Channel
from .explain import read_failed, timed_out

if TYPE_CHECKING:
    from ..conversion import RequestKey
    from .client import Client


class One(Once[Any]):
    """Takes the end of one read."""

    __slots__ = ()

    def accept(self, reply: Data) -> None:
        """Take the reply."""
        self.Signal(reply)

    def failed(self, _index: int, status: int, detail: str) -> None:
        """Take the end of a read that went wrong."""
        self.Signal((status, detail))


def get_one(client: Client, channel: Channel, timeout: Timeout, key: RequestKey) -> Any:
    """Return the value of a connected channel, or a `ca_nothing`.

    Suspends: until the server replies or the timeout expires.
    """
    record, link = channel.record, channel.link
    assert record is not None
    assert link is not None
    request = channel.requests.get(key) or channel.request(key)
    circuit = link.circuit
    started = monotonic()
    one = One()
    try:
        ident = circuit.read(record, request.dbr, request.count, one)
    except RequestRefused as refusal:
        return CAException(channel.name, refusal.status, refusal.detail)
    try:
        link.flush()
        end = one.Wait(timeout)
    except Timedout:
        circuit.abandon(ident)
        elapsed = monotonic() - started
        return timed_out(client, channel, elapsed, "the server has not replied")
    except BaseException:
        circuit.abandon(ident)
        raise
    if len(end) == 2:
        return read_failed(channel, request.dbr, *end)
    try:
        return request.decode(channel.name, end[3], end[2])
    except ca_nothing as error:
        return bare(error)
