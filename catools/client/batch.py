# SPDX-License-Identifier: Apache-2.0
"""A call on many PVs at once: one deadline, one event, no cothread per PV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cothread import Event, Timedout
from cothread.clock import monotonic

from ..protocol.records import Data

if TYPE_CHECKING:
    from .channel import Channel

Failure = tuple[int, str]
"""(ECA status, detail)"""


class Batch:
    """Collects what comes back for `size` entries and wakes the caller when there is news.

    The circuit hands replies to `accept` and failures to `failed`; channels that connect are told
    through `connected`.
    """

    __slots__ = ("_again", "_event", "_expected", "_told", "failures", "left", "ready", "replies")

    def __init__(self, size: int) -> None:
        self.left = size
        self.replies: list[Data | None] = [None] * size
        self.failures: dict[int, Failure] = {}
        self._expected: dict[Channel, int] = {}
        # Further entries for the same channel, where a list names a PV more than once.
        self._again: dict[Channel, set[int]] = {}
        self.ready: list[Channel] = []
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

    def gone(self, index: int, status: int, detail: str) -> None:
        """Take the end of an entry that nobody needs any more."""
        self.failed(index, status, detail)
        self._tell()

    def expect(self, channel: Channel, index: int) -> None:
        """Take note that an entry needs a channel that is not connected."""
        if self._expected.setdefault(channel, index) != index:
            self._again.setdefault(channel, set()).add(index)

    def forget(self, channel: Channel, index: int) -> bool:
        """Take an entry back; True when no other needs the channel."""
        others = self._again.get(channel)
        if others is None:
            self._expected.pop(channel, None)
            return True
        if self._expected[channel] == index:
            self._expected[channel] = others.pop()
        else:
            others.discard(index)
        if not others:
            del self._again[channel]
        return False

    def connected(self, channel: Channel) -> None:
        """Take the news that a channel has connected."""
        self.ready.append(channel)
        if not self._told:
            self._tell()

    def closed(self, channel: Channel, status: int, detail: str) -> None:
        """Take the news that a channel has been closed while we waited for it."""
        for index in self._take([channel]):
            self.gone(index, status, detail)

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
        channels, self.ready = self.ready, []
        entries = self._take(channels)
        entries.sort()
        return entries

    def waiting(self) -> list[tuple[Channel, int]]:
        """Return what is still expected: each channel with each entry that needs it."""
        further = [(each, index) for each, others in self._again.items() for index in others]
        return [*self._expected.items(), *further]

    def _take(self, channels: list[Channel]) -> list[int]:
        """Return the entries that need some channels, and expect those no longer."""
        expected, again = self._expected, self._again
        entries = [expected.pop(channel) for channel in channels if channel in expected]
        if again:
            for channel in channels:
                entries += again.pop(channel, ())
        return entries
