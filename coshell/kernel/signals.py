# SPDX-License-Identifier: Apache-2.0
"""Signals and keys that would end or stop the shell, and the signal of another window size.

Ctrl-C is not among them: see `interrupt`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.search import stop_search

from cothread.clock import monotonic
from cothread.interrupts import AGAIN_S

from .console import Console
from .interrupt import handling

__all__ = ["Signals"]


class Signals:
    """What they mean here.

    Args:
        emit: prints a line above the prompt.
        running: says in words which jobs run, "" when there are none.
    """

    def __init__(
        self, console: Console, emit: Callable[[str], object], running: Callable[[], str]
    ) -> None:
        self._console = console
        self._emit = emit
        self._running = running
        self._suspend_asked = float("-inf")

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Be their handler in the `with` block."""
        with ExitStack() as stack:
            if self._console.terminal.interactive:
                stack.enter_context(handling(signal.SIGWINCH, self._resized))
            stack.enter_context(handling(signal.SIGQUIT, self._quit))
            stack.enter_context(handling(signal.SIGTERM, self._terminated))
            yield

    def keys(self) -> KeyBindings:
        """Return the bindings for a prompt, where the keys are no signals."""
        keys = KeyBindings()
        # IPython's own key for this would end every program of the terminal.
        keys.add("c-\\")(self._quit)
        keys.add("c-z")(self._suspend)
        # IPython's own would only close a menu, or empty a search, and leave the line as it is.
        keys.add("c-c")(_clear)
        return keys

    def _resized(self, *_: object) -> None:
        self._console.resized()

    def _terminated(self, number: int, _: object) -> None:
        self._console.terminal.cook()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _suspend(self, event: Any) -> None:
        """Suspend the shell; while there are jobs only at the second Ctrl-Z, for it stops them."""
        asked, self._suspend_asked = self._suspend_asked, monotonic()
        running = self._running()
        if not running or self._suspend_asked - asked < AGAIN_S:
            event.app.suspend_to_background()
        else:
            self._emit(f"Ctrl-Z would stop {running} as well: once more, and it does.")

    def _quit(self, *_: object) -> None:
        if self._console.lent:
            return  # it is for the program that has the terminal
        self._emit("Ctrl-\\ does not end the session: `exit` or Ctrl-D does, Ctrl-C interrupts.")


def _clear(event: Any) -> None:
    """Clear the line, whatever is being done with it."""
    if event.app.layout.is_searching:
        stop_search()
    event.app.current_buffer.reset()
