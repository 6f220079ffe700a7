# SPDX-License-Identifier: Apache-2.0
"""One client's circuit, as the scripted server sees it."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from cothread import Event, Spawn, current
from cothread.coselect import wait_readable, wait_writable

from ..protocol import commands as c
from ..protocol.framing import Frame, FrameReader, frame
from .pv import Pv

if TYPE_CHECKING:
    from .server import Server


class Connection:
    """A TCP connection from a client.

    Attributes:
        received: every message that has come, in order.
        channels: PVs by the SID that this server gave them.
        reading: False makes the server leave what arrives in the kernel's buffers.
    """

    def __init__(self, server: Server, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = server
        self.received: list[Frame] = []
        self.channels: dict[int, Pv] = {}
        self.closed = False
        self._socket = sock
        self._outgoing = bytearray()
        self._news: Event[None] = Event()
        self._may_read: Event[None] = Event(auto_reset=False)
        self._may_read.Signal()
        self._tasks = [Spawn(self._read), Spawn(self._write)]

    def count(self, command: int) -> int:
        """Return how many messages of one kind have come."""
        return sum(message.command == command for message in self.received)

    # What a test may do with it

    def send(self, data: bytes) -> None:
        """Send bytes, as soon as the client takes them."""
        self._outgoing += data
        self._news.Signal()

    def send_update(self, pv: Pv, dbr: int, count: int, ident: int) -> None:
        """Send a monitor update."""
        status, elements, payload = pv.reply(dbr, count)
        self.send(frame(c.EVENT_ADD, payload, dtype=dbr, count=elements, p1=status, p2=ident))

    @property
    def backlog(self) -> int:
        """Bytes that the client has not taken yet."""
        return len(self._outgoing)

    def stop_reading(self) -> None:
        """Leave what arrives in the kernel's buffers, which will fill up."""
        self._may_read.Reset()

    def resume_reading(self) -> None:
        """Read again after `stop_reading`."""
        self._may_read.Signal()

    def close(self) -> None:
        """End the connection in good order, after what has been sent so far."""
        self._drop()

    def reset(self) -> None:
        """Break the connection: the client gets a reset, and whatever was under way is lost."""
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._drop()

    def half_close(self) -> None:
        """Say that nothing more will come, but go on reading."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _drop(self) -> None:
        if self.closed:
            return
        self.closed = True
        for pv in self.server.pvs.values():
            pv.watchers = [watcher for watcher in pv.watchers if watcher[0] is not self]
        with suppress(OSError):
            self._socket.send(bytes(self._outgoing))
        self.server.forget(self)
        for task in self._tasks:
            # The reader itself may be the one who ends it, in a handler.
            if task is not current():
                task.Cancel()
        # Those who wait for the socket have been told; its number is free in the next round.
        self._tasks.append(Spawn(self._socket.close))

    # Its cothreads

    def _read(self) -> None:
        reader = FrameReader()
        with suppress(OSError):
            while not self.closed:
                self._may_read.Wait()
                wait_readable(self._socket)
                data = self._socket.recv(65536)
                if not data:
                    break
                for message in reader.feed(data):
                    self._take(message)
        self.server.gone(self)

    def _take(self, message: Frame) -> None:
        # A handler of the test may have closed the connection within this very block.
        if not self.closed:
            self.received.append(message)
            self.server.handle(self, message)

    def _write(self) -> None:
        with suppress(OSError):
            while not self.closed:
                self._news.Wait()
                while self._outgoing and not self.closed:
                    try:
                        del self._outgoing[: self._socket.send(self._outgoing)]
                    except BlockingIOError:
                        wait_writable(self._socket)
