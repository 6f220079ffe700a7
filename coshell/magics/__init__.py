# SPDX-License-Identifier: Apache-2.0
"""The magics: thin, each reads its line and calls a service that is a Python function as well.

`SPECS` is the table of them; registration, help and completion are built from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import no_var_expand

from coshell.magics import access, watching
from coshell.magics.parsing import Spec, run
from coshell.session import session

SPECS: Final[Mapping[str, Spec]] = {spec.name: spec for spec in (*access.SPECS, *watching.SPECS)}
"""Every magic by name."""


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Give a shell the magics; panels go to its dock, if it has one."""
    session.open(getattr(ip, "dock", None), getattr(ip, "emit", print))
    for spec in SPECS.values():
        ip.register_magic_function(_magic(ip, spec), "line", spec.name)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Close what the magics opened and take them away again."""
    session.close()
    for name in SPECS:
        ip.magics_manager.magics["line"].pop(name, None)


def _magic(ip: InteractiveShell, spec: Spec) -> Any:
    """Return the function that IPython calls with the rest of the line."""

    def magic(line: str) -> Any:
        return run(spec, session, line, ip.user_ns)

    magic.__name__ = spec.name
    magic.__doc__ = spec.parser.format_help()
    return no_var_expand(magic)
