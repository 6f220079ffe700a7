# SPDX-License-Identifier: Apache-2.0
"""What beacons tell: whether a server has just appeared, restarted or fallen silent.

Theory: a server's beacons start fast and slow down to a steady period. A sudden beacon of a server
we did not know, or beacons that come much sooner or later than usual, hint at a change. Beacons
are not authenticated, may be lost and may arrive by several routes, so they are hints: they bring
searches forward and make us probe a circuit, and never close anything.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum
from typing import Final

from .commands import BEACON, SERVER_PORT, SINCE_BEACON_COUNTER
from .framing import ID_MASK, datagram_frames
from .search import server_address

MOST_SERVERS: Final = 20000
"""Servers remembered; a flood of forged beacons must not grow the table for ever."""


class Hint(Enum):
    """What a beacon suggests to do."""

    NOTHING = "nothing"
    PROBE = "probe the circuit"
    CHANGED = "probe the circuit and search again"


class _Server:
    __slots__ = ("average", "counter", "seen_at")

    def __init__(self, seen_at: float, counter: int) -> None:
        self.seen_at = seen_at
        self.counter = counter
        self.average = 0.0


Beacon = tuple[str, int, int, int]
"""(address, port, counter, minor revision)"""


def beacons_in(data: bytes, source: str, default_port: int = SERVER_PORT) -> list[Beacon]:
    """Return the beacons in a datagram; one that names no address comes from `source`."""
    found: list[Beacon] = []
    for command, version, port, counter, p2, _ in datagram_frames(data):
        if command != BEACON:
            continue
        address = server_address(p2) if p2 else source
        if address is not None:
            found.append((address, port or default_port, counter, version))
    return found


class Beacons:
    """The memory of one client for beacons; `started` is when the client began to listen."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._servers: OrderedDict[tuple[str, int], _Server] = OrderedDict()

    def heard(self, beacon: Beacon, now: float) -> Hint:
        """Take a beacon and return what it suggests."""
        address, port, counter, version = beacon
        key = (address, port)
        server = self._servers.get(key)
        if server is None:
            self._servers[key] = _Server(now, counter)
            if len(self._servers) > MOST_SERVERS:
                self._servers.popitem(last=False)
            return Hint.NOTHING
        if version >= SINCE_BEACON_COUNTER:
            advance = (counter - server.counter) & ID_MASK
            server.counter = counter
            # A copy by another route, or one or two that were lost: neither says anything.
            if advance == 0 or advance > ID_MASK - 256 or advance in (2, 3):
                return Hint.NOTHING
        interval = now - server.seen_at
        first_at = server.seen_at
        server.seen_at = now
        if server.average <= 0.0:
            server.average = interval
            # The steady period is longer than we have existed only for a server older than us.
            return Hint.CHANGED if interval <= first_at - self._started else Hint.NOTHING
        average = server.average
        server.average = 0.875 * average + 0.125 * interval
        if interval <= 0.8 * average or interval >= 3.25 * average:
            return Hint.CHANGED
        return Hint.PROBE if interval >= 1.25 * average else Hint.NOTHING

    def forget(self, address: str, port: int) -> None:
        """Start anew with a server whose circuit has closed."""
        self._servers.pop((address, port), None)
