# SPDX-License-Identifier: Apache-2.0
"""Cells in the background, and jobs brought to the foreground."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from cothread import Event, Sleep, Spawn, current, run_async
from cothread.coselect import wait_readable
from cothread.interrupts import set_foreground
from cothread.scheduler import scheduler

from .jobs import Job
from .output import written_for

if TYPE_CHECKING:
    from .shell import CoShell
    from .visits import Visits

__all__ = ["attach", "breakpoints", "refuse_background", "spawn_code", "wait_for_foreground"]

DETACH: Final = b"\x1a"
ESCAPE: Final = b"\x1b"
ASIDE_S: Final = 0.05
NAME_LENGTH: Final = 24


def spawn_code(shell: CoShell, code: str, name: str | None = None) -> Job:
    """Run code as a job in the shell's namespace; `await` and magics work in it.

    Returns:
        The job; its result is the value of the last expression.
    Raises:
        SyntaxError: the code is none.
    """
    body, last = _compile(shell, code)

    def run() -> Any:
        for part in body:
            _execute(part, shell.user_ns)
        return None if last is None else _execute(last, shell.user_ns)

    task = Spawn(run)
    task.name = name or " ".join(code.split())[:NAME_LENGTH]
    return shell.jobs.adopt(task)


def _compile(shell: CoShell, code: str) -> tuple[list[Any], Any]:
    """Return what is to be executed, and the expression whose value is the result."""
    text = shell.transform_cell(code)
    filename = shell.compile.cache(text, shell.execution_count, raw_code=code)
    tree = ast.parse(text, filename)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    body = [compile(tree, filename, "exec", flags)] if tree.body else []
    if last is None:
        return body, None
    return body, compile(ast.Expression(last.value), filename, "eval", flags)


def _execute(code: Any, namespace: dict[str, Any]) -> Any:
    result = eval(code, namespace)
    if code.co_flags & inspect.CO_COROUTINE:
        written_for.set(current())
        return run_async(result)
    return result


def attach(shell: CoShell, job: Job) -> bool:
    """Bring a job to the foreground: its output comes untagged, and Ctrl-C interrupts it.

    Returns:
        True when it ended, False when the operator detached with Ctrl-Z or Esc.
    Suspends: until then.
    """
    event = Event[bool]()
    keys = Spawn(_watch_keys, shell, event)
    keys.name = "keys of %fg"
    job.task.on_end(lambda _: event.Signal(True))
    try:
        with _foreground(shell, job):
            return event.Wait()
    finally:
        keys.Cancel()


@contextmanager
def _foreground(shell: CoShell, job: Job) -> Iterator[None]:
    previous = set_foreground(job.task)
    shell.jobs.attached = job
    shell.jobs.attaching.Signal()
    try:
        yield
    finally:
        shell.jobs.attached = None
        set_foreground(previous)


def refuse_background(shell: CoShell) -> None:
    """Refuse the keyboard to background jobs: the operator is typing something else.

    Raises:
        RuntimeError: this is a background job, or another thread.
    """
    if get_ident() != scheduler.thread_id:
        raise RuntimeError(
            "input() in a thread: the keyboard belongs to the prompt; ask in a cell or in a job"
        )
    if not shell.is_foreground(current()):
        job = shell.jobs.current()
        number = f"%fg {job.number}" if job is not None else "%fg"
        raise RuntimeError(
            f"input() in a background job: the keyboard belongs to the prompt; {number} first"
        )


def wait_for_foreground(shell: CoShell, reason: str) -> None:
    """Ask the operator to bring the job that runs now to the foreground.

    Args:
        reason: what for.
    Raises:
        RuntimeError: what runs is no job, so it cannot be brought there.
    Suspends: until that is done.
    """
    if shell.is_foreground(current()):
        return
    job = shell.jobs.current()
    if job is None:
        raise RuntimeError(f"{reason} in the background, in what is no job")
    shell.tell(f"job {job.number} ({job.name}): {reason}; %fg {job.number} goes there")
    while not shell.is_foreground(current()):
        shell.jobs.attaching.Wait()


def _watch_keys(shell: CoShell, event: Event[bool]) -> None:
    """Wait for the key that detaches; what else is typed belongs to the next prompt."""
    if not shell.terminal.interactive:
        return
    fd = shell.terminal.source.fileno()
    while True:
        wait_readable(fd)
        if shell.console.screen is not None or shell.console.lent:
            Sleep(ASIDE_S)  # the job asks something, or has a program ask
            continue
        data = shell.terminal.typed()
        if not data:
            Sleep(ASIDE_S)  # a prompt has read it, and is gone again
            continue
        before, detach, after = data.partition(DETACH)
        if data == ESCAPE:
            event.Signal(False)
            return
        shell.host.type_ahead(before + after)
        if detach:
            event.Signal(False)
            return


@contextmanager
def breakpoints(shell: CoShell) -> Iterator[None]:
    """Have `breakpoint()` start a debugger, unless the environment names another."""

    def stop(*args: Any, **kwargs: Any) -> Any:
        if "PYTHONBREAKPOINT" in os.environ:
            return sys.__breakpointhook__(*args, **kwargs)
        if get_ident() != scheduler.thread_id:
            return visits().stop(sys._getframe(1))
        wait_for_foreground(shell, "breakpoint()")
        return shell.debugger_cls().set_trace(sys._getframe(1))

    context = copy_context()

    @cache
    def visits() -> Visits:
        from .visits import Visits

        return context.run(Visits, shell)

    previous, sys.breakpointhook = sys.breakpointhook, stop
    try:
        yield
    finally:
        sys.breakpointhook = previous
        if visits.cache_info().currsize:
            visits().end()
