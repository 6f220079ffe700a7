# SPDX-License-Identifier: Apache-2.0
"""The end of a client: what it has written last reaches its servers."""

from __future__ import annotations

import select
import socket
import time
from typing import Final

EXIT_S: Final = 0.15
"""How long the end of the process may wait for servers to take the last puts."""


def read_to_end(sockets: list[socket.socket]) -> None:
    """Read until each server has closed its side: closing with bytes unread would lose the last.

    Blocks, without letting other cothreads run, for 0.15 s at the very most.
    """
    until = time.monotonic() + EXIT_S
    while sockets and (left := until - time.monotonic()) > 0:
        readable, _, _ = select.select(sockets, [], [], left)
        for sock in readable:
            try:
                ended = not sock.recv(65536)
            except OSError:
                ended = True
            if ended:
                sockets.remove(sock)
