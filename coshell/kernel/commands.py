# SPDX-License-Identifier: Apache-2.0
"""`!cmd`, `x = !cmd`, `%edit` and the pager: a part of a shell that has `programs`."""

from __future__ import annotations

import shlex
import sys
from subprocess import CalledProcessError
from typing import Any

from IPython.core.error import UsageError
from IPython.core.page import get_pager_cmd
from IPython.utils.text import LSString, SList

from .dock import Dock
from .messages import for_stream
from .programs import Programs
from .prompt import rows_of
from .terminal import Terminal

__all__ = ["RunsCommands"]


class RunsCommands:
    """Commands of the system's shell, beside which cothreads run on.

    Attributes:
        programs: who runs them.
        terminal: where.
        dock: what stands there as well.
    """

    programs: Programs
    terminal: Terminal
    dock: Dock
    var_expand: Any
    user_ns: dict[str, Any]
    editor: str
    system_raise_on_error: bool

    def system(self, cmd: str) -> None:
        """Run a command at the terminal: what `!cmd` does.

        Suspends: until it ends.
        """
        command = self.var_expand(cmd, depth=1)
        status = self.programs.run(command)
        self.user_ns["_exit_code"] = status
        if self.system_raise_on_error and status:
            raise CalledProcessError(status, command)

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        """Collect the output of a command: what `x = !cmd` does.

        Suspends: until it ends.
        """
        text, status = self.programs.read(self.var_expand(cmd, depth=depth + 1))
        self.user_ns["_exit_code"] = status
        if self.system_raise_on_error and status:
            raise CalledProcessError(status, cmd)
        return SList(text.splitlines()) if split else LSString(text.rstrip("\n"))

    def edit_file(self, _: Any, file: str, line: int | None = None, wait: bool = True) -> None:
        """Open a file in the operator's editor: the hook behind `%edit`.

        Raises:
            UsageError: the editor failed.
        Suspends: until it ends.
        """
        del wait  # nobody else would read the keyboard
        place = "" if line is None else f" +{line}"
        status = self.programs.run(f"{self.editor}{place} {shlex.quote(file)}")
        if status:
            raise UsageError(f"%edit: {self.editor!r} ended with status {status}")

    def page_text(self, _: Any, data: Any, start: int = 0, screen_lines: int = 0) -> None:
        """Show a text, in the operator's pager if the dock leaves too few rows for it.

        Suspends: until the pager ends.
        """
        text = data["text/plain"] if isinstance(data, dict) else str(data)
        text = "\n".join(text.splitlines()[max(0, start) :])
        columns, rows = self.terminal.size()
        if isinstance(data, dict):
            # Help, and no file: some of it was written for wider screens.
            text = for_stream(text, sys.stdout, columns)
        room = screen_lines if screen_lines > 0 else rows - self.dock.height + screen_lines
        short = rows_of(f"{text}\n", columns) <= room
        printed = short or not self.terminal.paints or not self.programs.in_foreground
        if printed or not self.programs.page(get_pager_cmd(), text):
            print(text)
