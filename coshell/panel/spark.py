# SPDX-License-Identifier: Apache-2.0
"""Numbers as a row of little bars."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

BARS: Final = "▁▂▃▄▅▆▇█"
PLAIN_BARS: Final = "_.,-=+*#"
GAP: Final = "·"
MIDDLE: Final = 3


def sparkline(values: Sequence[float], unicode: bool = True) -> str:
    """Return one bar per value, from the lowest to the highest of them.

    Values that are all equal give bars of middle height; those that are not finite leave a gap.
    """
    bars = BARS if unicode else PLAIN_BARS
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return (GAP if unicode else "?") * len(values)
    low, high = min(finite), max(finite)
    # Halves keep the span of the widest doubles finite.
    span = high / 2 - low / 2
    gap = GAP if unicode else "?"
    if span <= 0 or span < abs(high) * 1e-12:
        return "".join(bars[MIDDLE] if isfinite(v) else gap for v in values)
    scale = len(bars) / 2
    top = len(bars) - 1
    return "".join(
        [
            bars[min(int((v / 2 - low / 2) / span * 2 * scale), top)] if isfinite(v) else gap
            for v in values
        ]
    )


def profile(array: np.ndarray[Any, Any], width: int) -> list[float]:
    """Return the shape of a numeric array in at most `width` numbers: the mean of each piece."""
    import numpy as np

    flat = np.asarray(array).reshape(-1)
    if flat.size == 0 or width < 1 or flat.dtype.kind not in "iufb":
        return []
    if flat.size <= width:
        return [float(value) for value in flat]
    edges = np.linspace(0, flat.size, width + 1).astype(int)
    with np.errstate(all="ignore"):
        sums = np.add.reduceat(flat, edges[:-1], dtype=float)
        means = sums / np.diff(edges)
    return [float(value) for value in means]
