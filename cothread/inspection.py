# SPDX-License-Identifier: Apache-2.0
"""Looking inside: which cothreads there are, what they wait for, and who uses the processor."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import hooks
from .scheduler import ready, scheduler
from .tasks import Spawn
from .threads import Callback

__all__ = ["CothreadInfo", "SchedulerStatistics", "Statistics", "cothreads"]


class CothreadInfo(NamedTuple):
    """What is known of one cothread at one moment.

    Attributes:
        task: the cothread itself; None for the main program.
        state: one of ready, waiting, running.
        waiting_for: in words; empty unless waiting.
        age_s: seconds since it was spawned.
        cpu_s: seconds of processor time, sampled.
        where: where it was spawned.
        stack: its present call stack, innermost call last, one line each.
    """

    task: Spawn[Any] | None
    name: str
    state: str
    waiting_for: str
    age_s: float
    cpu_s: float
    where: str
    stack: tuple[str, ...]


class SchedulerStatistics(NamedTuple):
    """Counts of the scheduler at one moment.

    Attributes:
        cothreads: how many have not ended, without the main program.
        ready: how many of them could run now.
        timers: settings in the timer heap, also those no longer needed.
        descriptors: how many are waited for.
        callbacks: calls handed over by other threads and not made yet.
        callbacks_made: such calls made so far.
        turns: how often the scheduler itself has run.
        stalls: how often a cothread held the scheduler for long.
        longest: the worst of those, or None.
    """

    cothreads: int
    ready: int
    timers: int
    descriptors: int
    callbacks: int
    callbacks_made: int
    turns: int
    stalls: int
    longest: hooks.Stall | None


def _describe_wait(wait: Any) -> str:
    if wait is None or wait.target is None:
        return ""
    text = wait.what.waiting_for() if hasattr(wait.what, "waiting_for") else repr(wait.what)
    if wait.deadline is not None:
        text += f" {max(0.0, wait.deadline - scheduler.clock()):.1f} s left"
    return text


def _stack(strand: Any) -> tuple[str, ...]:
    frame = strand.gr_frame
    if frame is None:
        return ()
    # As slow to load as all the rest of cothread, and needed only by those who look.
    from traceback import extract_stack

    summary = extract_stack(frame)
    return tuple(
        f"{entry.filename}:{entry.lineno} in {entry.name}"
        for entry in summary
        if f"{__package__}/tasks.py" not in entry.filename
        and f"{__package__}/switching.py" not in entry.filename
        and f"{__package__}/scheduler.py" not in entry.filename
    )


def _info(task: Spawn[Any] | None, strand: Any, state: str) -> CothreadInfo:
    return CothreadInfo(
        task=task,
        name="main" if task is None else task.name,
        state=state,
        waiting_for=_describe_wait(strand.wait) if state == "waiting" else "",
        age_s=scheduler.clock() - (scheduler.started_at if task is None else task.born),
        cpu_s=strand.cpu_s,
        where="" if task is None else task.where,
        stack=_stack(strand),
    )


def cothreads() -> list[CothreadInfo]:
    """Return what is known of all cothreads, the main program first, then in order of age."""
    if not scheduler.started:
        return []
    tasks = sorted(Spawn.Cothreads, key=lambda task: task.born)
    infos = [_info(None, scheduler.main, scheduler.state_of(scheduler.main))]
    infos += [_info(task, task.strand, task.state) for task in tasks if task.strand is not None]
    return infos


def Statistics() -> SchedulerStatistics:
    """Return the counts of the scheduler."""
    return SchedulerStatistics(
        cothreads=len(Spawn.Cothreads),
        ready=len(ready),
        timers=len(scheduler.timers),
        descriptors=scheduler.poller.count if scheduler.started else 0,
        callbacks=len(Callback),
        callbacks_made=Callback.made,
        turns=scheduler.turns,
        stalls=scheduler.accounts.stalls,
        longest=scheduler.accounts.longest,
    )
