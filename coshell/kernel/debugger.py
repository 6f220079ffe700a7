# SPDX-License-Identifier: Apache-2.0
"""The debugger: its prompt is hosted as the shell's own is, so jobs and panels go on meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final, cast

from greenlet import getcurrent
from IPython.core.debugger import Pdb
from IPython.core.getipython import get_ipython
from IPython.terminal.debugger import TerminalPdb
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.shortcuts import PromptSession

from .background import wait_for_foreground
from .host import PromptHost

__all__ = ["Debugger", "PlainDebugger"]

OURS: Final = ("cothread.", "IPython.", "coshell.kernel.")


class _Here:
    """Stands for the thread in which IPython would run the debugger's prompt: runs it here."""

    def submit(self, ask: Callable[[], str]) -> _Answer:
        return _Answer(ask)


class _Answer:
    def __init__(self, ask: Callable[[], str]) -> None:
        self.result = ask


class PlainDebugger(Pdb):
    """IPython's debugger, for a terminal that cannot be painted on.

    It stays in the cothread it was started in: others run on while that waits.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The library's own would keep SIGINT after `continue`, and stop in the scheduler.
        super().__init__(*args, **{"nosigint": True, **kwargs})
        self._strand = getcurrent()
        self._begun_in: set[FrameType] = set()

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Look at what the debugged cothread does next, and at no other."""
        if getcurrent() is not self._strand:
            return None
        tracer = super().trace_dispatch(frame, event, arg)
        if event == "return" and _is_last(frame):
            self.set_continue()
        return tracer

    def set_trace(self, frame: FrameType | None = None, **kwargs: Any) -> Any:
        """Begin with a frame, by default the caller's."""
        frame = frame or sys._getframe(1)
        self._begun_in = set(_callers(frame))
        return super().set_trace(frame, **kwargs)

    def stop_here(self, frame: FrameType) -> bool:
        """Return whether to stop in a frame: not where ours has called something on the way."""
        if not super().stop_here(frame):
            return False
        for caller in _callers(frame):
            if _is_ours(caller):
                return False
            if caller in self._begun_in:
                return True
        return True


class Debugger(PlainDebugger, TerminalPdb):
    """The same, with the prompt of a shell that has a `host`."""

    shell: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._use_history(get_ipython())
        super().__init__(*args, **kwargs)
        # Neither the thread nor the loop that IPython would give to the prompt is needed.
        self.thread_executor = cast(Any, _Here())
        self.pt_loop.close()
        host: PromptHost = self.shell.host
        session: PromptSession[str] = self.pt_app
        host.adopt(session)

    @staticmethod
    def _use_history(shell: Any) -> None:
        """Keep the history in memory where its file cannot be made."""
        if shell.debugger_history is None and shell.debugger_history_file is not None:
            try:
                open(os.path.expanduser(shell.debugger_history_file), "a").close()
            except OSError:
                shell.debugger_history = InMemoryHistory()

    def _prompt(self) -> str:
        wait_for_foreground(self.shell, "the debugger asks")
        host: PromptHost = self.shell.host
        if not host.can_ask:
            return input(self.prompt)
        return host.read_answer(self.pt_app)


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, who called it, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_ours(frame: FrameType) -> bool:
    name: str = frame.f_globals.get("__name__", "")
    return name.startswith(OURS)


def _is_last(frame: FrameType) -> bool:
    """Return whether a frame is that of a cell, or of what a job runs: after it comes our own."""
    caller = frame.f_back
    if caller is None:
        return True
    package, _, module = caller.f_globals.get("__name__", "").partition(".")
    if package == "IPython":
        return (module, caller.f_code.co_name) == ("core.interactiveshell", "run_code")
    return package in {"cothread", "threading"}
