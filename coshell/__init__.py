# SPDX-License-Identifier: Apache-2.0
"""An EPICS control room in one terminal, on one thread."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["embed", "load_ipython_extension", "unload_ipython_extension"]

EXTENSIONS: Final = ("coshell.magics", "coshell.magics.script_cells", "coshell.completion")


def embed(banner: str = "", **names: Any) -> None:
    """Prompt the operator at this place of a program, and go on when the shell is left.

    Args:
        banner: printed first.
        names: for the shell, beside the caller's own.
    Raises:
        RuntimeError: a shell is running already.
    Suspends: until the shell is left.
    """
    from coshell.embedding import embed as run

    run(banner, **names)


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Make a stock IPython let cothreads run at its prompt, and give it the magics and names.

    Called by `%load_ext coshell`.
    """
    from coshell.kernel.stock import install

    shell: Any = ip
    if hasattr(shell, "programs"):
        print("This is coshell: there is nothing to load.")
        return
    install(ip)
    shell.push(_names(), interactive=False)
    for extension in EXTENSIONS:
        shell.extension_manager.load_extension(extension)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Make it a stock IPython again; names that have been given another value stay.

    Called by `%unload_ext coshell`.
    """
    from coshell.kernel.stock import uninstall

    shell: Any = ip
    for extension in EXTENSIONS:
        shell.extension_manager.unload_extension(extension)
    shell.drop_by_id(_names())
    uninstall(ip)


@cache
def _names() -> dict[str, Any]:
    """Return what a cell needs not import."""
    import catools
    import cothread
    from coshell.session import session

    names: dict[str, Any] = {"pvs": session.pvs}
    for module in (cothread, catools):
        names |= {module.__name__: module}
        names |= {name: getattr(module, name) for name in module.__all__}
    return names
