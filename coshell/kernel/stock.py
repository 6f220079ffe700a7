# SPDX-License-Identifier: Apache-2.0
"""A stock IPython: `%load_ext coshell` and `%gui cothread` make its prompt let cothreads run.

The first also makes `!cmd` and `x = !cmd` do so.
"""

from __future__ import annotations

from asyncio import events
from types import MethodType
from typing import Any, Final, Protocol

from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.pt_inputhooks import register

from cothread.coselect import wait_readable
from cothread.interrupts import foreground

from .commands import RunsCommands
from .programs import Programs, lent_as_it_is

__all__ = ["NAME", "input_hook", "install", "uninstall"]

NAME: Final = "cothread"
COMMANDS: Final = (RunsCommands.system, RunsCommands.getoutput)


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
    """Register the hook and use it, unless the operator has chosen another; take over `!cmd`."""
    register(NAME, input_hook)
    shell: Any = ip
    if getattr(shell, "_inputhook", None) is None and not getattr(shell, "simple_prompt", True):
        shell.enable_gui(NAME)
    shell.programs = Programs(lent_as_it_is, lambda task: task is foreground())
    for command in COMMANDS:
        setattr(shell, command.__name__, MethodType(command, shell))


def uninstall(ip: InteractiveShell) -> None:
    """Give the prompt and `!cmd` back to IPython."""
    shell: Any = ip
    if getattr(shell, "_inputhook", None) is input_hook:
        shell.enable_gui(None)
    for name in ("programs", *(command.__name__ for command in COMMANDS)):
        vars(shell).pop(name, None)
