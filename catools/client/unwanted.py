# SPDX-License-Identifier: Apache-2.0
"""Names that nobody waits for any more: when they stop being searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cothread import Sleep
from cothread.clock import monotonic

from .channel import CLOSED, Channel

if TYPE_CHECKING:
    from .client import Client

UNWANTED_S: Final = 30.0
"""Since somebody last asked for it a name is searched this long, then given up."""


class Unwanted:
    """The channels of one client that have not been found and that nobody waits for.

    A program that asks for a missing PV every few seconds has it searched in one go, with ever
    fewer datagrams, instead of from the beginning each time.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._channels: set[Channel] = set()

    def add(self, channel: Channel) -> None:
        """Close a channel after a while, unless somebody needs it."""
        if self._needed(channel):
            return
        if not self._channels:
            self._client.spawn("unwanted names", self._close_later)
        self._channels.add(channel)

    def left(self, channel: Channel) -> None:
        """Take the end of the last monitor of a channel, which may have been a long time."""
        if monotonic() - channel.wanted_at < UNWANTED_S:
            self.add(channel)
        elif not self._needed(channel):
            self._client.close_channel(channel)

    def _needed(self, channel: Channel) -> bool:
        return (
            channel.wanted
            or channel.record is not None
            or channel.phase is CLOSED
            or self._client.closed
        )

    def _close_later(self) -> None:
        Sleep(UNWANTED_S)
        channels, self._channels = self._channels, set()
        for channel in channels:
            self.left(channel)
