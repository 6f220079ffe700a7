# SPDX-License-Identifier: Apache-2.0
"""The recent past of one number, in bounded memory.

Law: at most `CAPACITY` buckets, each the lowest, highest and last value of `period_s`. Time passes
only when a value arrives, so a quiet PV costs nothing and its picture does not creep. When there is
no room left, the oldest bucket is forgotten, or, of a `whole` trend, the period becomes longer.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from math import isfinite
from typing import Final, NamedTuple

CAPACITY: Final = 120
PERIOD_S: Final = 1.0


class Bucket(NamedTuple):
    """What one number did during one period, which began at `began` (monotonic seconds)."""

    began: float
    low: float
    high: float
    last: float


class Trend:
    """A ring of buckets that grows to its capacity and then forgets the oldest.

    Args:
        period_s: seconds of a bucket.
        whole: forget nothing, but join buckets when there are too many.
    """

    __slots__ = ("_began", "_data", "_due", "_high", "_last", "_low", "_start", "period_s", "whole")

    def __init__(self, period_s: float = PERIOD_S, *, whole: bool = False) -> None:
        self.period_s = period_s
        self.whole = whole
        self._data: array[float] | None = None
        self._start = 0
        self._due = float("-inf")
        self._began = self._low = self._high = self._last = 0.0

    def __len__(self) -> int:
        if self._due == float("-inf"):
            return 0
        return 1 + (len(self._data) // 4 if self._data is not None else 0)

    def add(self, value: float, now: float) -> None:
        """Take one number in; it joins the open bucket or closes it and opens the next."""
        if now < self._due:
            self._last = value
            if value < self._low:
                self._low = value
            elif value > self._high:
                self._high = value
            return
        if self._due != float("-inf"):
            self._close()
        self._due = now + self.period_s
        self._began = now
        self._low = self._high = self._last = value

    def _close(self) -> None:
        bucket = (self._began, self._low, self._high, self._last)
        if self._data is None:
            self._data = array("d", bucket)
        elif len(self._data) < 4 * (CAPACITY - 1):
            self._data.extend(bucket)
        elif self.whole:
            self._data = self._coarser()
            self._data.extend(bucket)
        else:
            self._data[self._start : self._start + 4] = array("d", bucket)
            self._start = (self._start + 4) % len(self._data)

    def _coarser(self) -> array[float]:
        """Return the closed buckets, joined by ever longer periods until half the room is free.

        Only neighbours in time are joined: between others the last value held.
        """
        buckets = list(self)[:-1]
        self._start = 0
        while len(buckets) > CAPACITY // 2:
            self.period_s *= 2
            joined = buckets[:1]
            for bucket in buckets[1:]:
                before = joined[-1]
                if bucket.began < before.began + self.period_s:
                    low, high = min(before.low, bucket.low), max(before.high, bucket.high)
                    joined[-1] = Bucket(before.began, low, high, bucket.last)
                else:
                    joined.append(bucket)
            buckets = joined
        return array("d", [number for bucket in buckets for number in bucket])

    def _closed(self, index: int) -> Bucket:
        assert self._data is not None
        at = (self._start + 4 * index) % len(self._data)
        return Bucket(*self._data[at : at + 4])

    def __iter__(self) -> Iterator[Bucket]:
        """Yield the buckets, oldest first; the last one is still open."""
        count = len(self)
        for index in range(count - 1):
            yield self._closed(index)
        if count:
            yield Bucket(self._began, self._low, self._high, self._last)

    def recent(self, count: int) -> list[float]:
        """Return the last value of each of the newest `count` buckets, oldest first."""
        if self._due == float("-inf") or count < 1:
            return []
        return [*self._column(3, count), self._last]

    def extremes(self, count: int) -> tuple[float, float] | None:
        """Return the lowest and highest number in the newest `count` buckets, None without any."""
        if self._due == float("-inf") or count < 1:
            return None
        ends = [self._low, self._high, *self._column(1, count), *self._column(2, count)]
        known = [end for end in ends if isfinite(end)]
        return (min(known), max(known)) if known else None

    def _column(self, part: int, count: int) -> array[float] | tuple[()]:
        """Return one number of each closed bucket among the newest `count`, oldest first."""
        data = self._data
        if data is None or count == 1:
            return ()
        # The oldest bucket begins at `_start`.
        return (data[self._start + part :: 4] + data[part : self._start : 4])[1 - count :]

    def copy(self) -> Trend:
        """Return the same past, which no longer changes with this one."""
        twin = Trend(self.period_s)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        if self._data is not None:
            twin._data = self._data[:]
        return twin

    def clear(self) -> None:
        """Forget everything, as after a change of type."""
        self._data = None
        self._start = 0
        self._due = float("-inf")
