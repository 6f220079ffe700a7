# SPDX-License-Identifier: Apache-2.0
"""`breakpoint()` in an ordinary thread: the debugger runs there, what it asks is asked in a job.

The job stands for the thread: `%fg` goes there, and `%kill` lets the thread go on.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextvars import Context, copy_context
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from cothread import Callback, EventQueue, Spawn

from .background import wait_for_foreground
from .debugger import Debugger

if TYPE_CHECKING:
    from .shell import CoShell

__all__ = ["Visits"]


class Visits:
    """The threads that are debugged.

    Made in the shell's own thread, whose context variables the jobs see.
    """

    def __init__(self, shell: CoShell) -> None:
        self._shell = shell
        self._context = copy_context()
        self._open: set[Visit] = set()

    def stop(self, frame: FrameType) -> None:
        """Start the debugger in this thread.

        Thread: any but the scheduler's.
        """
        name = f"thread {threading.current_thread().name}"
        if self._shell.simple_prompt:
            self._shell.tell(
                f"{name}: breakpoint() is passed over on this terminal; it stops cells and jobs"
            )
            return
        visit = Visit(self._shell, name, self._context)
        self._open.add(visit)
        self._context.copy().run(ThreadDebugger, visit).set_trace(frame)

    def end(self) -> None:
        """Let all of them go on: the shell ends."""
        for visit in self._open:
            visit.close()


class Visit:
    """A job in which the operator is asked what a thread wants to know.

    Args:
        name: of the job.
        context: the job runs in a copy of it.
    """

    def __init__(self, shell: CoShell, name: str, context: Context) -> None:
        self._shell = shell
        self._name = name
        self._context = context
        self._calls: EventQueue[tuple[Any, Future[Any]] | None] = EventQueue()
        self._job: Spawn[None] | None = None
        self._closed = False
        self._answer: Future[Any] | None = None

    def ask(self, action: Any) -> Any:
        """Have the operator asked, as soon as the job is in the foreground.

        Returns:
            What `action` did, None if the job was killed or the shell has ended.
        Raises:
            KeyboardInterrupt, EOFError: `action` did.
        Thread: any but the scheduler's, which is waited for.
        """
        answer = self._answer = Future()
        if self._closed:
            return None
        Callback(self._take, action, answer)
        return answer.result()

    def close(self) -> None:
        """Ask nobody any more."""
        self._closed = True
        if self._answer is not None:
            _give_up(self._answer)

    def end(self) -> None:
        """Let the job end.

        Thread: any.
        """
        Callback(self._calls.Signal, None)

    def _take(self, action: Any, answer: Future[Any]) -> None:
        if self._job is None:
            self._calls.Reset()
            self._job = self._context.copy().run(Spawn, self._serve)
            self._job.name = self._name
            self._job.on_end(self._ended)
            self._shell.jobs.adopt(self._job)
        self._calls.Signal((action, answer))

    def _serve(self) -> None:
        while (call := self._calls.Wait()) is not None:
            action, answer = call
            try:
                wait_for_foreground(self._shell, "breakpoint()")
                answer.set_result(action())
            except (KeyboardInterrupt, EOFError) as exc:
                answer.set_exception(exc)
            finally:
                _give_up(answer)

    def _ended(self, _: Spawn[None]) -> None:
        self._job = None
        while self._calls:
            call = self._calls.Wait()
            if call is not None:
                _give_up(call[1])


class ThreadDebugger(Debugger):
    """The debugger of a thread.

    Args:
        visit: where the operator is asked.
    """

    def __init__(self, visit: Visit) -> None:
        super().__init__()
        self._visit = visit

    def interaction(self, *args: Any, **kargs: Any) -> Any:
        """Ask what to do at a place, once the operator has come."""
        if self._visit.ask(_here) is None:
            self.set_continue()
            return None
        return super().interaction(*args, **kargs)

    def set_continue(self) -> Any:
        """Let the thread go on."""
        self._visit.end()
        return super().set_continue()

    def set_quit(self) -> Any:
        """Let the thread end where it stands."""
        self._visit.end()
        return super().set_quit()

    def _prompt(self) -> str:
        answer: str | None = self._visit.ask(partial(self.shell.host.read_answer, self.pt_app))
        return "continue" if answer is None else answer


def _give_up(answer: Future[Any]) -> None:
    """Answer None, unless there is an answer."""
    if not answer.done():
        answer.set_result(None)


def _here() -> bool:
    return True
