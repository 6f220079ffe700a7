# SPDX-License-Identifier: Apache-2.0
"""The replaceable hooks: who is told of failures, of stalls, and of new cothreads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tasks import Spawn

__all__ = [
    "Report",
    "SpawnHook",
    "Stall",
    "StallHook",
    "report",
    "set_report",
    "set_spawn_hook",
    "set_stall_hook",
    "spawned",
    "stalled",
]

Report = Callable[[str, BaseException, "Spawn[Any] | None"], None]
"""Called with what failed in words, the exception, and the cothread it ended (or None)."""


class Stall:
    """One time that a cothread held the scheduler for long.

    Attributes:
        name: the cothread.
        held_s: how long nothing else could run, in seconds.
        where: the line at which it gave way at last, as `file:line in function`.
    """

    __slots__ = ("held_s", "name", "where")

    def __init__(self, name: str, held_s: float, where: str) -> None:
        self.name = name
        self.held_s = held_s
        self.where = where

    def __repr__(self) -> str:
        return f"<Stall: {self.name} held the scheduler for {self.held_s:.3f} s until {self.where}>"


StallHook = Callable[[Stall], None]
"""Called with what has happened, after the cothread has given way."""


def _to_stderr(where: str, exc: BaseException, task: Spawn[Any] | None) -> None:
    if sys.stderr is None:
        return
    origin = f" (spawned at {task.where})" if task is not None and task.where else ""
    # As slow to load as all the rest of cothread, and needed only when something fails.
    from traceback import format_exception

    text = "".join(format_exception(exc))
    print(f"{where}{origin}\n{text}", end="", file=sys.stderr, flush=True)


SpawnHook = Callable[["Spawn[Any]"], None]
"""Called with a cothread that has just been made and has not run yet."""

_report: Report = _to_stderr
_stall_hook: StallHook | None = None
spawn_hook: SpawnHook | None = None


def set_report(report: Report | None) -> Report:
    """Replace the hook that is told of every uncaught exception; None restores the default.

    Returns:
        The hook that was there before.
    """
    global _report
    previous = _report
    _report = _to_stderr if report is None else report
    return previous


def report(where: str, exc: BaseException, task: Spawn[Any] | None = None) -> None:
    """Tell the report hook of an uncaught exception; a hook that fails cannot do harm."""
    try:
        _report(where, exc, task)
    except Exception as failure:
        _to_stderr("The report hook itself raised an exception", failure, None)
        _to_stderr(where, exc, task)


def set_stall_hook(hook: StallHook | None) -> StallHook | None:
    """Subscribe to stalls: `hook` is called after a cothread has held the scheduler for long.

    Returns:
        The hook that was there before.
    """
    global _stall_hook
    previous = _stall_hook
    _stall_hook = hook
    return previous


def stalled(stall: Stall) -> None:
    """Tell the stall hook, if there is one."""
    if _stall_hook is not None:
        try:
            _stall_hook(stall)
        except Exception as failure:
            report("The stall hook raised an exception", failure)


def set_spawn_hook(hook: SpawnHook | None) -> SpawnHook | None:
    """Subscribe to new cothreads: `hook` is called with each, before it runs; it must not suspend.

    Returns:
        The hook that was there before.
    """
    global spawn_hook
    previous = spawn_hook
    spawn_hook = hook
    return previous


def spawned(task: Spawn[Any]) -> None:
    """Tell the spawn hook, if there is one."""
    if spawn_hook is not None:
        try:
            spawn_hook(task)
        except Exception as failure:
            report("The spawn hook raised an exception", failure)
