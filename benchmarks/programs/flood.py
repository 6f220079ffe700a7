# SPDX-License-Identifier: Apache-2.0
"""A Channel Access server whose numbers change as fast as the client takes them.

`python flood.py PREFIX COUNT [RATE]`: with a rate, so many updates per second and no more.

It knows just enough of the protocol for that: names are `PREFIX` and a number, all of them doubles.
As soon as all of them are subscribed to as DBR_TIME_DOUBLE, it sends one block over and over, with
an update of each; it stops when its standard input ends.  A subscription as DBR_CTRL_DOUBLE, to
properties, has its first update and no more.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from contextlib import suppress
from struct import Struct

HEADER = Struct("!HHHHII")
TIME_DOUBLE = Struct("!HHIIId")
CTRL_DOUBLE = Struct("!HHHH8s8dd")
TIME, CTRL = 20, 34
VERSION, EVENT_ADD, SEARCH, CREATE, ACCESS, ECHO = 0, 1, 6, 18, 22, 23
EPICS_EPOCH = 631152000

prefix, count = sys.argv[1], int(sys.argv[2])
rate = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
PACE_S = 0.005


def frames(data: bytes) -> tuple[list[tuple[tuple[int, ...], bytes]], bytes]:
    """Split what was received.

    Returns:
        The complete messages (header fields, payload), and the rest.
    """
    found, at = [], 0
    while len(data) - at >= HEADER.size:
        fields = HEADER.unpack_from(data, at)
        end = at + HEADER.size + fields[1]
        if end > len(data):
            break
        found.append((fields, data[at + HEADER.size : end]))
        at = end
    return found, data[at:]


def answer_searches(udp: socket.socket, port: int) -> None:
    while True:
        data, client = udp.recvfrom(65536)
        replies = [HEADER.pack(VERSION, 0, 0, 13, 0, 0)]
        for fields, payload in frames(data)[0]:
            if fields[0] == SEARCH and payload.startswith(prefix.encode()):
                reply = HEADER.pack(SEARCH, 8, port, 0, 0xFFFFFFFF, fields[4])
                replies.append(reply + b"\0\x0d" + bytes(6))
        udp.sendto(b"".join(replies), client)


def serve(tcp: socket.socket) -> None:
    """Answer one client until it has subscribed to everything, then flood it."""
    tcp.sendall(HEADER.pack(VERSION, 0, 0, 13, 0, 0))
    subscriptions: list[int] = []
    rest = b""
    while len(subscriptions) < count:
        received = tcp.recv(65536)
        if not received:
            return
        messages, rest = frames(rest + received)
        replies = []
        for (command, _, dtype, _, first, second), _payload in messages:
            if command == CREATE:
                replies.append(HEADER.pack(ACCESS, 0, 0, 0, first, 3))
                replies.append(HEADER.pack(CREATE, 0, 6, 1, first, first))
            elif command == EVENT_ADD and dtype == TIME:
                subscriptions.append(second)
            elif command == EVENT_ADD and dtype == CTRL:
                properties = CTRL_DOUBLE.pack(0, 0, 3, 0, b"mm", *[0.0] * 8, 1.5)
                size = len(properties)
                replies.append(HEADER.pack(EVENT_ADD, size, CTRL, 1, 1, second) + properties)
            elif command == ECHO:
                replies.append(HEADER.pack(ECHO, 0, 0, 0, 0, 0))
        tcp.sendall(b"".join(replies))
    threading.Thread(target=swallow, args=(tcp,), daemon=True).start()
    now = time.time() - EPICS_EPOCH
    update = TIME_DOUBLE.pack(0, 0, int(now), 0, 0, 1.5)
    block = b"".join(
        HEADER.pack(EVENT_ADD, len(update), TIME, 1, 1, subscription) + update
        for subscription in subscriptions
    )
    due, sent = time.monotonic(), 0
    while True:
        tcp.sendall(block)
        sent += count
        if rate and sent >= rate * PACE_S:
            due, sent = due + sent / rate, 0
            time.sleep(max(due - time.monotonic(), 0.0))


def swallow(tcp: socket.socket) -> None:
    with suppress(OSError):
        while tcp.recv(65536):
            pass


def accept(listener: socket.socket) -> None:
    while True:
        tcp, _ = listener.accept()
        threading.Thread(target=attend, args=(tcp,), daemon=True).start()


def attend(tcp: socket.socket) -> None:
    with tcp:
        try:
            serve(tcp)
        except OSError:
            return  # the client has gone


def main() -> None:
    while True:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(("127.0.0.1", port))
        except OSError:
            continue
        break
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    threading.Thread(target=answer_searches, args=(udp, port), daemon=True).start()
    print(port, flush=True)
    sys.stdin.read()
    os._exit(0)


main()
