# SPDX-License-Identifier: Apache-2.0
"""Curves that begin in the past: what has been recorded of a PV, and from when on.

A session asks its `past_sources`; the first one knows what the panels remember.  Whoever knows more
about the past of a PV is added there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from coshell.panel.model import Row
from coshell.panel.trend import CAPACITY, Bucket, Trend

__all__ = ["NOTHING", "Past", "Source", "begin_at", "best", "since_then"]


class Past(NamedTuple):
    """What was recorded of a number, oldest first, and of which type it was (None: unknown)."""

    datatype: int | None
    buckets: Sequence[Bucket]


NOTHING = Past(None, ())

Source = Callable[[str, float], Past]
"""Called with the name of a PV and a monotonic time; returns what it knows since then."""


def since_then(datatype: int | None, buckets: Iterable[Bucket], since: float) -> Past:
    """Return what matters since a moment: what follows it, and what held when it came."""
    kept: list[Bucket] = []
    for bucket in buckets:
        if bucket.began <= since:
            kept.clear()
        kept.append(bucket)
    return Past(datatype, kept) if kept else NOTHING


def best(pasts: Iterable[Past], since: float) -> Past:
    """Return the past that goes back furthest, and of those the one with most to tell."""
    known = [past for past in pasts if past.buckets]
    return min(
        known,
        key=lambda past: (max(past.buckets[0].began, since), -len(past.buckets)),
        default=NOTHING,
    )


def begin_at(
    rows: Iterable[Row], since: float, now: float, past: Callable[[str, float], Past]
) -> dict[str, float]:
    """Give rows their past, and let them remember all of it from now on.

    Args:
        rows: what will be drawn.
        since: monotonic time at which the curves begin.
        now: monotonic time.
        past: tells what was recorded of a PV since then.
    Returns:
        From when on each number is recorded, `now` where nothing was.
    """
    period_s = (now - since) / CAPACITY
    begins = {}
    for row in rows:
        if hasattr(row.value, "dtype"):
            continue
        found = best((past(row.name, since), since_then(row.datatype, row.trend, since)), since)
        trend = Trend(period_s, whole=True)
        for bucket in found.buckets:
            for value in (bucket.low, bucket.high, bucket.last):
                trend.add(value, bucket.began)
        row.trend = trend
        if row.datatype is None:
            # A first value of another type than this would end the trend.
            row.datatype = found.datatype
        begins[row.name] = max(found.buckets[0].began, since) if found.buckets else now
    return begins
