# SPDX-License-Identifier: Apache-2.0
"""The magics of the kernel: jobs and what went wrong.  Each is thin over a Python object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

if TYPE_CHECKING:
    from .failures import Failure
    from .shell import CoShell

__all__ = ["KernelMagics", "load_ipython_extension"]


@magics_class
class KernelMagics(Magics):
    """`%why` and, in time, the job magics."""

    shell: CoShell

    @line_magic
    def why(self, line: str) -> Failure | None:
        """Show the full traceback of a failure in the background.

        Examples:
            %why      the newest
            %why 3    number 3
        """
        words = line.split()
        number: Any = None
        if words:
            if not words[0].isdigit():
                print(f"%why takes the number of a failure, such as %why 3, not {words[0]!r}.")
                return None
            number = int(words[0])
        try:
            failure = self.shell.failures.find(number)
        except LookupError as reason:
            print(reason)
            return None
        times = f", {failure.count} times" if failure.count > 1 else ""
        print(f"{failure.number}: {failure.where}{times}\n{failure.story}", end="")
        return None


def load_ipython_extension(shell: Any) -> None:
    """Give a shell the magics."""
    shell.register_magics(KernelMagics(shell))
