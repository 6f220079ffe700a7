# SPDX-License-Identifier: Apache-2.0
"""How long to wait for a server's ECHO: longer, when it has just been given up for its silence.

Theory: a silent server is closed and searched for anew, which recovers quickly from a dead
connection. One that is merely overloaded must not be pushed over by ever new circuits, so each
time in a row it gets twice as long; some minutes without such an event make it like any other.
"""

from __future__ import annotations

from typing import Final

from .commands import ECHO_TIMEOUT_S

REMEMBER_S: Final = 300.0
MOST: Final = 8


class Patience:
    """What is remembered of servers that fell silent, by address."""

    def __init__(self) -> None:
        self._given_up: dict[tuple[str, int], tuple[float, int]] = {}

    def gave_up(self, address: tuple[str, int], now: float) -> None:
        """Note that a server was given up because it was silent."""
        factor = self._factor(address, now)
        self._given_up[address] = (now, min(MOST, 2 * factor))

    def echo_timeout(self, address: tuple[str, int], now: float) -> float:
        """Return how many seconds a server may take to answer an ECHO."""
        return ECHO_TIMEOUT_S * self._factor(address, now)

    def _factor(self, address: tuple[str, int], now: float) -> int:
        at, factor = self._given_up.get(address, (now, 1))
        if now - at > REMEMBER_S:
            del self._given_up[address]
            return 1
        return factor
