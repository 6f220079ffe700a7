# SPDX-License-Identifier: Apache-2.0
"""When a window is drawn: soon after a change, and never so often that others would feel it."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, Final

from qtpy import QtCore

from cothread.clock import monotonic

__all__ = ["Pictures"]

SOON_MS: Final = 5
"""A scan of an IOC changes many PVs at once: they are drawn together."""
SHARE: Final = 2
"""Drawing takes at most one part in so many of the time, however slow it is."""


class Pictures:
    """Draws what has changed.

    Args:
        parent: the widget that is drawn.
        period_ms: from one picture to the next, at least.
        draw: draws it.
    """

    def __init__(self, parent: Any, period_ms: int, draw: Callable[[], object]) -> None:
        self._draw_it = draw
        self._period_s = period_ms / 1000
        self._next = 0.0
        self.drawn = 0
        self._timer = QtCore.QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(QtCore.Qt.PreciseTimer)
        self._timer.timeout.connect(self._draw)

    def want(self) -> None:
        """Take note that something has changed."""
        if not self._timer.isActive():
            self._timer.start(max(SOON_MS, ceil(1000 * (self._next - monotonic()))))

    def stop(self) -> None:
        """Draw no more, until something changes again."""
        self._timer.stop()

    def _draw(self) -> None:
        began = monotonic()
        self.drawn += 1
        self._draw_it()
        self._next = began + max(self._period_s, SHARE * (monotonic() - began))
        if self._timer.isActive():
            # Something changed while it was drawn.
            self._timer.stop()
            self.want()
