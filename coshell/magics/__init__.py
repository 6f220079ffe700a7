# SPDX-License-Identifier: Apache-2.0
"""The magics: thin, each reads its line and calls a service that is a Python function as well.

`SPECS` is the table of them; registration, help and completion are built from it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import no_var_expand
from prompt_toolkit.key_binding import merge_key_bindings

from coshell.keys import bindings
from coshell.magics import access, known, panels, watching
from coshell.magics.parsing import Spec, run
from coshell.session import session
from coshell.views import open_kept
from cothread.loops.asyncio_guest import GuestLoop

STORE: Final = "panels.toml"

SPECS: Final[Mapping[str, Spec]] = {
    spec.name: spec for spec in (*access.SPECS, *known.SPECS, *watching.SPECS, *panels.SPECS)
}
"""Every magic by name."""


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Give a shell the magics; panels go to its dock, if it has one that can be painted."""
    terminal = getattr(ip, "terminal", None)
    painted = terminal is None or terminal.paints
    dock = getattr(ip, "dock", None) if painted else None
    session.open(dock, getattr(ip, "emit", print), getattr(ip, "tell", print))
    session.stores = _stores(ip)
    layer = getattr(ip.parent, "layer", None)
    if layer is not None:
        session.name_sources.append(cache(lambda: tuple(layer.pv_names())))
    session.foreground = _foreground(ip)
    if session.dock is not None:
        _bind_keys(ip)
    for spec in SPECS.values():
        ip.register_magic_function(_magic(ip, spec), "line", spec.name)
    open_kept(session)


def _stores(ip: InteractiveShell) -> list[Path]:
    """Return the files with kept panels: of the shell's profile, then the operator's own."""
    layer = getattr(ip.parent, "layer", None)
    directories = [layer.path] if layer is not None else []
    profile = getattr(ip, "profile_dir", None)
    if profile is not None:
        directories.append(Path(profile.location))
    return [directory / STORE for directory in directories]


def _bind_keys(ip: InteractiveShell) -> None:
    """Give the prompt the keys for docked panels."""
    prompt, console = getattr(ip, "pt_app", None), getattr(ip, "console", None)
    if prompt is not None and console is not None:
        session.lending = console.lending
        prompt.key_bindings = merge_key_bindings([prompt.key_bindings, bindings(session)])


def _foreground(ip: InteractiveShell) -> Callable[[Coroutine[Any, Any, None]], None] | None:
    """Return what gives the whole terminal to a coroutine, None where there is no terminal."""
    console, guest = getattr(ip, "console", None), getattr(ip, "guest", None)
    if console is None or guest is None:
        return _run_alone if sys.stdin.isatty() and sys.stdout.isatty() else None

    def run_lent(coroutine: Coroutine[Any, Any, None]) -> None:
        with console.lending():
            guest(coroutine)

    return run_lent if console.terminal.paints else None


def _run_alone(coroutine: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=GuestLoop) as runner:
        runner.run(coroutine)


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
