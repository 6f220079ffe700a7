# SPDX-License-Identifier: Apache-2.0
"""The shell in a terminal, for every test of this directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate import NAME
from tests.support.terminal import Terminal, coshell


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str | None]:
    """Return an environment in which the shell finds nothing of the developer's."""
    return {
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "COSHELL_PROFILES": None,
        "SHELL": None,
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": "15064",
        "EPICS_CA_REPEATER_PORT": "15065",
        "PYTHONWARNINGS": None,
        "NO_COLOR": None,
    }


@pytest.fixture
def open_gate(tmp_path: Path) -> Callable[[], None]:
    """Return a function that lets go on what waits at the gate; see `tests.support.gate`."""
    return tmp_path.joinpath(NAME).touch


@pytest.fixture
def start(home: dict[str, str | None]) -> Iterator[Callable[..., Terminal]]:
    """Return a function that starts coshell in a terminal."""
    opened: list[Terminal] = []

    def start(*arguments: str, env: Any = None, **options: Any) -> Terminal:
        terminal = Terminal(coshell(*arguments), env={**home, **(env or {})}, **options)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


@pytest.fixture
def shell(start: Callable[..., Terminal]) -> Terminal:
    """Return a shell at its first prompt, with the names used by these tests."""
    terminal = start("--no-banner")
    terminal.wait_prompt(1)
    terminal.line("from cothread import Spawn, Sleep, Event; from tests.support import gate")
    terminal.wait_prompt(2)
    return terminal
