# SPDX-License-Identifier: Apache-2.0
"""One-line notices through logging, none of them more than once a minute."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import Final

from cothread.clock import monotonic

log: Final = logging.getLogger("catools")

REPEAT_AFTER_S: Final = 60.0
MOST_REMEMBERED: Final = 1000


class Notices:
    """What has been said lately."""

    def __init__(self) -> None:
        self._said: dict[Hashable, float] = {}

    def __call__(self, text: str, about: Hashable = None) -> None:
        """Log a line, unless the same was said less than a minute ago.

        Args:
            about: what makes lines the same; by default their text.
        """
        now = monotonic()
        key = text if about is None else about
        said = self._said.get(key)
        if said is not None and now - said < REPEAT_AFTER_S:
            return
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[key] = now
        log.warning("%s", text)
