# SPDX-License-Identifier: Apache-2.0
"""One-line notices through logging, none of them more than once a minute."""

from __future__ import annotations

import logging
from typing import Final

from cothread.clock import monotonic

log: Final = logging.getLogger("catools")

REPEAT_AFTER_S: Final = 60.0
MOST_REMEMBERED: Final = 1000


class Notices:
    """What has been said lately."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, text: str) -> None:
        """Log a line, unless the same line was logged less than a minute ago."""
        now = monotonic()
        said = self._said.get(text)
        if said is not None and now - said < REPEAT_AFTER_S:
            return
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[text] = now
        log.warning("%s", text)
