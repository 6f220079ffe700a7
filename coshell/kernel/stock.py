# SPDX-License-Identifier: Apache-2.0
"""A stock IPython: `%load_ext coshell` and `%gui cothread` make its prompt let cothreads run."""

from __future__ import annotations

from asyncio import events
from typing import Any, Final, Protocol

from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.pt_inputhooks import register

from cothread.coselect import wait_readable

__all__ = ["NAME", "input_hook", "install"]

NAME: Final = "cothread"


class HookContext(Protocol):
    """What prompt_toolkit gives to an input hook."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when the hook must return."""


def input_hook(context: HookContext) -> None:
    """Let cothreads run until there is a key.

    Suspends: until then.
    """
    # prompt_toolkit's own loop is running here; cothreads may run loops of their own.
    loop = events._get_running_loop()
    events._set_running_loop(None)
    try:
        wait_readable(context.fileno())
    except KeyboardInterrupt:
        # What escapes from a hook ends IPython with the terminal left raw.
        return
    finally:
        events._set_running_loop(loop)


def install(ip: InteractiveShell) -> None:
    """Register the hook and use it, unless the operator has chosen another."""
    register(NAME, input_hook)
    shell: Any = ip
    if getattr(shell, "_inputhook", None) is None and not getattr(shell, "simple_prompt", True):
        shell.enable_gui(NAME)
