# SPDX-License-Identifier: Apache-2.0
"""Other clients of the same servers, from the environment that COSHELL_PEERS_PYTHON names."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import catools

PEER = Path(__file__).with_name("peer.py")
PEER_S = 240.0


@pytest.fixture(scope="session")
def peers_python() -> str:
    """The interpreter of an environment with cothread, aioca and caproto."""
    python = os.environ.get("COSHELL_PEERS_PYTHON", "")
    if not python:
        pytest.skip("COSHELL_PEERS_PYTHON names no interpreter with cothread, aioca and caproto")
    return python


@pytest.fixture(scope="session")
def repeater_port() -> Iterator[int]:
    """A port on which something listens, so that libca leaves no repeater process behind."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        yield sock.getsockname()[1]


@pytest.fixture(scope="session")
def ask(peers_python: str, repeater_port: int) -> Callable[..., list[Any]]:
    """Have a peer do requests, and return what it got."""

    def run(client: str, requests: list[Any], env: dict[str, str]) -> list[Any]:
        environment = {
            **os.environ,
            **env,
            "EPICS_CA_REPEATER_PORT": str(repeater_port),
            "EPICS_CA_MAX_ARRAY_BYTES": "10000000",
        }
        # Its own client must not be shadowed by the packages of this directory.
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [peers_python, str(PEER), client],
            input=json.dumps(requests),
            env=environment,
            cwd=PEER.parent,
            capture_output=True,
            text=True,
            timeout=PEER_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        results: list[Any] = json.loads(done.stdout)
        return results

    return run


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Make our client see what an environment describes; it is closed afterwards."""

    def look_at(env: dict[str, str]) -> None:
        catools.close_client()
        for name, value in env.items():
            monkeypatch.setenv(name, value)

    yield look_at
    catools.close_client()
