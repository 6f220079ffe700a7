# SPDX-License-Identifier: Apache-2.0
"""A call on many PVs at once: one deadline, one event, no cothread per PV."""

from __future__ import annotations

from cothread import Event, Timedout
from cothread.clock import monotonic

from ..protocol.records import Data

Failure = tuple[int, str]
"""(ECA status, detail)"""


class Batch:
    """Collects what comes back for `size` entries and wakes the caller when there is news.

    The circuit hands replies to `accept` and failures to `failed`; channels that connect are told
    through `connected`.
    """

    __slots__ = ("_event", "_told", "failures", "left", "ready", "replies")

    def __init__(self, size: int) -> None:
        self.left = size
        self.replies: list[Data | None] = [None] * size
        self.failures: dict[int, Failure] = {}
        self.ready: list[int] = []
        self._event: Event[None] = Event()
        self._told = False

    def accept(self, reply: Data) -> None:
        """Take the reply to a read."""
        self.replies[reply[1]] = reply
        self.left -= 1
        if self.left == 0:
            self._tell()

    def failed(self, index: int, status: int, detail: str) -> None:
        """Take the end of an entry that went wrong."""
        self.failures[index] = (status, detail)
        self.left -= 1
        if self.left == 0:
            self._tell()

    def connected(self, index: int) -> None:
        """Take the news that the channel of an entry has connected."""
        self.ready.append(index)
        if not self._told:
            self._tell()

    def closed(self, index: int, status: int, detail: str) -> None:
        """Take the news that the channel of an entry has been closed while we waited for it."""
        self.failed(index, status, detail)
        self._tell()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._event.Signal()

    def wait(self, deadline: float | None) -> bool:
        """Wait for news; False when the deadline, monotonic, has passed without any.

        Suspends: unless there are news already.
        """
        try:
            self._event.Wait(None if deadline is None else max(0.0, deadline - monotonic()))
        except Timedout:
            return False
        self._told = False
        return True

    def take_replies(self) -> list[Data | None]:
        """Return the reply to each entry; they refer to this object, and so do not stay in it."""
        replies, self.replies = self.replies, []
        return replies

    def take_ready(self) -> list[int]:
        """Return the entries whose channels have connected since the last call, in list order."""
        ready, self.ready = self.ready, []
        ready.sort()
        return ready
