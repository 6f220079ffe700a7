# SPDX-License-Identifier: Apache-2.0
"""Identifiers that a client chooses: 32-bit numbers that wrap and are never used twice at once."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

ID_LIMIT: Final = 1 << 32


class IdSource:
    """Hand out identifiers in rising order from one; after the last come those free again.

    `following` is the next to be tried.
    """

    __slots__ = ("_recycling", "following")

    def __init__(self, first: int = 1) -> None:
        self.following = first
        self._recycling = False

    def take_block(self, size: int) -> int | None:
        """Return the first of `size` consecutive identifiers; None once any may be in use."""
        first = self.following
        if self._recycling or first + size > ID_LIMIT:
            return None
        self.following = first + size
        return first

    def take(self, *used: Container[int]) -> int:
        """Return the next identifier that is in none of the containers."""
        ident = self.following
        if ident < ID_LIMIT and not self._recycling:
            self.following = ident + 1
            return ident
        self._recycling = True
        while ident >= ID_LIMIT or any(ident in taken for taken in used):
            ident = 1 if ident >= ID_LIMIT else ident + 1
        self.following = ident + 1
        return ident
