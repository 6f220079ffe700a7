# SPDX-License-Identifier: Apache-2.0
"""What the home of Qt puts into the scheduler's queues, and what it puts into Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from ..scheduler import scheduler
from ..waits import ready

__all__ = ["Held", "QtsTurn", "waking"]


class QtsTurn:
    """An alarm that makes the host ready when cothreads have kept Qt waiting for long.

    It may stand in the timer heap several times; the first to come disarms the others.
    """

    __slots__ = ("target",)

    def __init__(self) -> None:
        self.target: Any = None

    def expire(self) -> None:
        """Let the host run next."""
        strand, self.target = self.target, None
        ready.appendleft(strand)


class Held:
    """Stands in the ready queue for the main program while that may not run."""

    __slots__ = ("_put_off", "item")

    def __init__(self, put_off: Callable[[Any], object], item: Any) -> None:
        self._put_off = put_off
        self.item = item

    def switch(self) -> object:
        """Put the main program off, and let the next one run."""
        self._put_off(self.item)
        hub: Any = scheduler.hub
        return None if getcurrent() is hub else hub.switch()


def waking(core: Any, wake: Callable[[], object]) -> Any:
    """Return an event filter that calls `wake()` and lets the event pass."""

    class Waking(core.QObject):  # type: ignore[misc]
        def eventFilter(self, _receiver: object, _event: object) -> bool:
            wake()
            return False

    return Waking()
