# SPDX-License-Identifier: Apache-2.0
"""`!cmd` and `x = !cmd`: a part of a shell that has `programs`."""

from __future__ import annotations

from subprocess import CalledProcessError
from typing import Any

from IPython.utils.text import LSString, SList

from .programs import Programs

__all__ = ["RunsCommands"]


class RunsCommands:
    """Commands of the system's shell, beside which cothreads run on.

    Attributes:
        programs: who runs them.
    """

    programs: Programs
    var_expand: Any
    user_ns: dict[str, Any]
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
