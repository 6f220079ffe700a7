# SPDX-License-Identifier: Apache-2.0
"""Circuits to name servers: kept without channels, and opened again for as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cothread import Sleep

from ..config import Address
from ..protocol.commands import SINCE_TCP_SEARCH

if TYPE_CHECKING:
    from .client import Client
    from .link import Link

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
"""Between two attempts to connect: the first, and twice as much each time."""


class NameServers:
    """The name servers of one client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pauses: dict[Address, float] = {}

    def open(self, address: Address) -> None:
        """Connect to one."""
        link = self._client.link_to(address, SINCE_TCP_SEARCH)
        link.keep = True

    def greeted(self, link: Link, version: int) -> None:
        """Take a server's revision: it may be one that can be asked."""
        if link.keep and version >= SINCE_TCP_SEARCH:
            self._client.finder.add_name_server(link)
            self._pauses.pop(link.address, None)

    def lost(self, link: Link) -> None:
        """Take the end of a circuit to one: it is opened again."""
        self._client.finder.remove_name_server(link)
        if link.keep and not self._client.closed:
            self._client.spawn("name server", self._reopen, link.address)

    def _reopen(self, address: Address) -> None:
        pause = self._pauses.get(address, FIRST_PAUSE_S)
        self._pauses[address] = min(2 * pause, LONGEST_PAUSE_S)
        Sleep(pause)
        if not self._client.closed:
            self.open(address)
