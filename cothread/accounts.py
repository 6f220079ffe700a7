# SPDX-License-Identifier: Apache-2.0
"""Who used the processor, and who held everything up."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Final

from . import hooks, switching

__all__ = ["STALL_S", "Accounts"]

STALL_S: Final = 0.1
"""A cothread that holds the scheduler for longer is told to the stall hook."""


class Accounts:
    """The accounts of the scheduler.

    Attributes:
        stalls: how often a cothread held the scheduler for long.
        longest: the worst of those, or None.
    """

    def __init__(self) -> None:
        self.stalls = 0
        self.longest: hooks.Stall | None = None

    def charge(self, strand: Any, now: float, since: float | None = None, ended: str = "") -> None:
        """Account for the time since the hub's last turn; called by the cothread that ends it.

        Args:
            now: monotonic.
            since: the time began only then, after a sleep in a foreign loop.
            ended: what to call the place when nobody's code is there any more.
        """
        held_s = now - (switching.since if since is None else since)
        if held_s > 0.0:
            strand.cpu_s += held_s
        if held_s > STALL_S:
            name = "main" if strand.task is None else strand.task.name
            self._note_stall(name, held_s, ended or f"the end of {name}")

    def watched(self, name: str, held_s: float) -> None:
        """Take note that the hub itself held everything up, for what is watched as `name`."""
        self._note_stall(name, held_s, f"the end of {name}")

    def _note_stall(self, name: str, held_s: float, where: str) -> None:
        self.stalls += 1
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and _ours(frame):
            frame = frame.f_back
        if frame is not None:
            code = frame.f_code
            where = f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
        stall = hooks.Stall(name, held_s, where)
        if self.longest is None or held_s > self.longest.held_s:
            self.longest = stall
        hooks.stalled(stall)


def _ours(frame: FrameType) -> bool:
    """Return whether a frame executes code of this package."""
    package = frame.f_globals.get("__package__") or ""
    return package.partition(".")[0] == __package__
