# SPDX-License-Identifier: Apache-2.0
"""Sockets to test with; all of them are on loopback."""

from __future__ import annotations

import select
import socket as system_socket
from collections.abc import Callable, Iterator

import pytest

from cothread import Spawn, cosocket


@pytest.fixture
def pair() -> Iterator[tuple[cosocket.socket, cosocket.socket]]:
    """Return two cooperative sockets, connected."""
    one, other = cosocket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def listener() -> Iterator[cosocket.socket]:
    """Return a listening cooperative socket."""
    with cosocket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


@pytest.fixture
def spawn() -> Iterator[Callable[..., Spawn]]:
    """Return a Spawn whose cothreads end with the test."""
    tasks: list[Spawn] = []

    def spawn(function, *args, **kargs):
        task = Spawn(function, *args, raise_on_wait=True, **kargs)
        tasks.append(task)
        return task

    yield spawn
    for task in tasks:
        task.Cancel()
        task.AbortWait()


@pytest.fixture
def hooks_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo socket_hook and select_hook after the test."""
    for name in ("socket", "socketpair"):
        monkeypatch.setattr(system_socket, name, getattr(system_socket, name))
    for name in ("select", "poll"):
        monkeypatch.setattr(select, name, getattr(select, name))
