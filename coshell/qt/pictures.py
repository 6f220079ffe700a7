# SPDX-License-Identifier: Apache-2.0
"""When a window is drawn: soon after a change, and never so often that others would feel it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, ClassVar, Final

from qtpy import QtCore

from cothread.clock import monotonic

__all__ = ["Pictures", "timed"]

SOON_MS: Final = 5
"""A scan of an IOC changes many PVs at once: they are drawn together."""
REST: Final = 1.0
"""For as long as drawing took, times this, nothing is drawn: the prompt has the other half."""


class Pictures:
    """Draws what has changed.

    Args:
        parent: the widget that is drawn.
        period_ms: from one picture to the next, at least.
        draw: draws it.
    """

    rest_until: ClassVar[float] = 0.0
    """Until when no window is drawn."""

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
            self._timer.start(max(SOON_MS, self._left_ms()))

    def stop(self) -> None:
        """Draw no more, until something changes again."""
        self._timer.stop()

    def _left_ms(self) -> int:
        return ceil(1000 * (max(self._next, Pictures.rest_until) - monotonic()))

    def _draw(self) -> None:
        left_ms = self._left_ms()
        if left_ms > 1:
            # It was painted meanwhile, which takes longer than to say what is to be painted.
            self._timer.start(left_ms)
            return
        self._next = monotonic() + self._period_s
        self.drawn += 1
        with timed():
            self._draw_it()


@contextmanager
def timed() -> Iterator[None]:
    """Count the `with` block as drawing."""
    began = monotonic()
    yield
    ended = monotonic()
    Pictures.rest_until = max(Pictures.rest_until, ended) + REST * (ended - began)
