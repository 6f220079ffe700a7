# SPDX-License-Identifier: Apache-2.0
"""The debugger: its prompt is hosted as the shell's own is, so jobs and panels go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from IPython.terminal.debugger import TerminalPdb
from prompt_toolkit.shortcuts import PromptSession

from cothread.interrupts import request_interrupt

from .host import PromptHost

__all__ = ["Debugger"]


class _Here:
    """Stands for the thread in which IPython would run the debugger's prompt: runs it here."""

    def submit(self, ask: Callable[[], str]) -> _Answer:
        return _Answer(ask)


class _Answer:
    def __init__(self, ask: Callable[[], str]) -> None:
        self.result = ask


class Debugger(TerminalPdb):
    """IPython's debugger, with the prompt of a shell that has a `host`."""

    shell: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Neither the thread nor the loop that IPython would give to the prompt is needed.
        self.thread_executor = cast(Any, _Here())
        self.pt_loop.close()
        host: PromptHost = self.shell.host
        session: PromptSession[str] = self.pt_app
        host.adopt(session)

    def _prompt(self) -> str:
        host: PromptHost = self.shell.host
        if not host.can_ask:
            return input(self.prompt)
        return host.run(self.pt_app, request_interrupt)
