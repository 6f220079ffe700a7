# SPDX-License-Identifier: Apache-2.0
"""Looking up host names, which the C library can do only by blocking: in a thread, when need be."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from .threads import in_thread

__all__ = ["addresses"]


def addresses(host: str | bytes | None, port: int | str | None, **wanted: int) -> list[Any]:
    """Return what `socket.getaddrinfo` returns.

    Args:
        wanted: its `family`, `type`, `proto` and `flags`.
    Raises:
        OSError: nothing is known under that name.
    Suspends: unless `host` is a number already.
    """
    if host is None:
        return socket.getaddrinfo(host, port, **wanted)
    numeric = wanted | {"flags": wanted.get("flags", 0) | socket.AI_NUMERICHOST}
    with contextlib.suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, **numeric)
    return in_thread(lambda: socket.getaddrinfo(host, port, **wanted))
