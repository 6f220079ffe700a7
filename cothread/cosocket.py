# SPDX-License-Identifier: Apache-2.0
"""Cooperative sockets: `socket`, and the functions of the standard library that make them."""

from __future__ import annotations

import _socket
import contextlib
import socket as _system
from typing import Any

from . import tls
from .basesocket import socket
from .resolving import addresses

__all__ = ["cosocket", "create_connection", "socket", "socket_hook", "socketpair"]

cosocket = socket

_DEFAULT_TIMEOUT: Any = _system._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]

tls.install()


def socketpair(
    family: int | None = None, type: int = _system.SOCK_STREAM, proto: int = 0
) -> tuple[socket, socket]:
    """Return two cooperative sockets that are connected to each other."""
    if family is None:
        family = _system.AF_UNIX
    one, other = _socket.socketpair(family, type, proto)
    return (
        socket(family, type, proto, fileno=one.detach()),
        socket(family, type, proto, fileno=other.detach()),
    )


def create_connection(
    address: tuple[str | None, int],
    timeout: float | None = _DEFAULT_TIMEOUT,
    source_address: Any = None,
    *,
    all_errors: bool = False,
) -> socket:
    """Connect to a host and port, trying all addresses that the host has.

    Args:
        timeout: of the connection, and of everything done with it later.
        source_address: where to connect from.
        all_errors: raise what went wrong with all addresses, not only with the last one.
    Raises:
        OSError: it could not be connected.
        ExceptionGroup: the same, with `all_errors`.
    Suspends: always.
    """
    host, port = address
    errors: list[OSError] = []
    for family, kind, proto, _, place in addresses(host, port, type=_system.SOCK_STREAM):
        try:
            with contextlib.ExitStack() as undo:
                connection = undo.enter_context(socket(family, kind, proto))
                if timeout is not _DEFAULT_TIMEOUT:
                    connection.settimeout(timeout)
                if source_address:
                    connection.bind(source_address)
                connection.connect(place)
                undo.pop_all()
                return connection
        except OSError as exc:
            errors.append(exc)
    if not errors:
        raise OSError(f"getaddrinfo knows no address of {host!r}")
    try:
        if all_errors:
            raise ExceptionGroup(f"cannot connect to {host}:{port}", errors)
        raise errors[-1]
    finally:
        # They know this frame, which must not know them.
        errors.clear()


def socket_hook() -> None:
    """Make all sockets of the program cooperative, `http.client` and `urllib` among them."""
    _system.socket = socket  # type: ignore[misc]
    _system.socketpair = socketpair
