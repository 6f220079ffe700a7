# SPDX-License-Identifier: Apache-2.0
"""An EPICS control room in one terminal, on one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["embed", "load_ipython_extension"]


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
    import catools
    import cothread
    from coshell.kernel.stock import install

    shell: Any = ip
    install(ip)
    for module in (cothread, catools):
        names = {name: getattr(module, name) for name in module.__all__}
        shell.push({module.__name__: module, **names}, interactive=False)
    shell.extension_manager.load_extension("coshell.magics")
