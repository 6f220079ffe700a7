# SPDX-License-Identifier: Apache-2.0
"""A very large message under way: collected in one buffer of its size, which is filled in place.

Theory: what a large array costs is memory that is touched for the first time, and copies. So the
buffer that the kernel fills becomes the value's own memory. Up to `KEPT` it comes from the heap,
which hands out the same pages again; above that the system would give fresh pages each time, which
are asked for in huge ones, and cost nothing before they are filled: a size is only a claim.
"""

from __future__ import annotations

import mmap
from typing import Final

KEPT: Final = 16 << 20
"""Bytes. glibc keeps blocks freed up to here, and returns larger ones to the system at once."""


class Large:
    """One message, header included.

    Args:
        memory: of its size, aligned to eight.
        beginning: of the message.
    """

    __slots__ = ("_filled", "_memory")

    def __init__(self, memory: memoryview, beginning: bytes) -> None:
        self._memory = memory
        self._filled = len(beginning)
        self._memory[: self._filled] = beginning

    @property
    def room(self) -> memoryview:
        """Where the rest of the message goes; empty when all of it is there."""
        return self._memory[self._filled :]

    def filled(self, count: int) -> memoryview | None:
        """Take note of bytes that were put into `room`; return the whole message once complete."""
        self._filled += count
        return self._memory if self._filled == len(self._memory) else None


def fresh(size: int) -> memoryview:
    """Return writable memory, aligned to eight, which lives as long as anything looks into it."""
    if size <= KEPT:
        return memoryview(bytearray(size))
    if not hasattr(mmap, "MAP_PRIVATE"):
        return memoryview(mmap.mmap(-1, size))
    area = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        area.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(area)
