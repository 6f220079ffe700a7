# SPDX-License-Identifier: Apache-2.0
"""Thresholds of the operator's own: rows stand out when `SR-DI-DCCT:SIGNAL < 290`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_MARK = re.compile(r"\s*(?P<name>.*?)\s*(?P<op><=|>=|==|!=|<|>)\s*(?P<limit>\S+)\s*\Z")


class MarkError(ValueError):
    """Say what is no threshold, and show one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One threshold: a comparison with a number."""

    op: str
    limit: float

    def holds(self, value: float) -> bool:
        """Return whether a value is beyond the threshold."""
        return COMPARISONS[self.op](value, self.limit)

    def __str__(self) -> str:
        return f"{self.op} {self.limit:g}"


def parse_mark(text: str) -> tuple[str, Mark]:
    """Return the PV (empty for every row) and the threshold of `PV < 290` or `> 10`.

    Raises:
        MarkError: the text is no threshold.
    """
    match = _MARK.match(text)
    try:
        if match is None:
            raise ValueError(text)
        return match["name"], Mark(match["op"], float(match["limit"]))
    except ValueError:
        raise MarkError(
            f"{text!r} is no threshold; try 'SR-DI-DCCT:SIGNAL < 290' or '> 10' for every row"
        ) from None
