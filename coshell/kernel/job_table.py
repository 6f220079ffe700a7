# SPDX-License-Identifier: Apache-2.0
"""Jobs as a table of text, which fits the screen whatever they are called and came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeVar

from .colours import strip
from .dock import cells, clip
from .messages import one_line

__all__ = ["ago", "more", "shown", "table"]

SHOWN: Final = 40
"""So many rows has a table for the screen."""
HEADING: Final = ("job", "name", "state", "age", "cpu", "waits for, or outcome", "last line")
LIMITS: Final = (6, 24, 9, 7, 5, 34, 200)
NARROW: Final = 60
NARROW_LIMITS: Final = (6, 12, 9, 0, 0, 34, 200)
"""On a narrow screen what a job waits for says more than its age and share of the processor."""
GAP: Final = "  "
_ORDER: Final = {"running": 0, "ready": 0, "waiting": 1, "failed": 2, "done": 3, "cancelled": 3}


class Row(Protocol):
    """What is told of a job."""

    number: int
    tag: str
    ended: float | None

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def cpu_s(self) -> float: ...

    @property
    def waits_for(self) -> str: ...

    @property
    def outcome(self) -> str: ...

    @property
    def output(self) -> Sequence[str]: ...

    def age(self, now: float) -> float: ...


AnyRow = TypeVar("AnyRow", bound=Row)


def shown(jobs: Iterable[AnyRow]) -> tuple[list[AnyRow], list[AnyRow]]:
    """Return the jobs in order, those that run first, and those for which there is no room."""
    ordered = sorted(jobs, key=_place)
    return ordered[:SHOWN], ordered[SHOWN:]


def more(rest: Sequence[Row]) -> str:
    """Return the line that stands for jobs without room."""
    counts = ", ".join(
        f"{count} {state}" for state, count in Counter(j.state for j in rest).items()
    )
    return f"… and {len(rest)} more ({counts}); %jobs WORD narrows it down"


def table(jobs: Iterable[Row], now: float, width: int) -> list[str]:
    """Return the jobs as lines of text, those that run first."""
    rows = [HEADING, *(_row(job, now) for job in sorted(jobs, key=_place))]
    if len(rows) == 1:
        return []
    limits = LIMITS if width >= NARROW else NARROW_LIMITS
    widths = [
        min(limit, max(cells(row[column]) for row in rows)) for column, limit in enumerate(limits)
    ]
    return [_line(row, widths, width) for row in rows]


def _place(job: Row) -> tuple[int, int]:
    return _ORDER[job.state], job.number


def _row(job: Row, now: float) -> tuple[str, ...]:
    age = job.age(now)
    share = 100 * job.cpu_s / age if age > 0 else 0.0
    what = job.waits_for if job.ended is None else job.outcome
    last = job.output[-1] if job.output else ""
    texts = (job.tag, job.name, job.state, ago(age), f"{share:.0f}%", what, last)
    return tuple(one_line(strip(text)) for text in texts)


def _line(row: tuple[str, ...], widths: list[int], width: int) -> str:
    columns = [(text, limit) for text, limit in zip(row, widths, strict=True) if limit]
    texts = [(clip(text, limit), limit) for text, limit in columns]
    padded = [text + " " * (limit - cells(text)) for text, limit in texts]
    return clip(GAP.join(padded).rstrip(), width)


def ago(seconds: float) -> str:
    """Return a duration in a few characters."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    if seconds < 3600:
        return f"{seconds / 60:.0f}m"
    return f"{seconds / 3600:.1f}h"
