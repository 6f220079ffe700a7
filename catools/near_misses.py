# SPDX-License-Identifier: Apache-2.0
"""What may have been meant by a name or a state that there is not. Pure: texts in, texts out.

difflib is loaded when something has failed: what succeeds does not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["NAMES_ALIKE", "STATES_ALIKE", "near_misses"]

STATES_ALIKE: Final = 0.6
"""A PV has a few states that differ much; one that shares most letters is probably meant."""
NAMES_ALIKE: Final = 0.8
"""The names of a machine look alike, and one of thousands is always somewhat near."""


def near_misses(typed: str, known: Iterable[str], alike: float) -> list[str]:
    """Return the known text that looks most like a mistyped one, in all its spellings.

    Args:
        known: searched whatever their case; several that differ in nothing else are all returned,
            in their order.
        alike: from 0 to 1; what is less alike is not meant.
    """
    from difflib import get_close_matches

    spellings: dict[str, list[str]] = {}
    for text in known:
        spellings.setdefault(text.casefold(), []).append(text)
    close = get_close_matches(typed.casefold(), spellings, 1, alike)
    return spellings[close[0]] if close else []
