# SPDX-License-Identifier: Apache-2.0
"""Count the datagrams that arrive at a port of its own; asked by a line, answer with the count."""

from __future__ import annotations

import os
import socket
import sys
import threading

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
udp.bind(("127.0.0.1", 0))
received = 0


def count() -> None:
    global received
    while True:
        udp.recv(65536)
        received += 1


threading.Thread(target=count, daemon=True).start()
print(udp.getsockname()[1], flush=True)
for _ in sys.stdin:
    print(received, flush=True)
os._exit(0)
