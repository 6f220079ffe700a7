# SPDX-License-Identifier: Apache-2.0
"""The past of one number, for a chart: pure, and bounded."""

from __future__ import annotations

from array import array
from typing import Final

__all__ = ["CAPACITY", "History"]

CAPACITY: Final = 200_000
"""Points kept: an hour and a half at 40 Hz; beyond it the older half is forgotten at once."""


class History:
    """Times and values, oldest first.

    Attributes:
        version: grows with every point.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.times = array("d")
        self.values = array("d")
        self.version = 0
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self.times)

    def add(self, time: float, value: float) -> None:
        """Append a point; one older than the newest takes the newest's time."""
        if len(self.times) >= self._capacity:
            del self.times[: self._capacity // 2]
            del self.values[: self._capacity // 2]
        if self.times and time < self.times[-1]:
            time = self.times[-1]
        self.times.append(time)
        self.values.append(value)
        self.version += 1

    def gap(self, time: float) -> None:
        """Interrupt the line: there is no value from now on."""
        if self.values and self.values[-1] == self.values[-1]:
            self.add(time, float("nan"))
