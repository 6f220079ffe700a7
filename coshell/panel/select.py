# SPDX-License-Identifier: Apache-2.0
"""Which rows of a panel are shown, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coshell.panel.model import Row, State

RECENT_S: Final = 10.0

_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sorting key that puts BPM-2 before BPM-10."""
    return tuple(
        (0, len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (1, 0, part)
        for part in _DIGITS.split(name)
    )


SORTS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "given": lambda row: row.rank,
    "name": lambda row: natural(row.name),
    "alarm": lambda row: (-row.urgency, row.rank),
    "change": lambda row: -row.arrived,
}
"""How rows can be ordered: as they were given, by name, worst alarm first, newest first."""

ONLY: Final[Mapping[str, Callable[[Row, float], bool]]] = {
    "alarm": lambda row, _now: row.urgency > 0,
    "disconnected": lambda row, _now: row.state is not State.LIVE,
    "changed": lambda row, now: row.live and now - row.arrived < RECENT_S,
}
"""How rows can be chosen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A wish for rows: which ones (`only`, `text`), in which order, and whether in groups.

    `only` is "" or a key of `ONLY`, `sort` a key of `SORTS`. `text` keeps the rows whose name
    holds every one of its words, in any case.
    """

    sort: str = "given"
    only: str = ""
    text: str = ""
    grouped: bool = False

    def apply(self, rows: Iterable[Row], now: float) -> list[Row]:
        """Return the chosen rows in order."""
        chosen = list(rows)
        if self.only:
            keep = ONLY[self.only]
            chosen = [row for row in chosen if keep(row, now)]
        if self.text:
            words = self.text.lower().split()
            chosen = [row for row in chosen if all(word in row.name.lower() for word in words)]
        if self.sort != "given":
            chosen.sort(key=SORTS[self.sort])
        if self.grouped:
            order = {group: at for at, group in enumerate(dict.fromkeys(r.group for r in chosen))}
            chosen.sort(key=lambda row: order[row.group])
        return chosen
