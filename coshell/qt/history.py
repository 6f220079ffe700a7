# SPDX-License-Identifier: Apache-2.0
"""The past of one number, for a chart: pure, and bounded."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from coshell.panel.trend import CAPACITY as BUCKETS
from coshell.panel.trend import Trend

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

    def precede(self, points: Sequence[tuple[float, float]]) -> None:
        """Put points in front that are older than all others; what has no room is left out."""
        room = self._capacity - len(self.times)
        older = list(points)[-room:] if room > 0 else []
        self.times[:0] = array("d", [time for time, _ in older])
        self.values[:0] = array("d", [value for _, value in older])
        self.version += bool(older)

    def trend(self, since: float, until: float) -> Trend:
        """Return what happened since then, in as few numbers as a trend has."""
        trend = Trend(max(until - since, 1.0) / BUCKETS, whole=True)
        first = max(bisect_right(self.times, since) - 1, 0)
        for time, value in zip(self.times[first:], self.values[first:], strict=True):
            trend.add(value, time)
        return trend

    def gap(self, time: float) -> None:
        """Interrupt the line: there is no value from now on."""
        if self.values and self.values[-1] == self.values[-1]:
            self.add(time, float("nan"))
