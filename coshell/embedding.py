# SPDX-License-Identifier: Apache-2.0
"""`coshell.embed()`: the shell inside any program, with the names of the place it is called at."""

from __future__ import annotations

import sys
from typing import Any, Final

from coshell.kernel.shell import CoShell

__all__ = ["EXTENSIONS", "embed"]

EXTENSIONS: Final = (
    "coshell.magics",
    "coshell.magics.jobs",
    "coshell.magics.script_cells",
    "coshell.magics.guide",
    "coshell.magics.windows",
)
"""What every shell of ours has."""


def embed(banner: str = "", **names: Any) -> None:
    """Prompt the operator here, and go on when the shell is left.

    Args:
        banner: printed first.
        names: for the shell, beside the caller's own.
    Raises:
        RuntimeError: a shell is running already.
    Suspends: until the shell is left.
    """
    if CoShell.initialized():
        raise RuntimeError(
            "coshell.embed() inside coshell: its names are all at the prompt already"
        )
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "coshell":
        frame = frame.f_back
    namespace = {**frame.f_globals, **frame.f_locals, **names}
    shell = CoShell.instance(user_ns=namespace)
    extensions: Any = shell.extension_manager
    try:
        for extension in (*EXTENSIONS, "coshell.completion"):
            extensions.load_extension(extension)
        shell.confirm_exit = False
        if banner:
            print(banner)
        shell.mainloop()
    finally:
        CoShell.clear_instance()
