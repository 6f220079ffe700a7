# SPDX-License-Identifier: Apache-2.0
"""The scripted server: sockets, the answers of a well-behaved server, and how to change them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final

from cothread import Spawn
from cothread.coselect import wait_readable

from ..protocol import commands as c
from ..protocol.eca import ECA_NORMAL, ECA_PUTFAIL
from ..protocol.framing import (
    Frame,
    Message,
    datagram_frames,
    datagram_version,
    frame,
    header,
    until_nul,
)
from .connection import Connection
from .pv import Pv

LOOPBACK: Final = "127.0.0.1"
PORTS_TRIED: Final = 20

Handler = Callable[[Connection, Frame], object]
"""What a test does instead of the default answer: called with the connection and the message.

Returning True gives the default answer too."""


class Server:
    """A Channel Access server with a handful of PVs.

    Args:
        pvs: by name; may be changed at any time.
        version: the revision to claim.
        speaks_first: send VERSION at once, as rsrv does; otherwise only after the client's.
        port: a free one by default.

    Attributes:
        connections: those that are open.
        accepted: how many there have been.
        searches: every name asked for by UDP, in order.
        answers_searches: False makes the server invisible.
    """

    def __init__(
        self,
        pvs: Mapping[str, Pv],
        *,
        version: int = c.MINOR_VERSION,
        speaks_first: bool = True,
        port: int = 0,
    ) -> None:
        self.pvs = dict(pvs)
        self.version = version
        self.speaks_first = speaks_first
        self.port = port
        self.connections: list[Connection] = []
        self.accepted = 0
        self.searches: list[bytes] = []
        self.answers_searches = True
        self.next_sid = 0
        self._handlers: dict[int, Handler] = {}
        self._defaults: dict[int, Handler] = {
            c.VERSION: self._version,
            c.CREATE_CHAN: self._create,
            c.CLEAR_CHANNEL: self._clear,
            c.READ_NOTIFY: self._read,
            c.WRITE: self._write,
            c.WRITE_NOTIFY: self._write,
            c.EVENT_ADD: self._subscribe,
            c.EVENT_CANCEL: self._cancel,
            c.ECHO: self._echo,
            c.READ_SYNC: self._echo,
            c.SEARCH: self._search,
        }
        self._acceptor: Spawn[None] | None = None
        self._searcher: Spawn[None] | None = None
        self._listener: socket.socket | None = None
        self.datagrams: socket.socket | None = None

    def __getitem__(self, name: str) -> Pv:
        return self.pvs[name]

    @property
    def env(self) -> dict[str, str]:
        """What a client needs in its environment to see this server and nothing else."""
        return {
            "EPICS_CA_ADDR_LIST": f"{LOOPBACK}:{self.port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CA_NAME_SERVERS": "",
        }

    @property
    def connection(self) -> Connection:
        """The only connection."""
        (connection,) = self.connections
        return connection

    def on(self, command: int, handler: Handler | None) -> None:
        """Replace the answer to a command; None restores the default."""
        if handler is None:
            self._handlers.pop(command, None)
        else:
            self._handlers[command] = handler

    # Its life

    def start(self) -> Server:
        """Begin to serve."""
        chosen = self.port
        for attempt in range(PORTS_TRIED):
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                datagrams.setblocking(False)
                datagrams.bind((LOOPBACK, chosen))
                self.port = datagrams.getsockname()[1]
                self.listen()
            except OSError:
                # What is free for one protocol need not be for the other.
                datagrams.close()
                if chosen or attempt == PORTS_TRIED - 1:
                    raise
                continue
            self.datagrams = datagrams
            self._searcher = Spawn(self._take_datagrams, datagrams)
            break
        return self

    def listen(self) -> None:
        """Accept connections; after `refuse`, again."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind((LOOPBACK, self.port))
            listener.listen(16)
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._acceptor = Spawn(self._accept, listener)

    def refuse(self) -> None:
        """Refuse connections from now on."""
        assert self._listener is not None
        assert self._acceptor is not None
        self._acceptor.Cancel()
        Spawn(self._listener.close)
        self._listener = self._acceptor = None

    def close(self) -> None:
        """End everything, as when the server's process ends."""
        for connection in list(self.connections):
            connection.close()
        for task in (self._acceptor, self._searcher):
            if task is not None:
                task.Cancel()
        for sock in (self._listener, self.datagrams):
            if sock is not None:
                Spawn(sock.close)
        self._listener = self.datagrams = None
        self._acceptor = self._searcher = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            wait_readable(listener)
            with suppress(BlockingIOError):
                sock, _ = listener.accept()
                connection = Connection(self, sock)
                self.connections.append(connection)
                self.accepted += 1
                if self.speaks_first and c.VERSION not in self._handlers:
                    connection.send(frame(c.VERSION, count=self.version))

    def gone(self, connection: Connection) -> None:
        """Take the end of a connection that the client has closed."""
        connection.close()

    def forget(self, connection: Connection) -> None:
        """Take a connection off the list."""
        if connection in self.connections:
            self.connections.remove(connection)

    # Searches

    def _take_datagrams(self, sock: socket.socket) -> None:
        while True:
            wait_readable(sock)
            with suppress(OSError):
                data, source = sock.recvfrom(65536)
                self._answer_searches(sock, datagram_frames(data), source)

    def _answer_searches(
        self, sock: socket.socket, messages: list[Message], source: tuple[str, int]
    ) -> None:
        answer = b""
        for command, _, _, _, cid, payload in messages:
            if command != c.SEARCH:
                continue
            name = until_nul(payload)
            self.searches.append(name)
            if self.answers_searches and name.decode() in self.pvs:
                answer += self.search_reply(cid)
        if answer:
            sock.sendto(datagram_version(1) + answer, source)

    def search_reply(self, cid: int, port: int = 0) -> bytes:
        """Return the answer to one search."""
        payload = self.version.to_bytes(2, "big") + bytes(6)
        port = port or self.port
        return frame(c.SEARCH, payload, dtype=port, p1=c.SAME_ADDRESS, p2=cid)

    # What a well-behaved server answers

    def handle(self, connection: Connection, message: Frame) -> None:
        """Answer one message."""
        handler = self._handlers.get(message.command)
        if handler is not None and handler(connection, message) is not True:
            return
        default = self._defaults.get(message.command)
        if default is not None:
            default(connection, message)

    def _version(self, connection: Connection, _message: Frame) -> None:
        if not self.speaks_first:
            connection.send(frame(c.VERSION, dtype=1, count=self.version, p1=1))

    def _create(self, connection: Connection, message: Frame) -> None:
        pv = self.pvs.get(until_nul(message.payload).decode())
        if pv is None:
            connection.send(frame(c.CREATE_CH_FAIL, p1=message.p1))
            return
        sid, self.next_sid = self.next_sid, self.next_sid + 1
        connection.channels[sid] = pv
        connection.send(
            frame(c.ACCESS_RIGHTS, p1=message.p1, p2=pv.rights)
            + frame(c.CREATE_CHAN, dtype=pv.dbr, count=pv.size, p1=message.p1, p2=sid)
        )

    def _clear(self, connection: Connection, message: Frame) -> None:
        pv = connection.channels.pop(message.p1, None)
        if pv is not None:
            pv.watchers = [watcher for watcher in pv.watchers if watcher[0] is not connection]
        connection.send(frame(c.CLEAR_CHANNEL, p1=message.p1, p2=message.p2))

    def _read(self, connection: Connection, message: Frame) -> None:
        pv = connection.channels[message.p1]
        dbr, ident = message.dtype, message.p2
        status, count, payload = pv.reply(dbr, message.count)
        connection.send(frame(c.READ_NOTIFY, payload, dtype=dbr, count=count, p1=status, p2=ident))

    def _write(self, connection: Connection, message: Frame) -> None:
        pv = connection.channels[message.p1]
        status = ECA_NORMAL
        try:
            pv.decode(message.dtype, message.count, message.payload)
        except ValueError:
            status = ECA_PUTFAIL
        if message.command == c.WRITE_NOTIFY:
            dbr, count, ident = message.dtype, message.count, message.p2
            connection.send(header(c.WRITE_NOTIFY, 0, dbr, count, status, ident))

    def _subscribe(self, connection: Connection, message: Frame) -> None:
        pv = connection.channels[message.p1]
        pv.watchers.append((connection, message.dtype, message.count, message.p2))
        connection.send_update(pv, message.dtype, message.count, message.p2)

    def _cancel(self, connection: Connection, message: Frame) -> None:
        pv = connection.channels[message.p1]
        pv.watchers = [w for w in pv.watchers if (w[0], w[3]) != (connection, message.p2)]
        connection.send(
            header(c.EVENT_ADD, 0, message.dtype, message.count, message.p1, message.p2)
        )

    def _echo(self, connection: Connection, message: Frame) -> None:
        connection.send(frame(message.command, message.payload))

    def _search(self, connection: Connection, message: Frame) -> None:
        if until_nul(message.payload).decode() in self.pvs:
            connection.send(frame(c.SEARCH, dtype=self.port, p1=c.SAME_ADDRESS, p2=message.p2))
        elif message.dtype == c.DO_REPLY:
            connection.send(
                frame(
                    c.NOT_FOUND,
                    dtype=message.dtype,
                    count=message.count,
                    p1=message.p1,
                    p2=message.p2,
                )
            )
